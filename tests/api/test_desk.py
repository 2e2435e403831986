"""What a doctor's app knows of a patient: all that the desk shows."""

import datetime

import pytest
from django.utils.timezone import localdate

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.services import answer
from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.intake.models import Intake
from tests.api.at_spoke import Spoke, upload
from tests.api.caller import asked, doctor_caller, patient_caller
from tests.factories import ClinicFactory, PatientFactory, person, requested, told

pytestmark = pytest.mark.usefixtures("reference")


def test_what_was_measured_which_danger_was_seen_and_who_is_with_the_child() -> None:
    clinic = ClinicFactory()
    born = clock.today() - datetime.timedelta(days=2000)
    child = PatientFactory(relation="child", birth_date=born)
    asked = requested(clinic, child)
    said = told(child, text="Breathes fast").as_json()
    sign = next(iter(said["answers"]))
    Intake.objects.create(
        state_id=asked.state_id,
        id=uuid7(),
        consultation_id=asked.id,
        frozen_at=clock.now(),
        content=said
        | {
            "answers": said["answers"] | {sign: True},
            "vitals": {
                "oxygen_saturation": 82,
                "systolic_blood_pressure": 90,
                "diastolic_blood_pressure": 60,
            },
            "companion": {"id": str(uuid7()), "name": "Savita", "bond": "parent"},
        },
    )
    doctor, _practitioner = doctor_caller(clinic)
    taken = doctor.make("/staff/next")
    intake = doctor.get(f"/staff/consultations/{taken['state_id']}/{taken['id']}")["intake"]
    alarming = {one["shown"]: one["alarming"] for one in intake["vitals"]}
    assert alarming["82 %"]
    assert not alarming["90/60 mmHg"]
    [seen] = intake["danger"]
    assert seen["code"] == sign
    assert seen["name"] != sign
    assert (intake["companion"]["name"], intake["companion"]["bond"]) == ("Savita", "parent")


def test_what_was_measured_before_stands_beside_it() -> None:
    clinic, patient = ClinicFactory(), PatientFactory()
    doctor, _practitioner = doctor_caller(clinic)
    own = person(patient.account_id, patient.state_id)
    for beats in (96, 88):
        held = requested(clinic, patient, text="Heart beats fast", vitals={"heart_rate": beats})
        path = f"/staff/consultations/{held.state_id}/{held.id}"
        doctor.make("/staff/next")
        answer(own, state_id=held.state_id, consultation_id=held.id)
        [now] = doctor.get(path)["intake"]["vitals"]
        doctor.put(f"{path}/note", {"advice": "Rest"})
        doctor.post(f"{path}/conclude", {"outcome": "advice"})
        # A day of its own for each.
        rows = Consultation.objects.filter(state_id=held.state_id, id=held.id)
        rows.update(requested_at=clock.now() - datetime.timedelta(days=3))
    assert now["shown"] == "88 /min"
    day = localdate(clock.now() - datetime.timedelta(days=3)).isoformat()
    assert now["before"] == [{"shown": "96 /min", "day": day}]


def test_photos_and_papers_are_read_and_shown() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    sent = upload(patient, f"{path}/papers").json()
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    address = f"/staff{path}/papers"
    assert doctor.get(address)["items"] == [sent]
    assert doctor.send("GET", f"{address}/{sent['id']}").content.startswith(b"\xff\xd8")
    assert AuditEvent.objects.filter(
        state_id=clinic.state_id, verb="consultation.read_paper", record_id=sent["id"]
    ).exists()
    assert upload(doctor, address).json()["type"].endswith(":NotInProgress")
    patient.post(f"{path}/answer")
    shown = upload(doctor, address)
    assert shown.status_code == 201, shown.content
    for items in (doctor.get(address)["items"], patient.get(f"{path}/papers")["items"]):
        assert [one["by_doctor"] for one in items] == [False, True]
        assert items[1] == shown.json()


def test_who_obtained_consent_and_the_patients_word_to_the_doctor() -> None:
    spoke = Spoke()
    path = spoke.asked()
    doctor = spoke.doctor
    doctor.make("/staff/next")
    consent = doctor.get(f"/staff{path}")["consent"]
    assert consent["obtained_by"]
    assert consent["agreed_at"]
    assert (consent["confirmed_at"], consent["to_confirm"]) == (None, False)
    assert doctor.send("POST", f"/staff{path}/consent").status_code == 409  # rings still
    spoke.worker.post(f"{path}/answer")
    assert doctor.get(f"/staff{path}")["consent"]["to_confirm"]
    for _twice in range(2):
        assert doctor.send("POST", f"/staff{path}/consent").status_code == 204
    consent = doctor.get(f"/staff{path}")["consent"]
    assert consent["confirmed_at"]
    assert not consent["to_confirm"]


def test_from_home_there_is_nothing_to_confirm() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    patient.post(f"{path}/answer")
    consent = doctor.get(f"/staff{path}")["consent"]
    assert (consent["obtained_by"], consent["to_confirm"]) == ("", False)
    assert doctor.send("POST", f"/staff{path}/consent").status_code == 422
