"""What the document templates print.

Everything is ready for the reader: texts in the language of the document, dates ISO
(`2026-11-23`), digits Latin. Empty strings and lists are left out of the page, except where the
guidelines ask for the line to stand.
"""

import datetime
from typing import Literal, NotRequired, TypedDict

from sanjeevani.documents.typesetting import labels


class PractitionerBlock(TypedDict):
    """Who signs: all five have to stand on a prescription."""

    name: str
    qualification: str
    registration: str
    address: str
    contact: str


class FacilityBlock(TypedDict):
    """The host of the consultation."""

    name: str
    address: str


class PatientBlock(TypedDict):
    """Who the document is for. `gender`: female, male, other. Numbers as text, empty if unknown."""

    name: str
    age: str  # age_text()
    gender: Literal["female", "male", "other"]
    address: str
    height_cm: str
    weight_kg: str
    last_menstrual_period: str  # ISO date, empty where it does not apply


class DiagnosisLine(TypedDict):
    """A diagnosis; `name` in plain words beside the title, may be empty."""

    code: str
    title: str
    name: str
    provisional: bool


class DayPlan(TypedDict):
    """Doses at the four times of a day (`1`, `0.5`); empty where none is taken."""

    morning: str
    noon: str
    evening: str
    night: str


class MedicineLine(TypedDict):
    """One medicine. `name` is the generic name; the template sets it in capitals.

    `dose` with its unit ("1 tablet"), `frequency` in words. `day_plan` is None for medicines not
    taken by the time of day (when needed, weekly); the frequency then stands in its place.
    """

    name: str
    form: str
    strength: str
    route: str
    dose: str
    frequency: str
    day_plan: DayPlan | None
    duration: str  # days_text()
    instructions: str


class ConsentBlock(TypedDict):
    """Who obtained the patient's consent at a spoke, and when it was confirmed to the doctor.

    ISO dates and times in India; empty where not known.
    """

    obtained_by: str
    obtained_at: str
    confirmed_at: str


class PrescriptionDocument(TypedDict):
    """Input of the template `prescription`.

    `verification_address` is what a person types, `qr_content` what the code holds: the same
    address with the signed statement. `ended` prints a notice across the page, with its day and
    the number of what stands in its place.
    """

    paper: NotRequired[Literal["a4", "a5"]]
    number: str
    issued_on: str
    signed_at: str  # ISO date and time in India: 2026-11-23T10:05
    mode: Literal["video", "audio", "chat", "phone"]
    encounter_kind: Literal["first", "follow_up"]
    facility: FacilityBlock
    practitioner: PractitionerBlock
    patient: PatientBlock
    complaints: list[str]
    complaint_text: str
    complaint_duration: str  # days_text()
    history: str
    allergies: str
    current_medicines: str
    findings: str
    investigations: str
    diagnoses: list[DiagnosisLine]
    medicines: list[MedicineLine]
    advice: str
    come_back: str
    consent: NotRequired[ConsentBlock]
    verification_address: str
    qr_content: str
    ended: NotRequired[Literal["", "superseded", "cancelled"]]
    ended_on: NotRequired[str]
    replaced_by: NotRequired[str]


class AdviceBlock(TypedDict):
    """What a colleague who was asked in advises, and who that is."""

    name: str
    qualification: str
    registration: str
    advice: str


class ReferralDocument(TypedDict):
    """Input of the template `referral_letter`: a letter for in-person care.

    With `qr_content` empty it prints no code and says nothing of verification.
    """

    paper: NotRequired[Literal["a4", "a5"]]
    number: str
    issued_on: str
    signed_at: str
    mode: Literal["video", "audio", "chat", "phone"]
    urgency: Literal["emergency", "within_a_day", "within_a_week", "routine"]
    facility: FacilityBlock
    practitioner: PractitionerBlock
    patient: PatientBlock
    refer_to: str
    reason: str
    complaints: list[str]
    complaint_text: str
    complaint_duration: str
    danger_signs: str
    measured: str
    history: str
    allergies: str
    current_medicines: str
    findings: str
    investigations: str
    diagnoses: list[DiagnosisLine]
    treatment_given: str
    advice: str
    colleagues: list[AdviceBlock]
    verification_address: str
    qr_content: str


class TokenSlipDocument(TypedDict):
    """Input of the template `token_slip`. `expected_wait` in words; `qr_content` may be empty."""

    token: str
    line_name: str
    facility_name: str
    date: str
    patient_name: str
    place: str
    expected_wait: str
    issued_at: str
    opens_at: str
    note: str
    qr_content: str


def age_text(birth_date: datetime.date, on: datetime.date, language: str) -> str:
    """Return an age as a clinician says it: days under 2 months, months under 2 years, years."""
    words = labels(language)["age"]
    months = (on.year - birth_date.year) * 12 + on.month - birth_date.month
    months -= on.day < birth_date.day
    if months < 2:
        return _counted(words["days"], (on - birth_date).days)
    if months < 24:
        return _counted(words["months"], months)
    return _counted(words["years"], months // 12)


def days_text(days: int, language: str) -> str:
    """Return a duration in days in words (`5 days`)."""
    return _counted(labels(language)["age"]["days"], days)


def _counted(forms: dict[str, str], number: int) -> str:
    return forms["one" if number == 1 else "other"].replace("{n}", str(number))
