"""What earlier consultations say of a patient: for the doctor's eyes, and for the rules."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.timezone import localdate

from sanjeevani.consultation.models import Consultation, Diagnosis
from sanjeevani.consultation.queries import allergies_heard, diagnoses_in, earlier_consultations
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import intakes_of
from sanjeevani.prescription.models import Prescription, PrescriptionEnd
from sanjeevani.terminology.vitals import Reading, readings


@dataclass(frozen=True)
class Course:
    """A medicine of a prescription that holds, as it was signed, and the last day it is taken."""

    code: str
    name: str
    until: datetime.date

    @property
    def runs(self) -> bool:
        """Whether it is still to be taken today."""
        return self.until >= clock.today()


@dataclass(frozen=True)
class Earlier:
    """An earlier completed consultation; `allergies` as told and as the doctor heard.

    `vitals`: what was measured then, by code.
    """

    consultation: Consultation
    allergies: str
    diagnoses: list[Diagnosis]
    courses: list[Course]
    vitals: dict[str, float]

    @property
    def day(self) -> datetime.date:
        """The day on which the patient asked, and was measured."""
        return localdate(self.consultation.requested_at)


@dataclass(frozen=True)
class Before:
    """What a measurement was on an earlier day; `shown` is the value with its unit."""

    shown: str
    day: datetime.date


MOST_BEFORE = 3
"""How many earlier values stand beside one."""


_in_force = Compiled(
    lambda: Prescription.objects.filter(
        ~Exists(
            PrescriptionEnd.objects.filter(
                state_id=OuterRef("state_id"), prescription_id=OuterRef("id")
            )
        ),
        state_id=given("state_id"),
        consultation_id=given_any("consultation_ids"),
    )
)


def earlier_of(practitioner_id: uuid.UUID, consultation: Consultation) -> list[Earlier]:
    """Return the patient's earlier consultations, newest first, if the practitioner may read them.

    The caller has read the consultation through its queries.
    """
    held = earlier_consultations(practitioner_id, consultation)
    intakes: dict[uuid.UUID, IntakeContent] = {}
    heard: dict[uuid.UUID, str] = {}
    diagnoses: dict[uuid.UUID, list[Diagnosis]] = {}
    courses: dict[uuid.UUID, list[Course]] = {}
    for state_id in {one.state_id for one in held}:
        ids = [one.id for one in held if one.state_id == state_id]
        intakes |= intakes_of(state_id, ids)
        heard |= allergies_heard(state_id, ids)
        diagnoses |= diagnoses_in(state_id, ids)
        for signed in _in_force.all(state_id=state_id, consultation_ids=ids):
            courses[signed.consultation_id] = _courses(signed)
    return [
        Earlier(
            one,
            joined(intakes[one.id].allergies if one.id in intakes else "", heard.get(one.id, "")),
            diagnoses.get(one.id, []),
            courses.get(one.id, []),
            intakes[one.id].vitals if one.id in intakes else {},
        )
        for one in held
    ]


def measured_before(
    reading: Reading, consultation: Consultation, earlier: list[Earlier], language: str
) -> list[Before]:
    """Return what a reading of a consultation was the last times, newest first.

    What was measured goes along when a patient is sent on: it is one measurement, said once.
    """
    said = {(reading.shown, localdate(consultation.requested_at))}
    found: list[Before] = []
    for one in earlier:
        for then in readings(one.vitals, language, reading.codes):
            is_same = one.consultation.id == consultation.follows_id and then.shown == reading.shown
            if not is_same and (then.shown, one.day) not in said:
                said.add((then.shown, one.day))
                found.append(Before(then.shown, one.day))
    return found[:MOST_BEFORE]


def joined(*words: str) -> str:
    """Return what was said by several, one below the other; who said nothing leaves no line."""
    return "\n".join(filter(None, words))


def _courses(signed: Prescription) -> list[Course]:
    """Return the medicines of a prescription; who gets them a day late takes them a day longer."""
    first = localdate(signed.signed_at)
    return [
        Course(
            line["code"],
            f"{line['generic_name']} {line['strength']}".strip(),
            first + datetime.timedelta(days=line["duration_days"]),
        )
        for line in signed.content["medicines"]
    ]
