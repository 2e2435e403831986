"""The verbs of a room."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.errors import RoomClosed
from sanjeevani.calls.events import AnswerWritten, MessageSent, RoomChanged
from sanjeevani.calls.models import (
    SPEAKING,
    Invitation,
    Message,
    Mode,
    ModeChange,
    Room,
    RoomStatus,
    Seat,
)
from sanjeevani.calls.states import ROOM_MOVES
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import Invalid, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept, update_where
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb

MESSAGE_LENGTH = 2000

RINGING = datetime.timedelta(seconds=45)
"""So long a page rings when the host calls a guest again."""


@dataclass(frozen=True)
class CheckResult:
    """What a device could do: `works`, `refused`, `missing`, `busy`, `unheard` or `untried` each.

    `link` is the rung that the line seems good for, or empty.
    """

    microphone: str
    camera: str
    speaker: str
    link: str


@verb("calls.open_room")
def open_room(actor: Actor, *, state_id: int, guest_account_id: uuid.UUID, mode: Mode) -> Room:
    """Open a room; the guest may write in it from now on."""
    room = Room.objects.create(
        state_id=state_id,
        id=uuid7(),
        mode=mode,
        guest_account_id=guest_account_id,
        opened_at=clock.now(),
    )
    record_mode(room, mode, Seat.GUEST)
    concerns(room)
    return room


def record_mode(room: Room, mode: Mode, seat: Seat, *, automatic: bool = False) -> None:
    """Write down that the mode is now this one; part of the verbs that change it."""
    ModeChange.objects.create(
        state_id=room.state_id,
        id=uuid7(),
        room_id=room.id,
        mode=mode,
        at=clock.now(),
        seat=seat,
        automatic=automatic,
        host_account_id=room.host_account_id,
    )


@verb("calls.seat_host")
def seat_host(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, account_id: uuid.UUID | None
) -> None:
    """Give the host's seat to an account, or free it with None.

    Then nobody speaks any more, and a link that the host made ends.
    """
    if account_id is None:
        _end_speaking(state_id, room_id)
        Invitation.objects.filter(
            state_id=state_id, room_id=room_id, seat=Seat.HOST, revoked_at__isnull=True
        ).update(revoked_at=clock.now())
    update_where(
        Room,
        {"state_id": state_id, "id": room_id},
        host_account_id=account_id,
        asked_mode="",
        asked_seat="",
        rung_at=None,
    )
    concerns(Room(state_id=state_id, id=room_id))
    publish(RoomChanged(state_id=state_id, room_id=room_id))


def _end_speaking(state_id: int, room_id: uuid.UUID) -> None:
    room = Room.objects.select_for_update(no_key=True).get(state_id=state_id, id=room_id)
    if room.mode != Mode.CHAT:
        record_mode(room, Mode.CHAT, Seat.HOST, automatic=True)
    Room.objects.filter(state_id=state_id, id=room_id).update(
        mode=Mode.CHAT,
        # With the next host a call is a call again; but who chose sound only is not filmed.
        ceiling=room.ceiling if room.ceiling in SPEAKING else Mode.VIDEO,
    )


def seat_of(actor: Actor, room: Room) -> Seat:
    """Return the actor's seat. Raises NotPermitted for anyone without one.

    The guest is an account, or a spoke: then whoever of its staff sits beside the patient.
    """
    if actor.account_id is not None:
        if room.guest_account_id in (actor.account_id, actor.spoke_id):
            return Seat.GUEST
        if actor.account_id == room.host_account_id:
            return Seat.HOST
    raise NotPermitted


_messages = Kept(Message, key=("state_id", "room_id", "client_key"))


_room_locked = Compiled(
    lambda: Room.objects.select_for_update(no_key=True).filter(
        state_id=given("state_id"), id=given("id")
    )
)


@verb("calls.send_message")
def send_message(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, text: str, client_key: uuid.UUID
) -> Message:
    """Write in a room. The same words under the same `client_key` again return the first message.

    Other words under it are a message of their own: the first arrived, but its answer was lost,
    and who wrote it has changed it before sending it again.

    Raises RoomClosed, NotPermitted, Invalid.
    """
    # Locked, so that messages are seen in the order of their ids: who reads on after the newest
    # one would miss another that is made before it and stored after it.
    room = _room_locked.first(state_id=state_id, id=room_id)
    if room is None:
        raise Room.DoesNotExist
    seat = seat_of(actor, room)
    text = text.strip()
    if not text:
        raise Invalid(_("Write something first."), field="text")
    if len(text) > MESSAGE_LENGTH:
        raise Invalid(
            _("This message is too long. Please split it into shorter ones."), field="text"
        )
    if room.status == RoomStatus.CLOSED:
        raise RoomClosed
    if (
        room.status == RoomStatus.QUESTIONS
        and room.questions_until is not None
        and clock.now() > room.questions_until
    ):
        raise RoomClosed
    message = Message(
        state_id=state_id,
        room_id=room_id,
        client_key=client_key,
        seat=seat,
        text=text,
        sent_at=clock.now(),
    )
    added = _messages.add(message)
    if not added:
        first = Message.objects.get(state_id=state_id, room_id=room_id, client_key=client_key)
        if (first.seat, first.text) == (seat, text):
            message = first
        else:
            message.client_key = uuid.uuid5(client_key, text)
            added = _messages.add(message)
            if not added:
                message = Message.objects.get(
                    state_id=state_id, room_id=room_id, client_key=message.client_key
                )
    if added:
        publish(MessageSent(state_id=state_id, room_id=room_id, seat=seat))
        if room.status == RoomStatus.QUESTIONS and seat == Seat.HOST:
            publish(AnswerWritten(state_id=state_id, room_id=room_id, message_id=message.id))
    concerns(message)
    return message


@verb("calls.leave_for_questions")
def leave_for_questions(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, until: datetime.datetime
) -> None:
    """End the call; the guest may still ask until then."""
    move(
        Room,
        ROOM_MOVES,
        state_id=state_id,
        id=room_id,
        to=RoomStatus.QUESTIONS,
        questions_until=until,
    )
    concerns(Room(state_id=state_id, id=room_id))
    publish(RoomChanged(state_id=state_id, room_id=room_id))


@verb("calls.ring")
def ring(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> bool:
    """The host rings a guest who is away; whether it rings anew.

    What both agreed to stands: who chose sound only is not filmed. Where they do not speak, ringing
    asks the guest for a picture, or agrees to the call that the guest asks for.

    Raises NotPermitted, RoomClosed.
    """
    room = Room.objects.select_for_update().get(state_id=state_id, id=room_id)
    concerns(room)
    if seat_of(actor, room) != Seat.HOST:
        raise NotPermitted
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    if room.rung_at is not None and clock.now() < room.rung_at + RINGING:
        return False
    changes: dict[str, Any] = {"asked_mode": "", "asked_seat": ""}
    if room.asked_seat == Seat.GUEST and room.asked_mode in SPEAKING:
        changes["ceiling"] = room.asked_mode
    elif room.ceiling not in SPEAKING:
        changes = {"asked_mode": Mode.VIDEO, "asked_seat": Seat.HOST}
    Room.objects.filter(state_id=state_id, id=room_id).update(rung_at=clock.now(), **changes)
    publish(RoomChanged(state_id=state_id, room_id=room_id))
    return True


@verb("calls.note_check")
def note_check(actor: Actor, *, state_id: int, room_id: uuid.UUID, result: CheckResult) -> None:
    """Keep what the guest's device could do before the call. Raises NotPermitted, RoomClosed."""
    room = Room.objects.get(state_id=state_id, id=room_id)
    concerns(room)
    if seat_of(actor, room) != Seat.GUEST:
        raise NotPermitted
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    Room.objects.filter(state_id=state_id, id=room_id).update(check_result=vars(result))
    publish(RoomChanged(state_id=state_id, room_id=room_id))


@verb("calls.tell_seats")
def tell_seats(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> None:
    """Tell the gateway again who sits where: it has let somebody in who may not.

    It forgets when it is started anew, while the ticket of who lost a seat is good for minutes.
    Only machines find this out. Raises NotPermitted.
    """
    if actor.kind != ActorKind.SYSTEM:
        raise NotPermitted
    concerns(Room(state_id=state_id, id=room_id))
    publish(RoomChanged(state_id=state_id, room_id=room_id))


@verb("calls.close_room")
def close_room(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> None:
    """Close a room for good."""
    move(Room, ROOM_MOVES, state_id=state_id, id=room_id, to=RoomStatus.CLOSED)
    concerns(Room(state_id=state_id, id=room_id))
    publish(RoomChanged(state_id=state_id, room_id=room_id))
