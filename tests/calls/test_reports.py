"""What the gateway reports: signed, stored sparingly, and what it does to the consultation."""

import datetime
import json
import time
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gateway.reports import signature
from sanjeevani.calls.events import RoomChanged
from sanjeevani.calls.ladder import change_mode
from sanjeevani.calls.models import Mode, Presence, QualitySample, Room, Seat
from sanjeevani.calls.queries import mode_changes, snapshot_rooms
from sanjeevani.calls.services import seat_host
from sanjeevani.consultation import calling
from sanjeevani.consultation.calling import call_again, phone_patient, sweep_lost_seats
from sanjeevani.consultation.interruptions import (
    GRACE,
    doctor_is_lost,
    dropped,
    interrupt,
    resume,
)
from sanjeevani.consultation.models import Consultation
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.models import OutboxFact
from sanjeevani.queueing.models import Token
from sanjeevani.web.calls.room import room_context
from tests.structure.verb_calls import World

pytestmark = pytest.mark.django_db

ADDRESS = "/internal/calls/seats"


class Gateway:
    """Reports about the room of a consultation in progress."""

    def __init__(self, client: Client, secret: str) -> None:
        self.client = client
        self.secret = secret
        self.world = World()
        self.held = self.world.held

    def event(self, seat: str, kind: str, *, ago: float = 0, **more: Any) -> dict[str, Any]:
        """Return a report, so many seconds old."""
        return {
            "id": str(uuid.uuid4()),
            "at": (timezone.now() - datetime.timedelta(seconds=ago)).isoformat(),
            "state_id": self.held.state_id,
            "room": str(self.held.room_id),
            "seat": seat,
            "kind": kind,
            **({"instance": f"page-{seat}"} if kind != "quality" else QUALITY),
            **more,
        }

    def tell(self, *events: dict[str, Any], sign: str | None = None) -> int:
        """Post them; return the status."""
        body = json.dumps({"events": events}).encode()
        moment = int(time.time())
        signed = sign or f"t={moment},v1={signature(self.secret, moment, body)}"
        answer = self.client.post(
            ADDRESS,
            body,
            content_type="application/json",
            headers={"X-Gateway-Signature": signed},
        )
        return answer.status_code

    def consultation(self) -> Consultation:
        """Read it again."""
        return Consultation.objects.get(state_id=self.held.state_id, id=self.held.id)

    def modes(self) -> list[str]:
        """Return the modes written down."""
        return [change.mode for change in mode_changes(self.held.state_id, self.held.room_id)]


QUALITY = {
    "peer": "b",
    "rung": "low",
    "sees": "",
    "loss": 0.01,
    "concealed": 0.0,
    "round_trip_ms": 120,
    "relayed": False,
}


@pytest.fixture
def gateway(client: Client, settings: Any) -> Gateway:
    return Gateway(client, settings.LIVE_SECRET)


def test_who_lost_the_seat_and_came_in_all_the_same_is_sent_out_again(gateway: Gateway) -> None:
    """The gateway was started anew, and knows nothing of it; nobody takes them for the doctor."""
    told = OutboxFact.objects.filter(state_id=gateway.held.state_id, kind=RoomChanged.kind)
    host = str(gateway.held.room.host_account_id)
    for subject, more in ((host, 0), ("", 0), (str(uuid.uuid4()), 1)):
        before = told.count()
        assert gateway.tell(gateway.event("a", "joined", subject=subject)) == 204
        assert told.count() == before + more, subject
        presence = Presence.objects.filter(state_id=gateway.held.state_id, seat=Seat.HOST)
        assert presence.exists() is (more == 0)
        presence.delete()
    seat_host(SYSTEM, state_id=gateway.held.state_id, room_id=gateway.held.room_id, account_id=None)
    hint = snapshot_rooms(gateway.held.state_id, [gateway.held.room_id])[gateway.held.room_id]
    assert (hint["all"], hint["seats"]) == ({}, {"a": "", "c": ""})
    assert abs(hint["at"] - time.time()) < 10


@pytest.mark.parametrize(
    "sign",
    ["", "t=,v1=", "t=1,v1=00", "t={now},v1=" + "0" * 64, "t=१,v1=ab", "nonsense"],
)
def test_what_is_not_signed_is_not_heard(gateway: Gateway, sign: str) -> None:
    sign = sign.format(now=int(time.time())) or "x"
    assert gateway.tell(gateway.event("b", "joined"), sign=sign) == 403
    assert not Presence.objects.filter(state_id=gateway.held.state_id).exists()


def test_an_old_signature_is_no_use(gateway: Gateway) -> None:
    body = json.dumps({"events": []}).encode()
    moment = int(time.time()) - 3_600
    sign = f"t={moment},v1={signature(gateway.secret, moment, body)}"
    assert gateway.tell(sign=sign) == 403


@pytest.mark.parametrize(
    "change",
    [
        {"seat": "z"},
        {"room": "x"},
        {"loss": 7},
        {"kind": "shouted"},
        {"state_id": None},
        {"at": "yesterday"},
    ],
)
def test_rubbish_is_refused_whole(gateway: Gateway, change: dict[str, Any]) -> None:
    bad = {**gateway.event("a", "quality"), **change}
    assert gateway.tell(gateway.event("a", "quality"), bad) == 422
    assert not QualitySample.objects.filter(state_id=gateway.held.state_id).exists()


def test_rooms_of_others_are_passed_over(gateway: Gateway) -> None:
    assert gateway.tell(gateway.event("a", "joined", room=str(uuid.uuid4()))) == 204


def test_samples_once_a_minute_and_the_mode_is_what_the_doctor_sees(gateway: Gateway) -> None:
    """A patient's page that claims a picture proves nothing."""
    sees = [
        gateway.event("b", "quality", peer="a", sees="full"),
        gateway.event("a", "quality"),
        gateway.event("a", "quality", sees="small"),
        gateway.event("a", "quality", peer="c", sees="full"),
    ]
    gateway.tell(*sees)
    gateway.tell(*sees[:2])
    assert gateway.modes() == ["chat", "audio", "low_video", "audio"]
    samples = QualitySample.objects.filter(state_id=gateway.held.state_id)
    assert samples.count() <= 6  # three pairs, at most two minutes


def test_what_the_page_of_an_earlier_doctor_saw_counts_no_more(gateway: Gateway) -> None:
    """Reports wait at the gateway, and come when the next doctor has the patient."""
    earlier, present = str(uuid.uuid4()), str(gateway.world.host.account_id)
    gateway.tell(gateway.event("a", "quality", sees="full", subject=earlier))
    assert gateway.modes() == ["chat"]
    gateway.tell(gateway.event("a", "quality", sees="small", subject=present))
    gateway.tell(gateway.event("a", "joined", ago=60, subject=earlier))
    gateway.tell(gateway.event("a", "left", bye=True, subject=earlier))
    assert gateway.modes() == ["chat", "low_video"]


def test_a_lost_seat_begins_the_grace_and_both_back_end_it(gateway: Gateway) -> None:
    gateway.tell(gateway.event("a", "joined", ago=60), gateway.event("b", "joined", ago=60))
    gateway.tell(gateway.event("a", "quality", sees="full"))
    gateway.tell(gateway.event("b", "left", ago=5, bye=False))
    sweep_lost_seats()
    assert gateway.consultation().status == "in_progress"
    # A reload: the page before it says late that it left.
    gateway.tell(gateway.event("b", "joined", ago=4, instance="page-again"))
    gateway.tell(gateway.event("b", "left", ago=3))
    assert Presence.objects.get(state_id=gateway.held.state_id, seat="guest").left_at is None
    gateway.tell(gateway.event("b", "left", ago=0, instance="page-again"))
    Presence.objects.filter(state_id=gateway.held.state_id, seat="guest").update(
        left_at=timezone.now() - datetime.timedelta(seconds=11)
    )
    sweep_lost_seats()
    sweep_lost_seats()
    lost = gateway.consultation()
    assert lost.status == "interrupted"
    assert gateway.modes() == ["chat", "video", "chat"]
    assert Token.objects.get(state_id=lost.state_id, id=lost.token_id).deadline_at is not None
    gateway.tell(gateway.event("b", "joined", instance="page-3"))
    assert gateway.consultation().status == "in_progress"


def doctor_lost(gateway: Gateway) -> dict[str, Any]:
    """Let the doctor's line break for good; return where the consultation is."""
    gateway.tell(gateway.event("a", "joined", ago=60), gateway.event("b", "joined", ago=60))
    held = gateway.consultation()
    long_ago = timezone.now() - datetime.timedelta(minutes=2)
    Token.objects.filter(state_id=held.state_id, id=held.token_id).update(called_at=long_ago)
    gateway.tell(gateway.event("a", "left", ago=11))
    sweep_lost_seats()
    assert gateway.consultation().status == "interrupted"
    return {"state_id": held.state_id, "consultation_id": held.id}


def test_a_patient_whose_doctor_is_lost_is_not_left_with_nobody(gateway: Gateway) -> None:
    """Whoever pressed to go on was told for hours to be with a doctor who had gone."""
    at = doctor_lost(gateway)
    resume(gateway.world.guest, **at)
    lost = gateway.consultation()
    assert (lost.status, doctor_is_lost(lost)) == ("interrupted", True)
    with clock.driven_by(lambda: timezone.now() + 2 * GRACE):
        dropped(SYSTEM, state_id=lost.state_id, token_id=lost.token_id)
    assert Token.objects.get(state_id=lost.state_id, id=lost.token_id).status == "waiting"


def test_a_doctor_who_comes_back_goes_on(gateway: Gateway) -> None:
    doctor_lost(gateway)
    gateway.tell(gateway.event("a", "joined", instance="page-2"))
    assert gateway.consultation().status == "in_progress"


@pytest.mark.parametrize("acts", ["calls again", "goes on"])
def test_a_doctor_who_acts_at_the_desk_is_there_without_a_seat(gateway: Gateway, acts: str) -> None:
    """The gateway cannot be reached from the hospital's network; writing goes on."""
    at = doctor_lost(gateway)
    if acts == "calls again":
        call_again(gateway.world.host, **gateway.world.at_the_desk(gateway.held))
    else:
        resume(gateway.world.host, **at)
        interrupt(gateway.world.host, **at)
    resume(gateway.world.guest, **at)
    assert gateway.consultation().status == "in_progress"


def test_the_loss_of_an_earlier_doctor_holds_up_nobody(gateway: Gateway) -> None:
    at = doctor_lost(gateway)
    held = gateway.consultation()
    Token.objects.filter(state_id=held.state_id, id=held.token_id).update(called_at=timezone.now())
    resume(gateway.world.guest, **at)
    assert gateway.consultation().status == "in_progress"


def test_a_seat_lost_while_the_worker_is_killed_is_acted_on_by_the_next(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.tell(gateway.event("a", "joined", ago=60), gateway.event("b", "joined", ago=60))
    gateway.tell(gateway.event("b", "left", ago=11))

    def killed(*_actor: Any, **_about: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(calling, "interrupt", killed)
        with pytest.raises(KeyboardInterrupt):
            sweep_lost_seats()
    assert gateway.consultation().status == "in_progress"
    sweep_lost_seats()
    assert gateway.consultation().status == "interrupted"


def test_who_ends_the_call_on_purpose_is_not_lost(gateway: Gateway) -> None:
    gateway.tell(gateway.event("a", "joined", ago=60), gateway.event("b", "joined", ago=60))
    gateway.tell(gateway.event("a", "quality"))
    gateway.tell(gateway.event("b", "left", ago=30, bye=True))
    sweep_lost_seats()
    assert gateway.consultation().status == "in_progress"
    assert gateway.modes() == ["chat", "audio", "chat"]


def test_calling_again_rings_once_and_begins_the_grace_anew(gateway: Gateway) -> None:
    world, held = gateway.world, gateway.held
    gateway.tell(gateway.event("b", "joined", ago=60), gateway.event("b", "left", ago=30))
    sweep_lost_seats()
    soon = timezone.now() + datetime.timedelta(seconds=5)
    Token.objects.filter(state_id=held.state_id, id=held.token_id).update(deadline_at=soon)
    for _again in range(2):
        call_again(world.host, **world.at_the_desk(held))
    token = Token.objects.get(state_id=held.state_id, id=held.token_id)
    assert token.deadline_at is not None
    assert token.deadline_at > soon + datetime.timedelta(seconds=60)
    room = Room.objects.get(state_id=held.state_id, id=held.room_id)
    assert room.rung_at is not None


def test_who_ended_the_call_and_answers_the_ringing_is_in_it_again(gateway: Gateway) -> None:
    world, held = gateway.world, gateway.held
    key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
    change_mode(world.guest, state_id=held.state_id, room_id=held.room_id, mode=Mode.CHAT)
    call_again(world.host, **world.at_the_desk(held))
    ceilings = []
    for actor in (world.host, world.guest):
        resume(actor, **key)
        ceilings.append(Room.objects.get(state_id=held.state_id, id=held.room_id).ceiling)
    assert ceilings == ["chat", "video"]


def test_who_waits_in_vain_for_the_phone_is_told(gateway: Gateway) -> None:
    """The worker is down, or the job got lost: nobody rings any more."""
    world, held = gateway.world, gateway.held
    phone_patient(world.host, **world.at_the_desk(held))

    def shown() -> str:
        for_guest = room_context(gateway.consultation(), Seat.GUEST)["phone_call"]
        assert (
            for_guest.status == room_context(gateway.consultation(), Seat.HOST)["phone_call"].status
        )
        return str(for_guest.status)

    assert shown() == "asked"
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(minutes=3)):
        assert shown() == "failed"
