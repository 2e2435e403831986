"""The verbs of the third seat: a specialist or a relative comes by a link, and goes."""

import datetime
import secrets
import uuid

from sanjeevani.calls.errors import InvitationOver, RoomClosed
from sanjeevani.calls.events import RoomChanged
from sanjeevani.calls.models import Invitation, Room, RoomStatus
from sanjeevani.calls.queries import digest_of, open_invitation
from sanjeevani.calls.services import seat_of
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb

VALID = datetime.timedelta(hours=2)
NAME_LENGTH = 60


@verb("calls.invite_third")
def invite_third(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> str:
    """Return the secret of a new link to the third seat; an earlier link ends.

    Raises RoomClosed, NotPermitted.
    """
    room = Room.objects.select_for_update().get(state_id=state_id, id=room_id)
    seat = seat_of(actor, room)
    if room.status != RoomStatus.OPEN:
        raise RoomClosed
    _revoke(room)
    secret = secrets.token_urlsafe(24)
    now = clock.now()
    invitation = Invitation.objects.create(
        state_id=state_id,
        id=uuid7(),
        room_id=room_id,
        digest=digest_of(secret),
        seat=seat,
        made_at=now,
        expires_at=now + VALID,
    )
    concerns(invitation)
    publish(RoomChanged(state_id=state_id, room_id=room_id))
    return secret


@verb("calls.revoke_third")
def revoke_third(actor: Actor, *, state_id: int, room_id: uuid.UUID) -> None:
    """Take the link back; whoever came by it is out within two minutes."""
    room = Room.objects.get(state_id=state_id, id=room_id)
    seat_of(actor, room)
    _revoke(room)
    concerns(room)
    publish(RoomChanged(state_id=state_id, room_id=room_id))


def _revoke(room: Room) -> None:
    Invitation.objects.filter(
        state_id=room.state_id, room_id=room.id, revoked_at__isnull=True
    ).update(revoked_at=clock.now())


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
