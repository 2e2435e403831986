"""Reads of rooms."""

import uuid

from sanjeevani.calls.models import Message, Mode, ModeChange, Room


def messages_in(state_id: int, room_id: uuid.UUID) -> list[Message]:
    """Return what was written, in order."""
    return list(Message.objects.filter(state_id=state_id, room_id=room_id).order_by("id"))


def modes_used(state_id: int, room_id: uuid.UUID) -> list[Mode]:
    """Return the modes a call went through, in order; the present one is last."""
    changes = list(
        ModeChange.objects.filter(state_id=state_id, room_id=room_id)
        .order_by("id")
        .values_list("mode", flat=True)
    )
    return [Mode(mode) for mode in changes] or [
        Mode(Room.objects.values_list("mode", flat=True).get(state_id=state_id, id=room_id))
    ]
