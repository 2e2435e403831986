"""Reads of rooms."""

import uuid

from sanjeevani.calls.models import Message, Mode, ModeChange


def messages_in(state_id: int, room_id: uuid.UUID) -> list[Message]:
    """Return what was written, in order."""
    return list(Message.objects.filter(state_id=state_id, room_id=room_id).order_by("id"))


def modes_used(state_id: int, room_id: uuid.UUID) -> list[Mode]:
    """Return the modes a call went through, in order; the present one is last."""
    return [
        Mode(mode)
        for mode in ModeChange.objects.filter(state_id=state_id, room_id=room_id)
        .order_by("id")
        .values_list("mode", flat=True)
    ]
