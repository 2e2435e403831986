"""What a signed prescription holds: facts and codes, free of any display language.

Its fields are those that the Telemedicine Practice Guidelines of 2020 ask for. The digest over its
canonical form is what is signed; a number is a string in it, so that no reader's floats matter.
"""

import base64
import hashlib
import json
from decimal import Decimal
from typing import Any, NotRequired

from typing_extensions import TypedDict  # typing's own cannot be read by pydantic before 3.12

from sanjeevani.prescription.dosing import dosing
from sanjeevani.terminology.dosage import forms, frequencies


class PractitionerFacts(TypedDict):
    """Who prescribes."""

    name: str
    qualification: str
    registration: str
    address: str
    contact: str


class PatientFacts(TypedDict):
    """For whom. Dates are ISO; height in cm, weight in kg; empty where not known."""

    name: str
    birth_date: str
    gender: str
    address: str
    height_cm: str
    weight_kg: str
    last_menstrual_period: str


class ConsentFacts(TypedDict):
    """At a spoke: who obtained the patient's consent, when, and when the patient confirmed it to
    the doctor. Moments are ISO, in India's time; empty where not known."""

    obtained_by: str
    obtained_at: str
    confirmed_at: str


class DiagnosisFacts(TypedDict):
    """A coded diagnosis (ICD-10)."""

    code: str
    title: str
    provisional: bool


class MedicineFacts(TypedDict):
    """One line; codes are the terminology's. `override_reason` where a rule was overridden."""

    code: str
    generic_name: str
    form: str
    strength: str
    route: str
    dose: str
    frequency: str
    duration_days: int
    instruction_code: str
    instructions: str
    overridden: list[str]
    override_reason: str


class PrescriptionContent(TypedDict):
    """All of it."""

    number: str
    issued_on: str
    mode: str
    encounter_kind: str
    facility_name: str
    facility_address: str
    practitioner: PractitionerFacts
    patient: PatientFacts
    complaints: list[str]
    complaint_text: str
    complaint_duration_days: int | None
    history: str
    allergies: str
    current_medicines: str
    findings: str
    investigations: str
    diagnoses: list[DiagnosisFacts]
    medicines: list[MedicineFacts]
    advice: str
    come_back: str
    consent: NotRequired[ConsentFacts]


class Statement(TypedDict):
    """What the QR code carries, signed: enough for a pharmacy without a network."""

    number: str
    issued_on: str
    practitioner: str
    registration: str
    patient: str
    medicines: list[str]
    digest: str


def digest(content: PrescriptionContent | dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical form, in URL-safe base64."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (
        base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    )


def statement(content: PrescriptionContent) -> Statement:
    """Return what is signed: the patient by initials and year of birth only."""
    return Statement(
        number=content["number"],
        issued_on=content["issued_on"],
        practitioner=content["practitioner"]["name"],
        registration=content["practitioner"]["registration"],
        patient=initials(content["patient"]),
        medicines=[_in_one_line(line) for line in content["medicines"]],
        digest=digest(content),
    )


def initials(patient: PatientFacts) -> str:
    """Return initials and year of birth: enough to compare with the paper in the hand."""
    letters = "".join(word[0] for word in patient["name"].split()[:3])
    return f"{letters} {patient['birth_date'][:4]}"


def _in_one_line(line: MedicineFacts) -> str:
    """Return a medicine as a pharmacist reads it: eye drops are no ear drops of the same strength.

    The unit says the form of most: one capsule, one tablet.
    """
    form = forms()[line["form"]]
    name, dose = form.name_in("en").lower(), Decimal(line["dose"])
    taken = dosing(line["frequency"], dose)
    return ", ".join(
        [
            f"{line['generic_name']} {line['strength']}",
            *([] if name == form.unit_in("en") else [name]),
            taken.in_words(form, "en")[0]
            if taken and taken.pattern
            else f"{line['dose']} {form.unit_in('en', dose)} {_often(line['frequency'])}",
            f"{line['duration_days']}d",
        ]
    )


def _often(code: str) -> str:
    """Return how pharmacists write a frequency: BD and the like as they are, our codes in words."""
    return frequencies()[code].name_in("en").lower() if "_" in code else code
