"""A letter of referral says what the next doctor has to know at once."""

from typing import Any

import pytest

from sanjeevani.consultation.letters import LetterContent, letter_of
from sanjeevani.consultation.models import Outcome, Urgency
from sanjeevani.consultation.services import NoteContent, answer, call_next, complete, write_note
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.intake.services import freeze
from sanjeevani.prescription.letters import letter_document
from sanjeevani.terminology.danger_signs import danger_signs
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
    told,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reference")]


def test_what_was_measured_and_the_danger_signs_are_on_it() -> None:
    """Told and measured at a spoke; the hospital would ask again, and lose the time."""
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    sign, other = list(danger_signs())[:2]
    content = told(
        patient,
        text="Fever",
        vitals={
            "body_temperature": 39.5,
            "systolic_blood_pressure": 90,
            "diastolic_blood_pressure": 60,
        },
        answers={sign: True, other: False},
    )
    asked = requested(clinic, patient)
    freeze(
        SYSTEM,
        state_id=asked.state_id,
        consultation_id=asked.id,
        patient=patient,
        content=content,
    )
    practitioner = on_duty(clinic)
    held = call_next(doctor(practitioner), practitioner=practitioner)
    key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
    answer(person(held.patient_account_id, held.patient_state_id), **key)
    at_desk = {"practitioner": practitioner, **key}
    write_note(doctor(practitioner), content=NoteContent(advice="Go now"), diagnoses=[], **at_desk)
    letter = LetterContent("District Hospital", Urgency.EMERGENCY, "Shock?")
    done = complete(doctor(practitioner), outcome=Outcome.EMERGENCY, letter=letter, **at_desk)
    kept = letter_of(done)
    assert kept is not None

    document = letter_document(done, kept, "en")

    assert document["measured"] == "Blood pressure 90/60 mmHg; Temperature 39.5 °C"
    assert document["danger_signs"] == danger_signs()[sign].question_in("en")
