"""Retries and rivals at the same moment, on committed data."""

from functools import partial
from typing import Any

import pytest

from sanjeevani.consultation.models import PatientPresence
from sanjeevani.foundation.models import IdempotencyKey
from sanjeevani.patients.models import Patient
from sanjeevani.queueing.models import Token
from tests.api.at_spoke import REGISTRATION, Spoke, upload
from tests.api.caller import (
    Caller,
    asked,
    asking,
    doctor_caller,
    new_key,
    patient_caller,
    ready_profile,
)
from tests.factories import ANDHRA_PRADESH, ClinicFactory, LineFactory
from tests.races.conftest import at_once

pytestmark = pytest.mark.usefixtures("committed_reference")

THREADS = 8


def _send(caller: Caller, path: str, body: Any, key: str) -> tuple[int, bytes]:
    response = Caller(caller.token).send("POST", path, body, Idempotency_Key=key)
    return response.status_code, response.content


def test_hundred_retries_have_one_effect_and_one_answer() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    profile = ready_profile(patient)
    path, key = f"/profiles/{profile['id']}/consultations", new_key()
    send = partial(_send, patient, path, asking(clinic), key)
    answers = at_once([send] * 100, THREADS)
    assert len(set(answers)) == 1, set(answers)
    assert answers[0][0] == 201  # type: ignore[index]
    assert Token.objects.filter(state_id=clinic.state_id, line_id=clinic.line_id).count() == 1
    assert IdempotencyKey.objects.filter(key=key).count() == 1


def test_retried_next_calls_one_patient() -> None:
    clinic = ClinicFactory()
    doctor, _practitioner = doctor_caller(clinic)
    for _number in range(3):
        asked(patient_caller(), clinic)
    answers = at_once([partial(_send, doctor, "/staff/next", None, new_key())] * 20, THREADS)
    assert len(set(answers)) == 1
    called = Token.objects.filter(state_id=clinic.state_id, line_id=clinic.line_id, status="called")
    assert called.count() == 1


def test_more_patients_than_places() -> None:
    """Exactly the places are given; nobody is refused for another reason than a full line."""
    clinic = ClinicFactory(line=LineFactory(places_per_day=5))
    sends = []
    for _number in range(20):
        patient = patient_caller()
        profile = ready_profile(patient)
        path = f"/profiles/{profile['id']}/consultations"
        sends.append(partial(_send, patient, path, asking(clinic), new_key()))
    answers = at_once(sends, THREADS)
    statuses = sorted(status for status, _body in answers)  # type: ignore[misc]
    assert statuses == [201] * 5 + [409] * 15
    assert all(b"LineFull" in body for status, body in answers if status == 409)  # type: ignore[misc]
    numbers = Token.objects.filter(state_id=clinic.state_id, line_id=clinic.line_id)
    assert sorted(numbers.values_list("number", flat=True)) == [1, 2, 3, 4, 5]


def test_a_tablet_that_sends_everything_again_and_again() -> None:
    """Registered, asked and shown once, whatever arrives how often."""
    spoke = Spoke(proof="photo")
    send = partial(_send, spoke.worker, "/spoke/patients", REGISTRATION, new_key())
    registered = at_once([send] * 20, THREADS)
    assert len(set(registered)) == 1, set(registered)
    assert Patient.objects.filter(state_id=ANDHRA_PRADESH).count() == 1
    patient_id = spoke.ready(name="Radha Devi")
    path = f"/spoke/patients/{patient_id}/consultations"
    send = partial(_send, spoke.worker, path, spoke.asking(), new_key())
    assert len(set(at_once([send] * 20, THREADS))) == 1
    [asked_for] = spoke.worker.get("/consultations")["items"]
    photo = f"/spoke/consultations/{ANDHRA_PRADESH}/{asked_for['id']}/presence/photo"
    # Photos of several moments: each with a key of its own.
    shown = at_once([lambda: upload(Caller(spoke.worker.token), photo).status_code] * 8, THREADS)
    assert shown == [201] * 8
    assert PatientPresence.objects.filter(state_id=ANDHRA_PRADESH).count() == 1
