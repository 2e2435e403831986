"""Reads of rooms."""

import datetime
import hashlib
import time
import uuid
from collections.abc import Iterable, Sequence

from django.db.models import F, Q

from sanjeevani.calls.models import (
    Invitation,
    Message,
    Mode,
    ModeChange,
    PhoneCall,
    Presence,
    Room,
    RoomStatus,
    Seat,
)
from sanjeevani.calls.seats import GATEWAY_SEATS
from sanjeevani.calls.services import RINGING
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.live import Hint

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
        ModeChange.objects.filter(
            Q(host_account_id__isnull=True) | Q(host_account_id=F("room__host_account_id")),
            state_id=given("state_id"),
            room_id=given("room_id"),
        )
        .order_by("id")
        .values_list("mode")
    )
)


def modes_used(state_id: int, room_id: uuid.UUID) -> list[Mode]:
    """Return the modes that a call went through with its present host, in order; the last is now.

    Whom an earlier host saw, this one has not seen.
    """
    return [Mode(mode) for (mode,) in _modes.all(state_id=state_id, room_id=room_id)]


_last_messages = Compiled(
    lambda: (
        Message.objects.filter(state_id=given("state_id"), room_id=given_any("room_ids"))
        .order_by("room_id", "-id")
        .distinct("room_id")
    )
)


def last_messages(state_id: int, room_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Message]:
    """Return what was written last in each room; rooms without a message are left out."""
    newest = _last_messages.all(state_id=state_id, room_ids=list(room_ids))
    return {message.room_id: message for message in newest}


PICTURES = frozenset({Mode.VIDEO, Mode.LOW_VIDEO})
"""The modes in which one saw the other move."""

_CLOSEST = (Mode.VIDEO, Mode.LOW_VIDEO, Mode.AUDIO, Mode.PHONE, Mode.CHAT)


def closest_mode(used: Iterable[Mode]) -> Mode:
    """Return the mode of `used` that is nearest to meeting in person; any picture is video."""
    closest = min(used, key=_CLOSEST.index)
    return Mode.VIDEO if closest in PICTURES else closest


_changes = Compiled(
    lambda: ModeChange.objects.filter(
        state_id=given("state_id"), room_id=given("room_id")
    ).order_by("id")
)


def mode_changes(state_id: int, room_id: uuid.UUID) -> list[ModeChange]:
    """Return all changes of mode, in order, with whichever host."""
    return _changes.all(state_id=state_id, room_id=room_id)


_presences = Compiled(
    lambda: Presence.objects.filter(state_id=given("state_id"), room_id=given("room_id"))
)


def presences(state_id: int, room_id: uuid.UUID) -> dict[Seat, Presence]:
    """Return when each seat was taken and left."""
    found = _presences.all(state_id=state_id, room_id=room_id)
    return {Seat(presence.seat): presence for presence in found}


def is_ringing(room: Room) -> bool:
    """Tell whether the host has just called again, and the guest is not back yet."""
    if room.rung_at is None or clock.now() >= room.rung_at + RINGING:
        return False
    guest = presences(room.state_id, room.id).get(Seat.GUEST)
    return guest is None or guest.left_at is not None


def lost_seats(before: datetime.datetime, limit: int = 200) -> list[Presence]:
    """Return seats lost before this moment that nobody acted on, over all states.

    For the sweeper, inside `across_states`.
    """
    lost = Presence.objects.filter(left_at__lt=before, on_purpose=False, is_noticed=False)
    return list(lost.order_by("left_at")[:limit])


_newest_phone_call = Compiled(
    lambda: PhoneCall.objects.filter(state_id=given("state_id"), room_id=given("room_id")).order_by(
        "-id"
    )[:1]
)


def newest_phone_call(state_id: int, room_id: uuid.UUID) -> PhoneCall | None:
    """Return the phone call asked for last."""
    return _newest_phone_call.first(state_id=state_id, room_id=room_id)


def digest_of(secret: str) -> str:
    """Return what is stored of an invitation's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_invitation(state_id: int, secret: str) -> Invitation | None:
    """Return the invitation that a secret opens, with its room, while it does."""
    return (
        Invitation.objects.select_related("room")
        .filter(
            state_id=state_id,
            digest=digest_of(secret),
            revoked_at__isnull=True,
            expires_at__gt=clock.now(),
            room__status=RoomStatus.OPEN,
        )
        .first()
    )


_invitation = Compiled(
    lambda: Invitation.objects.filter(
        state_id=given("state_id"),
        room_id=given("room_id"),
        revoked_at__isnull=True,
        expires_at__gt=given("now"),
    ).order_by("id")[:1]
)


def invitation_to(state_id: int, room_id: uuid.UUID) -> Invitation | None:
    """Return the invitation to the third seat that is open, if there is one."""
    return _invitation.first(state_id=state_id, room_id=room_id, now=clock.now())


def holds_third(room: Room, account_id: uuid.UUID | None) -> bool:
    """Tell whether an account of the service holds the third seat of a room."""
    return (
        account_id is not None
        and Invitation.objects.filter(
            state_id=room.state_id, room_id=room.id, account_id=account_id, revoked_at__isnull=True
        ).exists()
    )


def snapshot_rooms(state_id: int, room_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Hint]:
    """Ask the screens of rooms to look again; to those of a closed one say that it is closed.

    The gateway is told who sits where: the ticket of who lost a seat is good for minutes.
    """
    at = time.time()
    rooms = Room.objects.filter(state_id=state_id, id__in=room_ids, status=RoomStatus.OPEN)
    hosts = dict(rooms.values_list("id", "host_account_id"))
    thirds = {
        room_id: account_id or invitation_id
        for room_id, account_id, invitation_id in Invitation.objects.filter(
            state_id=state_id, room_id__in=list(hosts), revoked_at__isnull=True
        ).values_list("room_id", "account_id", "id")
    }
    hints = {room_id: Hint(all={"closed": True}, each={}) for room_id in room_ids}
    for room_id, host in hosts.items():
        seats = {
            GATEWAY_SEATS[Seat.HOST]: str(host or ""),
            GATEWAY_SEATS[Seat.THIRD]: str(thirds.get(room_id, "")),
        }
        hints[room_id] = Hint(all={}, each={}, seats=seats, at=at)
    return hints
