"""What was told and prescribed before counts when another doctor prescribes."""

import datetime

import pytest

from sanjeevani.consultation.models import Consultation, EncounterKind, Outcome
from sanjeevani.foundation import clock
from sanjeevani.patients.models import Patient
from sanjeevani.patients.services import join
from sanjeevani.prescription.earlier import Earlier, earlier_of, measured_before
from sanjeevani.prescription.errors import ReasonMissing
from sanjeevani.prescription.queries import draft_of
from sanjeevani.prescription.services import cancel, conclude
from sanjeevani.terminology.vitals import readings
from tests.factories import PatientFactory, person
from tests.prescription.test_ending import later
from tests.prescription.test_signing import COLD, Desk

pytestmark = [
    pytest.mark.django_db(databases=["default", "owner"]),
    pytest.mark.usefixtures("reference"),
]


def coming_back(patient: Patient, **content: object) -> Desk:
    """Let a doctor see a patient in a follow-up, in which every list may be prescribed."""
    desk = Desk(patient, **content)
    Consultation.objects.filter(
        state_id=desk.consultation.state_id, id=desk.consultation.id
    ).update(encounter_kind=EncounterKind.FOLLOW_UP)
    desk.consultation.refresh_from_db()
    return desk


def seen_before(patient: Patient, line: str, **content: object) -> Desk:
    """Let a doctor see a patient and prescribe one medicine."""
    desk = coming_back(patient, **({"text": "Fever"} | content))
    desk.note(COLD)
    desk.prescribe(line)
    desk.sign()
    conclude(desk.actor, **desk.at, outcome=Outcome.PRESCRIPTION)
    return desk


def findings(desk: Desk) -> set[str]:
    """The codes of all that speaks against the draft."""
    return {finding.code for line in draft_of(desk.consultation) for finding in line.findings}


def earlier(desk: Desk) -> list[Earlier]:
    """What the doctor of a desk sees of before."""
    return earlier_of(desk.practitioner.id, desk.consultation)


def test_an_allergy_told_to_another_doctor_asks_for_a_reason() -> None:
    patient = PatientFactory()
    seen_before(patient, "pcm 650 1-0-1 5d", allergies="Penicillin")
    desk = coming_back(patient)
    desk.note(COLD)
    desk.prescribe("amoxicillin 500 1-1-1 5d")
    assert "allergy_before" in findings(desk)
    with pytest.raises(ReasonMissing):
        desk.sign()
    desk.prescribe("amoxicillin 500 1-1-1 5d", override_reason="Rash was measles")
    assert desk.sign().content["medicines"][0]["overridden"] == ["allergy_before"]


def test_an_allergy_told_again_is_said_once() -> None:
    patient = PatientFactory()
    seen_before(patient, "pcm 650 1-0-1 5d", allergies="Penicillin")
    desk = coming_back(patient, text="Cough", allergies="penicillin")
    desk.prescribe("amoxicillin 500 1-1-1 5d")
    assert findings(desk) & {"allergy", "allergy_before"} == {"allergy"}


def test_what_the_patient_names_only_in_the_call_is_checked_and_printed() -> None:
    desk = coming_back(PatientFactory(), text="Fever", allergies="Dust", medicines="Vitamins")
    desk.note(COLD, allergies="Rash after paracetamol", medicines="warfarin 5")
    desk.prescribe("pcm 650 1-0-1 5d")
    desk.prescribe("ibuprofen 400 1-0-1 3d")
    allergic, bleeding = draft_of(desk.consultation)
    assert "allergy" in {finding.code for finding in allergic.findings}
    assert any("warfarin" in str(finding.message).lower() for finding in bleeding.findings)
    with pytest.raises(ReasonMissing):
        desk.sign()
    desk.prescribe("pcm 650 1-0-1 5d", override_reason="Has had it since, well")
    desk.prescribe("ibuprofen 400 1-0-1 3d", override_reason="Once a day only")
    content = desk.sign().content
    assert content["allergies"] == "Dust\nRash after paracetamol"
    assert content["current_medicines"] == "Vitamins\nwarfarin 5"


def test_an_allergy_that_a_doctor_heard_counts_for_the_next_one_too() -> None:
    patient = PatientFactory()
    before = coming_back(patient, text="Fever", allergies="Dust")
    before.note(COLD, allergies="Swollen face after penicillin")
    conclude(before.actor, **before.at, outcome=Outcome.ADVICE)
    desk = coming_back(patient)
    desk.prescribe("amoxicillin 500 1-1-1 5d")
    assert "allergy_before" in findings(desk)
    assert [one.allergies for one in earlier(desk)] == ["Dust\nSwollen face after penicillin"]


def test_what_runs_still_interacts_and_doubles_until_its_last_day() -> None:
    patient = PatientFactory()
    seen_before(patient, "ibuprofen 400 1-0-1 5d")
    desk = coming_back(patient)
    desk.prescribe("enalapril 5 1-0-0 30d")
    assert "interaction" in findings(desk)
    desk.prescribe("ibuprofen 200 1-0-1 3d")
    assert "still_taken" in findings(desk)
    (before,) = earlier(desk)
    assert [one.title for one in before.diagnoses] == [COLD[0][1]]
    (course,) = before.courses
    assert course.until == clock.today() + datetime.timedelta(days=5)
    with later(days=6):
        assert not course.runs
        assert "still_taken" not in findings(desk)


def test_a_cancelled_prescription_runs_no_more() -> None:
    patient = PatientFactory()
    before = coming_back(patient)
    before.note(COLD)
    before.prescribe("ibuprofen 400 1-0-1 5d")
    signed = before.sign()
    conclude(before.actor, **before.at, outcome=Outcome.PRESCRIPTION)
    cancel(
        before.actor,
        practitioner=before.practitioner,
        state_id=signed.state_id,
        prescription_id=signed.id,
        reason="Wrong patient",
    )
    desk = coming_back(patient)
    desk.prescribe("ibuprofen 200 1-0-1 3d")
    assert "still_taken" not in findings(desk)
    assert earlier(desk)[0].courses == []


def test_what_was_told_under_a_double_of_the_record_counts_too() -> None:
    double = PatientFactory()
    kept = PatientFactory(account_id=double.account_id, state_id=double.state_id)
    seen_before(double, "pcm 650 1-0-1 5d", allergies="Penicillin")
    actor = person(double.account_id, double.state_id)
    join(actor, patient_id=double.id, kept_id=kept.id)
    desk = coming_back(kept)
    desk.prescribe("amoxicillin 500 1-1-1 5d")
    assert "allergy_before" in findings(desk)


def test_nothing_of_before_is_shown_to_whom_no_consultation_lets_read() -> None:
    patient = PatientFactory()
    seen_before(patient, "pcm 650 1-0-1 5d", allergies="Penicillin")
    stranger = Desk()
    assert earlier_of(stranger.practitioner.id, Desk(patient).consultation) == []


def test_what_was_measured_before_stands_beside_it_once_a_day() -> None:
    patient = PatientFactory()

    def measured(upper: int, lower: int, **more: float) -> dict[str, float]:
        return {"systolic_blood_pressure": upper, "diastolic_blood_pressure": lower, **more}

    for days, upper in ((-40, 140), (-30, 132), (-30, 132), (-20, 128), (-2, 120)):
        with later(days=days):
            before = coming_back(patient, text="High", vitals=measured(upper, 85))
            before.note(COLD, advice="Less salt")
            conclude(before.actor, **before.at, outcome=Outcome.ADVICE)
    desk = coming_back(patient, text="High", vitals=measured(120, 85, heart_rate=80))
    pressure, pulse = sorted(
        readings(measured(120, 85, heart_rate=80), "en"), key=lambda one: len(one.codes) == 1
    )
    today = clock.today()
    told = measured_before(pressure, desk.consultation, earlier(desk), "en")
    assert [(one.shown, (today - one.day).days) for one in told] == [
        ("120/85 mmHg", 2),
        ("128/85 mmHg", 20),
        ("132/85 mmHg", 30),
    ]
    assert measured_before(pulse, desk.consultation, earlier(desk), "en") == []
    # What went along to the specialist is the same measurement.
    desk.consultation.follows_id = earlier(desk)[0].consultation.id
    told = measured_before(pressure, desk.consultation, earlier(desk), "en")
    assert [one.shown for one in told] == ["128/85 mmHg", "132/85 mmHg", "140/85 mmHg"]
