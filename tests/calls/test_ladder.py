"""The ladder of a room: down at once, up only when both want, and what stands in the books."""

import datetime
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from sanjeevani.calls import ladder
from sanjeevani.calls import services as calls
from sanjeevani.calls.errors import NoPhoneBridge, NotInCall
from sanjeevani.calls.invitations import (
    free_third,
    invite_third,
    join_third,
    revoke_third,
    seat_third,
)
from sanjeevani.calls.models import Mode, PhoneCall, Room, Seat
from sanjeevani.calls.phone import BridgedCall, ask_phone_call
from sanjeevani.calls.queries import (
    closest_mode,
    mode_changes,
    modes_used,
    newest_phone_call,
    open_invitation,
    snapshot_rooms,
)
from sanjeevani.calls.seats import ice_servers, seat_ticket
from sanjeevani.calls.tasks import place_phone_call
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.messaging.models import InboxMessage
from tests.factories import ANDHRA_PRADESH, AccountFactory

pytestmark = pytest.mark.django_db


class Seats:
    """A room with both who talk."""

    def __init__(self) -> None:
        self.guest_account = AccountFactory()
        self.guest = Actor(ActorKind.PERSON, account_id=self.guest_account.id)
        self.host = Actor(ActorKind.STAFF, account_id=AccountFactory().id)
        room = calls.open_room(
            self.guest,
            state_id=ANDHRA_PRADESH,
            guest_account_id=self.guest_account.id,
            mode=Mode.CHAT,
        )
        self.key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "room_id": room.id}
        calls.seat_host(SYSTEM, account_id=self.host.account_id, **self.key)

    @property
    def room(self) -> Room:
        return Room.objects.get(state_id=ANDHRA_PRADESH, id=self.key["room_id"])

    def changes(self) -> list[tuple[str, str, bool]]:
        """Return what was written down: mode, whose, by itself."""
        return [
            (change.mode, change.seat, change.automatic)
            for change in mode_changes(self.room.state_id, self.room.id)
        ]


@pytest.fixture
def seats() -> Seats:
    return Seats()


def test_a_step_down_is_anyones_and_a_step_up_needs_both(seats: Seats) -> None:
    ladder.note_mode(SYSTEM, mode=Mode.VIDEO, seat=Seat.HOST, **seats.key)
    ladder.change_mode(seats.guest, mode=Mode.AUDIO, **seats.key)
    assert (seats.room.mode, seats.room.ceiling) == ("audio", "audio")
    # What is still on its way does not lift what was stepped down.
    with pytest.raises(Stale):
        ladder.note_mode(SYSTEM, mode=Mode.VIDEO, seat=Seat.HOST, **seats.key)
    ladder.change_mode(seats.guest, mode=Mode.VIDEO, **seats.key)
    ladder.change_mode(seats.guest, mode=Mode.VIDEO, **seats.key)
    assert (seats.room.ceiling, seats.room.asked_mode) == ("audio", "video")
    ladder.decline_mode(seats.host, **seats.key)
    assert seats.room.asked_mode == ""
    ladder.change_mode(seats.host, mode=Mode.VIDEO, **seats.key)
    ladder.change_mode(seats.guest, mode=Mode.VIDEO, **seats.key)
    assert (seats.room.ceiling, seats.room.mode) == ("video", "audio")
    ladder.note_mode(SYSTEM, mode=Mode.LOW_VIDEO, seat=Seat.HOST, **seats.key)
    assert seats.changes() == [
        ("chat", "guest", False),
        ("video", "host", True),
        ("audio", "guest", False),
        ("low_video", "host", True),
    ]


def test_ringing_lifts_nobody_above_what_they_agreed_to(seats: Seats) -> None:
    """Who chose sound only is not filmed, and who ended the call is not heard, by being rung."""
    ladder.change_mode(seats.guest, mode=Mode.AUDIO, **seats.key)
    assert calls.ring(seats.host, **seats.key)
    assert (seats.room.ceiling, seats.room.asked_mode) == ("audio", "")
    ladder.change_mode(seats.guest, mode=Mode.CHAT, **seats.key)
    assert calls.ring(seats.host, **seats.key)
    assert (seats.room.ceiling, seats.room.asked_mode, seats.room.asked_seat) == (
        "chat",
        "video",
        "host",
    )
    with pytest.raises(NotInCall):
        seat_ticket(seats.room, Seat.GUEST, None)
    ladder.change_mode(seats.guest, mode=Mode.VIDEO, **seats.key)
    assert seats.room.ceiling == "video"


def test_who_chose_sound_only_is_not_filmed_by_the_next_host(seats: Seats) -> None:
    """Their page joins by itself; a call that was ended is one again, since they answer it."""
    for chosen, with_next in [(Mode.AUDIO, "audio"), (Mode.CHAT, "video")]:
        ladder.change_mode(seats.guest, mode=chosen, **seats.key)
        calls.seat_host(SYSTEM, account_id=None, **seats.key)
        calls.seat_host(SYSTEM, account_id=seats.host.account_id, **seats.key)
        assert seats.room.ceiling == with_next


def test_ringing_who_asks_for_a_call_agrees_to_it(seats: Seats) -> None:
    ladder.change_mode(seats.guest, mode=Mode.CHAT, **seats.key)
    ladder.change_mode(seats.guest, mode=Mode.AUDIO, **seats.key)
    assert calls.ring(seats.host, **seats.key)
    assert (seats.room.ceiling, seats.room.asked_mode) == ("audio", "")


def test_strangers_change_nothing(seats: Seats) -> None:
    stranger = Actor(ActorKind.PERSON, account_id=uuid.uuid4())
    verbs: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (ladder.change_mode, {"mode": Mode.CHAT}),
        (ladder.decline_mode, {}),
        (invite_third, {}),
        (calls.ring, {}),
    ]
    for verb, more in verbs:
        with pytest.raises(NotPermitted):
            verb(stranger, **seats.key, **more)
    with pytest.raises(NotPermitted):
        calls.ring(seats.guest, **seats.key)


def test_small_video_counts_as_video_and_a_voice_as_more_than_text() -> None:
    assert closest_mode([Mode.CHAT, Mode.LOW_VIDEO]) == Mode.VIDEO
    assert closest_mode([Mode.CHAT, Mode.PHONE]) == Mode.PHONE


def test_what_one_host_saw_counts_for_no_other(seats: Seats) -> None:
    """The next doctor, who only reads, may not prescribe as if there had been a picture."""
    first = seats.host.account_id
    ladder.note_mode(SYSTEM, mode=Mode.VIDEO, seat=Seat.HOST, **seats.key)
    assert Mode.VIDEO in modes_used(ANDHRA_PRADESH, seats.room.id)
    calls.seat_host(SYSTEM, account_id=None, **seats.key)
    assert seats.room.mode == "chat"
    calls.seat_host(SYSTEM, account_id=AccountFactory().id, **seats.key)
    assert set(modes_used(ANDHRA_PRADESH, seats.room.id)) == {Mode.CHAT}
    calls.seat_host(SYSTEM, account_id=None, **seats.key)
    calls.seat_host(SYSTEM, account_id=first, **seats.key)
    assert closest_mode(modes_used(ANDHRA_PRADESH, seats.room.id)) == Mode.VIDEO


def test_a_phone_call_is_placed_once_and_is_the_mode_then(seats: Seats) -> None:
    ladder.change_mode(seats.guest, mode=Mode.PHONE, **seats.key)
    assert (seats.room.mode, seats.room.asked_mode) == ("chat", "phone")
    first = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)
    assert ask_phone_call(seats.host, host_number="0863 2345678", **seats.key) == first
    for _again in range(2):
        place_phone_call(ANDHRA_PRADESH, str(first.id))
    assert InboxMessage.objects.get(id=first.id).mobile == seats.guest_account.mobile
    assert (seats.room.mode, seats.room.ceiling, seats.room.asked_mode) == ("phone", "phone", "")
    with pytest.raises(NotInCall):
        seat_ticket(seats.room, Seat.GUEST, None)


class Bridge:
    """Keeps what it is asked to place, and does something meanwhile."""

    placed: ClassVar[list[BridgedCall]] = []
    meanwhile: ClassVar[Callable[[], object]] = staticmethod(lambda: None)

    def connect(self, call: BridgedCall) -> str:
        """Ring nobody."""
        self.placed.append(call)
        Bridge.meanwhile()
        return ""


@pytest.fixture
def bridge(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Bridge]:
    settings.PHONE_BRIDGE = f"{__name__}.Bridge"
    monkeypatch.setattr(Bridge, "placed", [])
    monkeypatch.setattr(Bridge, "meanwhile", staticmethod(lambda: None))
    return Bridge


def test_two_workers_place_a_phone_call_once(
    seats: Seats, bridge: type[Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has the same job while the bridge rings for the first."""
    call = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)

    def again() -> None:
        monkeypatch.setattr(bridge, "meanwhile", staticmethod(lambda: None))
        place_phone_call(ANDHRA_PRADESH, str(call.id))

    monkeypatch.setattr(bridge, "meanwhile", staticmethod(again))
    place_phone_call(ANDHRA_PRADESH, str(call.id))
    assert [one.id for one in bridge.placed] == [call.id]
    assert seats.room.mode == "phone"


def test_a_worker_killed_while_it_places_a_call_leaves_it_to_the_next(
    seats: Seats, bridge: type[Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)

    def killed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bridge, "meanwhile", staticmethod(killed))
    with pytest.raises(KeyboardInterrupt):
        place_phone_call(ANDHRA_PRADESH, str(call.id))
    monkeypatch.setattr(bridge, "meanwhile", staticmethod(lambda: None))
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=20)):
        place_phone_call(ANDHRA_PRADESH, str(call.id))
    # The same id: the bridge knows that it is the same call.
    assert [one.id for one in bridge.placed] == [call.id] * 2
    assert seats.room.mode == "phone"


def test_nobody_is_rung_after_the_end_nor_for_a_doctor_who_is_gone_nor_late(
    seats: Seats, bridge: type[Bridge]
) -> None:
    def asked(host: Actor) -> str:
        return str(ask_phone_call(host, host_number="0863 2345678", **seats.key).id)

    late = asked(seats.host)
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(minutes=3)):
        # Nothing came of it: pressing again is another call.
        assert asked(seats.host) != late
        place_phone_call(ANDHRA_PRADESH, late)
    next_host = Actor(ActorKind.STAFF, account_id=AccountFactory().id)
    of_first = newest_phone_call(ANDHRA_PRADESH, seats.room.id)
    assert of_first is not None
    calls.seat_host(SYSTEM, account_id=next_host.account_id, **seats.key)
    place_phone_call(ANDHRA_PRADESH, str(of_first.id))
    ended = asked(next_host)
    calls.close_room(SYSTEM, **seats.key)
    place_phone_call(ANDHRA_PRADESH, ended)
    assert bridge.placed == []
    assert [
        call.failure
        for call in PhoneCall.objects.filter(state_id=ANDHRA_PRADESH).order_by("asked_at", "id")
    ] == ["too_late", "over", "over"]


def test_a_call_that_rings_as_the_room_closes_was_placed(
    seats: Seats, bridge: type[Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)
    close = partial(calls.close_room, SYSTEM, **seats.key)
    monkeypatch.setattr(bridge, "meanwhile", staticmethod(close))
    place_phone_call(ANDHRA_PRADESH, str(call.id))
    assert PhoneCall.objects.get(state_id=ANDHRA_PRADESH, id=call.id).status == "placed"


def test_who_asks_for_the_phone_once_more_is_answered(seats: Seats) -> None:
    """The first call broke off; once the second rings nobody asks any more."""
    for _time in range(2):
        ladder.change_mode(seats.guest, mode=Mode.PHONE, **seats.key)
        call = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)
        place_phone_call(ANDHRA_PRADESH, str(call.id))
        assert (seats.room.mode, seats.room.asked_mode) == ("phone", "")
    assert [mode for mode, _seat, _automatic in seats.changes()] == ["chat", "phone"]


def test_a_phone_call_that_fails_is_said(seats: Seats, settings: Any) -> None:
    seats.guest_account.mobile = "+919876400400"
    seats.guest_account.save()
    call = ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)
    place_phone_call(ANDHRA_PRADESH, str(call.id))
    failed = PhoneCall.objects.get(state_id=ANDHRA_PRADESH, id=call.id)
    assert (failed.status, failed.failure, seats.room.mode) == ("failed", "http_400", "chat")
    settings.PHONE_BRIDGE = ""
    with pytest.raises(NoPhoneBridge):
        ask_phone_call(seats.host, host_number="0863 2345678", **seats.key)


def test_one_third_at_a_time_and_a_link_can_be_taken_back(seats: Seats) -> None:
    older = invite_third(seats.host, **seats.key)
    secret = invite_third(seats.guest, **seats.key)
    assert open_invitation(ANDHRA_PRADESH, older) is None
    assert open_invitation(ANDHRA_PRADESH + 1, secret) is None
    joined = join_third(SYSTEM, state_id=ANDHRA_PRADESH, secret=secret, name="Sita")
    assert (joined.name, joined.room_id) == ("Sita", seats.room.id)
    revoke_third(seats.host, **seats.key)
    assert open_invitation(ANDHRA_PRADESH, secret) is None


def test_whom_a_host_invites_goes_with_the_host(seats: Seats) -> None:
    """Or a doctor whom the patient has reported hears on, by a link of their own."""
    of_host = invite_third(seats.host, **seats.key)
    calls.seat_host(SYSTEM, account_id=None, **seats.key)
    assert open_invitation(ANDHRA_PRADESH, of_host) is None
    of_guest = invite_third(seats.guest, **seats.key)
    calls.seat_host(SYSTEM, account_id=None, **seats.key)
    assert open_invitation(ANDHRA_PRADESH, of_guest) is not None


def test_relays_by_region_with_a_new_name_each_time(settings: Any) -> None:
    settings.TURN_SECRET = "a secret"
    settings.TURN_SERVERS = {
        "29,32": ["turn:south.example"],
        "*": ["turn:anywhere.example"],
    }
    (south,) = ice_servers(32)["iceServers"]
    (other,) = ice_servers(7)["iceServers"]
    assert (south["urls"], other["urls"]) == (["turn:south.example"], ["turn:anywhere.example"])
    assert south["username"] != ice_servers(32)["iceServers"][0]["username"]
    settings.TURN_SERVERS = {}
    assert ice_servers(32) == {}


def test_the_gateway_is_told_whose_the_seats_are(seats: Seats) -> None:
    """By the subjects of their tickets: the doctor's account, and what opens the third seat."""

    def told() -> dict[str, str]:
        return snapshot_rooms(ANDHRA_PRADESH, [seats.key["room_id"]])[seats.room.id]["seats"]

    host = str(seats.host.account_id)
    assert told() == {"a": host, "c": ""}
    secret = invite_third(seats.guest, **seats.key)
    joined = join_third(SYSTEM, state_id=ANDHRA_PRADESH, secret=secret, name="Sita")
    assert told() == {"a": host, "c": str(joined.id)}
    colleague = AccountFactory().id
    until = clock.now() + datetime.timedelta(hours=1)
    seat_third(SYSTEM, account_id=colleague, name="Dr Rao", until=until, **seats.key)
    assert told() == {"a": host, "c": str(colleague)}
    free_third(SYSTEM, **seats.key)
    calls.seat_host(SYSTEM, account_id=None, **seats.key)
    assert told() == {"a": "", "c": ""}
    calls.close_room(SYSTEM, **seats.key)
    closed = snapshot_rooms(ANDHRA_PRADESH, [seats.room.id])[seats.room.id]
    assert dict(closed) == {"all": {"closed": True}, "each": {}}
