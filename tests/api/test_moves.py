"""A doctor's app that lost an answer sends its move again, and is not told that it was refused."""

from typing import Any

import pytest

from tests.api.caller import Caller, asked, doctor_caller, new_key, patient_caller
from tests.api.test_bad_input import refused
from tests.api.test_prescriptions import REASON, Meeting, meeting, signed
from tests.factories import ClinicFactory

__all__ = ["meeting"]

pytestmark = pytest.mark.usefixtures("reference")


def sent_again(doctor: Caller, path: str, body: Any = None) -> None:
    """Send a move and its retry: one effect, one answer. Without the key it is refused."""
    key = new_key()
    first = doctor.send("POST", path, body, Idempotency_Key=key)
    assert first.status_code == 204, first.content
    again = doctor.send("POST", path, body, Idempotency_Key=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (204, "true")
    assert doctor.send("POST", path, body).status_code in (403, 409)
    assert doctor.send("POST", path, body, Idempotency_Key=new_key()).status_code in (403, 409)


@pytest.mark.parametrize("move", ["hand-back", "return"])
def test_a_call_that_is_not_taken(move: str) -> None:
    clinic = ClinicFactory()
    path = asked(patient_caller(), clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    sent_again(doctor, f"/staff{path}/{move}", {"reason": "Since when does it hurt?"})


def test_a_call_that_rings_longer() -> None:
    clinic = ClinicFactory()
    path = asked(patient_caller(), clinic)
    doctor, _practitioner = doctor_caller(clinic)
    doctor.make("/staff/next")
    sent_again(doctor, f"/staff{path}/ring-longer")


def test_a_patient_who_is_given_up(meeting: Meeting) -> None:
    meeting.doctor.post(f"/staff{meeting.path}/interrupt")
    sent_again(meeting.doctor, f"/staff{meeting.path}/not-reachable")


def test_a_consultation_that_is_finished(meeting: Meeting) -> None:
    meeting.doctor.put(f"/staff{meeting.path}/note", {"advice": "Rest."})
    sent_again(meeting.doctor, f"/staff{meeting.path}/conclude", {"outcome": "advice"})


def test_a_prescription_that_is_cancelled(meeting: Meeting) -> None:
    body = {"number": signed(meeting), "reason": REASON}
    sent_again(meeting.doctor, f"/staff{meeting.path}/prescription/cancel", body)


def test_a_refused_move_may_be_sent_again_and_another_one_not(meeting: Meeting) -> None:
    """What was missing can be added under the same key; other words need a key of their own."""
    path, key = f"/staff{meeting.path}/conclude", new_key()
    early = meeting.doctor.send("POST", path, {"outcome": "advice"}, Idempotency_Key=key)
    assert early.status_code == 422
    meeting.doctor.put(f"/staff{meeting.path}/note", {"advice": "Rest."})
    done = meeting.doctor.send("POST", path, {"outcome": "advice"}, Idempotency_Key=key)
    assert done.status_code == 204
    other = {"outcome": "advice", "follow_up_days": 7}
    refused(meeting.doctor.send("POST", path, other, Idempotency_Key=key), 422, "KeyReused")
