"""Phone call-backs: a port to a bridge that rings both sides, so that nobody sees a number."""

import datetime
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from sanjeevani.calls.errors import NoPhoneBridge, RoomClosed
from sanjeevani.calls.events import PhoneCallAsked, RoomChanged
from sanjeevani.calls.ladder import note_mode
from sanjeevani.calls.models import Mode, PhoneCall, PhoneCallStatus, Room, RoomStatus, Seat
from sanjeevani.calls.queries import newest_phone_call
from sanjeevani.calls.services import seat_of
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.messaging.models import InboxMessage

PATIENCE = datetime.timedelta(minutes=2)
"""So long both wait for the ringing: later it would only startle them."""

TAKING = datetime.timedelta(seconds=15)
"""So long a worker has a call to itself: longer than a bridge is waited for, and shorter than until
the job of a killed worker comes to another."""


@dataclass(frozen=True, slots=True)
class BridgedCall:
    """A call handed to the bridge; its id lets the provider see that it is the same one."""

    id: uuid.UUID
    host_number: str
    guest_number: str


class PhoneBridge(Protocol):
    """What every way to place calls offers."""

    def connect(self, call: BridgedCall) -> str:
        """Ring both sides; return an empty text, or a short code of why not. Never raises."""
        ...


def phone_bridge() -> PhoneBridge | None:
    """Return the bridge that `settings.PHONE_BRIDGE` names, if one does."""
    if not settings.PHONE_BRIDGE:
        return None
    return cast(PhoneBridge, import_string(settings.PHONE_BRIDGE)())


class DevelopmentBridge:
    """Rings nobody: it leaves a line in the development inbox.

    It fails as the real thing does for a mobile that ends in 400400.
    """

    def connect(self, call: BridgedCall) -> str:
        """Store what a bridge would have done."""
        if call.guest_number.endswith("400400"):
            return "http_400"
        InboxMessage.objects.bulk_create(
            [
                InboxMessage(
                    id=call.id,
                    mobile=call.guest_number,
                    text="Your phone rings now: the doctor calls you.",
                    purpose="phone_call",
                    received_at=clock.now(),
                )
            ],
            ignore_conflicts=True,
        )
        return ""


def phone_call_of(room: Room) -> PhoneCall | None:
    """Return the phone call asked for last; one that should ring by now has failed for both."""
    call = newest_phone_call(room.state_id, room.id)
    late = clock.now() - PATIENCE
    if call is not None and call.status == PhoneCallStatus.ASKED and call.asked_at < late:
        call.status = PhoneCallStatus.FAILED
    return call


@verb("calls.ask_phone_call")
def ask_phone_call(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, host_number: str
) -> PhoneCall:
    """The host lets the bridge ring both phones. Pressing twice is once, while it may still ring.

    Raises NotPermitted, RoomClosed, NoPhoneBridge.
    """
    room = Room.objects.get(state_id=state_id, id=room_id)
    if seat_of(actor, room) != Seat.HOST:
        raise NotPermitted
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    if phone_bridge() is None:
        raise NoPhoneBridge
    now = clock.now()
    PhoneCall.objects.filter(
        Q(asked_at__lt=now - PATIENCE) | ~Q(host_account_id=actor.account_id),
        state_id=state_id,
        room_id=room_id,
        status=PhoneCallStatus.ASKED,
    ).update(status=PhoneCallStatus.FAILED, failure="too_late", settled_at=now)
    try:
        with transaction.atomic():
            call = PhoneCall.objects.create(
                state_id=state_id,
                id=uuid7(),
                room_id=room_id,
                host_number=host_number[:100],
                host_account_id=actor.account_id,
                asked_at=now,
            )
    except IntegrityError as error:
        earlier = newest_phone_call(state_id, room_id)
        if "phone_call_one_at_a_time" not in str(error) or earlier is None:
            raise
        concerns(earlier)
        return earlier
    concerns(call)
    publish(PhoneCallAsked(state_id=state_id, room_id=room_id, phone_call_id=call.id))
    return call


@verb("calls.take_phone_call")
def take_phone_call(actor: Actor, *, state_id: int, phone_call_id: uuid.UUID) -> PhoneCall:
    """Leave a call that was asked for to one worker; return it with its room.

    One that nobody waits for any more is settled: the room is closed, the host is another, or it is
    too late. Raises Stale for a call that is settled, or that another worker has.
    """
    now = clock.now()
    taken = PhoneCall.objects.filter(
        Q(taken_at__isnull=True) | Q(taken_at__lt=now - TAKING),
        state_id=state_id,
        id=phone_call_id,
        status=PhoneCallStatus.ASKED,
    ).update(taken_at=now)
    if not taken:
        raise Stale
    call = PhoneCall.objects.select_related("room").get(state_id=state_id, id=phone_call_id)
    failure = ""
    if call.room.status != RoomStatus.OPEN or call.host_account_id != call.room.host_account_id:
        failure = "over"
    elif call.asked_at < now - PATIENCE:
        failure = "too_late"
    if failure:
        call.status = settle_phone_call(
            actor, state_id=state_id, phone_call_id=phone_call_id, failure=failure
        ).status
    concerns(call)
    return call


@verb("calls.settle_phone_call")
def settle_phone_call(
    actor: Actor, *, state_id: int, phone_call_id: uuid.UUID, failure: str
) -> PhoneCall:
    """Write down what the bridge said; a call that rings is the mode from now on.

    Unless the room has closed meanwhile, or the host is another. Raises Stale.
    """
    settled = PhoneCall.objects.filter(
        state_id=state_id, id=phone_call_id, status=PhoneCallStatus.ASKED
    ).update(
        status=PhoneCallStatus.FAILED if failure else PhoneCallStatus.PLACED,
        failure=failure[:40],
        settled_at=clock.now(),
    )
    if not settled:
        raise Stale
    call = PhoneCall.objects.select_related("room").get(state_id=state_id, id=phone_call_id)
    if failure:
        publish(RoomChanged(state_id=state_id, room_id=call.room_id))
    elif call.host_account_id == call.room.host_account_id:
        key: dict[str, Any] = {"state_id": state_id, "room_id": call.room_id}
        with suppress(RoomClosed):
            note_mode(actor, mode=Mode.PHONE, seat=Seat.HOST, **key)
    concerns(call)
    return call
