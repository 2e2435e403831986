"""Phone call-backs: a port to a bridge that rings both sides, so that nobody sees a number."""

import uuid
from dataclasses import dataclass
from typing import Protocol, cast

from django.conf import settings
from django.db import IntegrityError, transaction
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


@verb("calls.ask_phone_call")
def ask_phone_call(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, host_number: str
) -> PhoneCall:
    """The host lets the bridge ring both phones. Pressing twice is once.

    Raises NotPermitted, RoomClosed, NoPhoneBridge.
    """
    room = Room.objects.get(state_id=state_id, id=room_id)
    if seat_of(actor, room) != Seat.HOST:
        raise NotPermitted
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    if phone_bridge() is None:
        raise NoPhoneBridge
    try:
        with transaction.atomic():
            call = PhoneCall.objects.create(
                state_id=state_id,
                id=uuid7(),
                room_id=room_id,
                host_number=host_number[:100],
                asked_at=clock.now(),
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


@verb("calls.settle_phone_call")
def settle_phone_call(
    actor: Actor, *, state_id: int, phone_call_id: uuid.UUID, failure: str
) -> PhoneCall:
    """Write down what the bridge said; a call that rings is the mode from now on. Raises Stale."""
    settled = PhoneCall.objects.filter(
        state_id=state_id, id=phone_call_id, status=PhoneCallStatus.ASKED
    ).update(
        status=PhoneCallStatus.FAILED if failure else PhoneCallStatus.PLACED,
        failure=failure[:40],
        settled_at=clock.now(),
    )
    if not settled:
        raise Stale
    call = PhoneCall.objects.get(state_id=state_id, id=phone_call_id)
    if failure:
        publish(RoomChanged(state_id=state_id, room_id=call.room_id))
    else:
        note_mode(actor, state_id=state_id, room_id=call.room_id, mode=Mode.PHONE, seat=Seat.HOST)
    concerns(call)
    return call
