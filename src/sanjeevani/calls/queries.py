"""Reads of rooms."""

import uuid
from collections.abc import Iterable

from sanjeevani.calls.models import Message, Mode, ModeChange
from sanjeevani.foundation.compiled import Compiled, given

_messages = Compiled(
    lambda: Message.objects.filter(state_id=given("state_id"), room_id=given("room_id")).order_by(
        "id"
    )
)


def messages_in(
    state_id: int, room_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int | None = None
) -> list[Message]:
    """Return what was written, in order; `after`: only what came later than this message."""
    if after is None and limit is None:
        return _messages.all(state_id=state_id, room_id=room_id)
    messages = Message.objects.filter(state_id=state_id, room_id=room_id)
    if after is not None:
        messages = messages.filter(id__gt=after)
    return list(messages.order_by("id")[:limit])


_modes = Compiled(
    lambda: (
        ModeChange.objects.filter(state_id=given("state_id"), room_id=given("room_id"))
        .order_by("id")
        .values_list("mode")
    )
)


def modes_used(state_id: int, room_id: uuid.UUID) -> list[Mode]:
    """Return the modes a call went through, in order; the present one is last."""
    return [Mode(mode) for (mode,) in _modes.all(state_id=state_id, room_id=room_id)]


def last_messages(state_id: int, room_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Message]:
    """Return what was written last in each room; rooms without a message are left out."""
    newest = (
        Message.objects.filter(state_id=state_id, room_id__in=list(room_ids))
        .order_by("room_id", "-id")
        .distinct("room_id")
    )
    return {message.room_id: message for message in newest}
