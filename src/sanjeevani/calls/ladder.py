"""The verbs of the ladder: a step down is anyone's, a step up asks the other side."""

import uuid
from typing import Any

from sanjeevani.calls.errors import RoomClosed
from sanjeevani.calls.events import RoomChanged
from sanjeevani.calls.models import Mode, Room, RoomStatus, Seat
from sanjeevani.calls.services import record_mode, seat_of
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.verbs import concerns, publish, verb

_HEIGHT = {Mode.VIDEO: 3, Mode.LOW_VIDEO: 2, Mode.AUDIO: 1, Mode.CHAT: 0, Mode.PHONE: 0}


def is_lower(mode: str, than: str) -> bool:
    """Tell whether a mode sends less than another one."""
    return _HEIGHT[Mode(mode)] < _HEIGHT[Mode(than)]


@verb("calls.change_mode")
def change_mode(actor: Actor, *, state_id: int, room_id: uuid.UUID, mode: Mode) -> Room:
    """Step by hand. Down holds at once; up, and to the phone, asks the other side.

    Whoever asks for what the other side has asked for agrees to it. A phone call itself is placed
    by `phone.ask_phone_call`. Raises RoomClosed, NotPermitted.
    """
    room = _open_room(state_id, room_id)
    seat = seat_of(actor, room)
    concerns(room)
    agreed = room.asked_mode == mode and room.asked_seat != seat
    changes: dict[str, Any]
    if mode == Mode.PHONE or (is_lower(room.ceiling, mode) and not agreed):
        changes = {"asked_mode": mode, "asked_seat": seat}
    else:
        changes = {"ceiling": mode, "asked_mode": "", "asked_seat": "", "rung_at": None}
        if is_lower(mode, room.mode) or (mode == Mode.CHAT and room.mode == Mode.PHONE):
            changes["mode"] = mode
            record_mode(room, mode, seat)
    return _change(room, **changes)


@verb("calls.decline_mode")
def decline_mode(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> Room:
    """Say no to what the other side asks for, or take the own question back."""
    room = _open_room(state_id, room_id)
    seat_of(actor, room)
    concerns(room)
    return _change(room, asked_mode="", asked_seat="")


@verb("calls.note_mode")
def note_mode(actor: Actor, *, state_id: int, room_id: uuid.UUID, mode: Mode, seat: Seat) -> Room:
    """Write down that the mode has changed by itself, as the page at `seat` saw it.

    Only machines report this. Raises NotPermitted, RoomClosed, and Stale when both have agreed to
    less meanwhile.
    """
    if actor.kind != ActorKind.SYSTEM:
        raise NotPermitted
    room = _open_room(state_id, room_id)
    concerns(room)
    if room.mode != mode:
        if mode != Mode.PHONE and is_lower(room.ceiling, mode):
            raise Stale
        record_mode(room, mode, seat, automatic=True)
    if mode == Mode.PHONE:
        return _change(room, mode=mode, ceiling=mode, asked_mode="", asked_seat="")
    return _change(room, mode=mode)


def _open_room(state_id: int, room_id: uuid.UUID) -> Room:
    room = Room.objects.select_for_update().get(state_id=state_id, id=room_id)
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    return room


def _change(room: Room, **changes: object) -> Room:
    if any(getattr(room, name) != value for name, value in changes.items()):
        Room.objects.filter(state_id=room.state_id, id=room.id).update(**changes)
        for name, value in changes.items():
            setattr(room, name, value)
        publish(RoomChanged(state_id=room.state_id, room_id=room.id))
    return room
