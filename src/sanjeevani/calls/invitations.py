"""The verbs of the third seat: a relative comes by a link, a colleague by name, and goes."""

import datetime
import secrets
import uuid
from typing import Any

from django.db.models import QuerySet

from sanjeevani.calls.errors import InvitationOver, RoomClosed, ThirdSeatTaken
from sanjeevani.calls.events import RoomChanged
from sanjeevani.calls.models import Invitation, Room, RoomStatus, Seat
from sanjeevani.calls.queries import digest_of, open_invitation
from sanjeevani.calls.services import seat_of
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.link_secrets import secret_from
from sanjeevani.foundation.verbs import concerns, publish, verb

VALID = datetime.timedelta(hours=2)
NAME_LENGTH = 60


@verb("calls.invite_third")
def invite_third(
    actor: Actor, *, state_id: int, room_id: uuid.UUID, request_key: uuid.UUID | None = None
) -> str:
    """Return the secret of a new link to the third seat; an earlier link ends.

    With a `request_key` it is `third_secret`. Raises RoomClosed, NotPermitted,
    ThirdSeatTaken.
    """
    room = Room.objects.select_for_update().get(state_id=state_id, id=room_id)
    seat = seat_of(actor, room)
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    if _open(room).filter(account_id__isnull=False).exists():
        raise ThirdSeatTaken
    secret = third_secret(room_id, request_key) if request_key else secrets.token_urlsafe(24)
    _invite(room, secret, seat=seat, expires_at=clock.now() + VALID)
    return secret


def third_secret(room_id: uuid.UUID, request_key: uuid.UUID) -> str:
    """Return the secret of a link to the third seat made with a key."""
    return secret_from("calls.invite", room_id, request_key)


@verb("calls.seat_third")
def seat_third(
    actor: Actor,
    *,
    state_id: int,
    room_id: uuid.UUID,
    account_id: uuid.UUID,
    name: str,
    until: datetime.datetime,
) -> None:
    """Give the third seat to an account by name; a link to it ends. Raises RoomClosed.

    The caller knows why the account may sit there.
    """
    room = Room.objects.select_for_update().get(state_id=state_id, id=room_id)
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    _invite(
        room,
        secrets.token_urlsafe(24),
        seat=Seat.HOST,
        expires_at=until,
        account_id=account_id,
        name=name,
        joined_at=clock.now(),
    )


@verb("calls.free_third")
def free_third(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> None:
    """Free the third seat of the account that holds it; the caller knows why."""
    room = Room.objects.get(state_id=state_id, id=room_id)
    _revoke(_open(room).filter(account_id__isnull=False))
    concerns(room)
    publish(RoomChanged(state_id=state_id, room_id=room_id))


@verb("calls.revoke_third")
def revoke_third(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> None:
    """Take the link back; whoever came by it is out within two minutes."""
    room = Room.objects.get(state_id=state_id, id=room_id)
    seat_of(actor, room)
    _revoke(_open(room).filter(account_id__isnull=True))
    concerns(room)
    publish(RoomChanged(state_id=state_id, room_id=room_id))


def _open(room: Room) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        state_id=room.state_id, room_id=room.id, revoked_at__isnull=True
    )


def _revoke(invitations: QuerySet[Invitation]) -> None:
    invitations.update(revoked_at=clock.now())


def _invite(room: Room, secret: str, **more: Any) -> None:
    """Let one invitation to a locked room be open, this one."""
    _revoke(_open(room))
    invitation = Invitation.objects.create(
        state_id=room.state_id,
        id=uuid7(),
        room_id=room.id,
        digest=digest_of(secret),
        made_at=clock.now(),
        **more,
    )
    concerns(invitation)
    publish(RoomChanged(state_id=room.state_id, room_id=room.id))


@verb("calls.join_third")
def join_third(actor: Actor, *, state_id: int, secret: str, name: str) -> Invitation:
    """Take the third seat under a name that both others see. Raises InvitationOver."""
    invitation = open_invitation(state_id, secret)
    if invitation is None:
        raise InvitationOver
    invitation.name, invitation.joined_at = name[:NAME_LENGTH], clock.now()
    Invitation.objects.filter(state_id=state_id, id=invitation.id).update(
        name=invitation.name, joined_at=invitation.joined_at
    )
    concerns(invitation)
    publish(RoomChanged(state_id=state_id, room_id=invitation.room_id))
    return invitation
