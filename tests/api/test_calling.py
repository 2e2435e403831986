"""How the two talk, by JSON: down at once, up when both want, and ringing who is away."""

import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from sanjeevani.calls.models import Presence, Seat
from sanjeevani.consultation.models import Consultation
from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import IdempotencyKey
from tests.api.caller import Caller, asked, doctor_caller, new_key, patient_caller
from tests.api.test_prescriptions import Meeting, meeting
from tests.factories import ClinicFactory

__all__ = ["meeting"]

pytestmark = pytest.mark.usefixtures("reference")


def call_of(caller: Caller, path: str) -> Any:
    return caller.get(f"{path}/call")


def test_less_holds_at_once_and_more_when_both_want(meeting: Meeting) -> None:
    patient, doctor = meeting.patient, meeting.doctor
    mine, theirs = f"{meeting.path}/call", f"/staff{meeting.path}/call"
    first = patient.send("GET", mine)
    assert (first.json()["held"], first.json()["allowed"]) == (True, "video")
    assert patient.put(f"{mine}/mode", {"mode": "chat"})["allowed"] == "chat"
    assert patient.send("GET", mine, If_None_Match=first.headers["ETag"]).status_code == 200
    assert patient.send("GET", f"{meeting.path}/seat").status_code == 410
    wanted = doctor.put(f"{theirs}/mode", {"mode": "audio"})
    assert (wanted["allowed"], wanted["asked"], wanted["asked_by_me"]) == ("chat", "audio", True)
    seen = patient.get(mine)
    assert (seen["asked"], seen["asked_by_me"]) == ("audio", False)
    for _time in range(2):
        assert patient.post(f"{mine}/decline")["asked"] is None
    doctor.put(f"{theirs}/mode", {"mode": "audio"})
    assert patient.put(f"{mine}/mode", {"mode": "audio"})["allowed"] == "audio"
    assert patient.get(f"{meeting.path}/seat")["ticket"]
    patient.put(f"{mine}/mode", {"mode": "video"})
    assert doctor.post(f"{theirs}/decline")["asked"] is None


def test_a_patient_who_is_away_is_rung_and_comes_back(meeting: Meeting) -> None:
    mine, theirs = f"{meeting.path}/call", f"/staff{meeting.path}/call"
    held = Consultation.objects.get(state_id=28, id=meeting.path.rpartition("/")[2])
    now = clock.now()
    Presence.objects.create(
        state_id=28,
        id=uuid7(),
        room_id=held.room_id,
        seat=Seat.GUEST,
        instance="page-1",
        first_joined_at=now,
        joined_at=now,
    )
    assert meeting.doctor.get(theirs)["other_here"]
    Presence.objects.filter(state_id=28).update(left_at=now)
    assert not meeting.doctor.get(theirs)["other_here"]
    for _time in range(2):
        meeting.doctor.post(f"{theirs}/ring")
    assert meeting.patient.get(mine)["ringing"]
    assert meeting.patient.post(f"{meeting.path}/resume")["status"] == "in_progress"
    with clock.driven_by(lambda: now + datetime.timedelta(minutes=1)):
        assert not meeting.patient.get(mine)["ringing"]


def test_both_phones_ring(meeting: Meeting) -> None:
    theirs = f"/staff{meeting.path}/call"
    for _time in range(2):
        meeting.doctor.post(f"{theirs}/phone")
    assert meeting.patient.get(f"{meeting.path}/call")["phone"] == "asked"
    meeting.doctor.put(f"/staff{meeting.path}/note", {"advice": "Rest."})
    meeting.doctor.post(f"/staff{meeting.path}/conclude", {"outcome": "advice"})
    over = meeting.patient.get(f"{meeting.path}/call")
    assert (over["held"], over["phone"]) == (False, None)
    closed = meeting.patient.send("PUT", f"{meeting.path}/call/mode", {"mode": "audio"})
    assert closed.json()["type"].endswith(":RoomClosed")
    rung = meeting.doctor.send("POST", f"{theirs}/ring")
    assert rung.json()["type"].endswith(":NotInProgress")


def test_nobody_is_there_before_a_doctor_has_called() -> None:
    clinic = ClinicFactory()
    patient = patient_caller()
    path = asked(patient, clinic)
    assert patient.get(f"{path}/call")["held"] is False
    _doctor, _practitioner = doctor_caller(clinic)
    assert patient.send("PUT", f"{path}/call/mode", {"mode": "shouting"}).status_code == 422


def test_a_relative_comes_in_by_a_link_and_goes(meeting: Meeting, client: Client) -> None:
    mine, theirs = f"{meeting.path}/call", f"/staff{meeting.path}/call"
    key = new_key()
    made = [
        meeting.patient.send("POST", f"{mine}/relative", Idempotency_Key=key).json()
        for _time in range(2)
    ]
    assert made[0] == made[1]
    secret = made[0]["address"].rpartition("/")[2]
    assert not IdempotencyKey.objects.filter(body__contains=secret).exists()
    assert meeting.patient.get(mine)["invited_until"] == made[0]["expires_at"]
    path = urlsplit(made[0]["address"]).path
    assert client.post(path, {"name": "Lakshmi"}).status_code == 303
    assert (meeting.doctor.get(theirs)["third"], meeting.patient.get(mine)["third"]) == (
        "Lakshmi",
        "Lakshmi",
    )
    other = urlsplit(meeting.doctor.make(f"{theirs}/relative")["address"]).path
    assert client.get(path).status_code == 410
    assert client.get(other).status_code == 200
    for _time in range(2):
        assert meeting.patient.send("DELETE", f"{mine}/relative").status_code == 204
    assert client.get(other).status_code == 410
    assert meeting.patient.get(mine)["invited_until"] is None
    assert meeting.doctor.send("DELETE", f"{theirs}/relative").status_code == 204
