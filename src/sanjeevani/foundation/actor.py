"""Who acts: the first argument of every verb."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What sort of actor stands behind a change."""

    PERSON = "person"
    STAFF = "staff"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in account, the post it acts in, and the address it acts from.

    `spoke_id` is the place, in `state_id`, whose people the post's holder sits beside.
    """

    kind: ActorKind
    account_id: uuid.UUID | None = None
    post_id: uuid.UUID | None = None
    state_id: int = 0
    address: str | None = None
    spoke_id: uuid.UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
