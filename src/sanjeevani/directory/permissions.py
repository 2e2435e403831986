"""Who may run what: national administrators everything, state administrators their state,
facility administrators their facility."""

import uuid
from collections.abc import Collection
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import BESIDE_THE_PATIENT, Post, Role
from sanjeevani.directory.queries import acting_post
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotFound, NotPermitted

GIVEN_BY_NATION = frozenset({Role.NATIONAL_ADMIN, Role.STATE_ADMIN})
GIVEN_BY_STATE = frozenset({Role.FACILITY_ADMIN, Role.OBSERVER})


def require_post(
    account_id: uuid.UUID, state_id: int, post_id: uuid.UUID, roles: Collection[str] = ()
) -> Post:
    """Return the account's post, in one of the roles if any are given.

    Raises NotFound for a post that has ended, NotPermitted for another role or somebody else's.
    """
    post = acting_post(state_id, post_id)
    if post.account_id != account_id or (roles and post.role not in roles):
        raise NotPermitted
    return post


def in_post(actor: Actor, post: Post) -> Actor:
    """Return the actor as who holds the post: at a spoke, beside its patients."""
    return replace(actor, spoke_id=post.facility_id) if is_beside_patients(post) else actor


def is_beside_patients(post: Post) -> bool:
    """Tell whether the holder of a post sits beside the patients of a spoke."""
    return post.role in BESIDE_THE_PATIENT and bool(post.facility.is_spoke)


def require_beside_patients(actor: Actor) -> None:
    """Let those pass who sit beside the patients of a spoke. Raises NotPermitted.

    Doctors hold posts at facilities that are no spokes as well.
    """
    if actor.spoke_id is None:
        raise NotPermitted(_("This facility is not a spoke. Choose another post."))


def require_national_admin(actor: Actor) -> None:
    """Let national administrators pass. Raises NotPermitted."""
    if actor.kind != ActorKind.SYSTEM and _post_of(actor).role != Role.NATIONAL_ADMIN:
        raise NotPermitted


def require_state_admin(actor: Actor, state_id: int) -> None:
    """Let administrators of the state pass, and national ones. Raises NotPermitted."""
    if actor.kind != ActorKind.SYSTEM and not runs_state(_post_of(actor), state_id):
        raise NotPermitted


def require_facility_admin(
    actor: Actor, state_id: int, facility_id: uuid.UUID | None = None
) -> None:
    """Let administrators of the facility pass, and those above; without one, of any facility of
    the state. Raises NotPermitted."""
    if actor.kind != ActorKind.SYSTEM and not runs_facility(_post_of(actor), state_id, facility_id):
        raise NotPermitted


def require_may_appoint(actor: Actor, role: str, state_id: int, facility_id: uuid.UUID) -> None:
    """Let those pass who may give the role at the facility, and take it away."""
    if actor.kind != ActorKind.SYSTEM and not may_give(
        _post_of(actor), role, state_id, facility_id
    ):
        raise NotPermitted


def require_may_appoint_all(actor: Actor, posts: Collection[tuple[str, int, uuid.UUID]]) -> None:
    """Let those pass who may give all the posts `(role, state_id, facility_id)`."""
    if actor.kind == ActorKind.SYSTEM:
        return
    own = _post_of(actor)
    if not all(may_give(own, *post) for post in posts):
        raise NotPermitted


def may_give(post: Post, role: str, state_id: int, facility_id: uuid.UUID) -> bool:
    """Tell whether the holder of a post may give a role at a facility, and take it away."""
    if role in GIVEN_BY_NATION:
        return post.role == Role.NATIONAL_ADMIN
    if role in GIVEN_BY_STATE:
        return runs_state(post, state_id)
    return runs_facility(post, state_id, facility_id)


def require_at_spoke(actor: Actor, roles: Collection[str]) -> Post:
    """Let those pass who act in one of the roles at a spoke; return their post.

    Raises NotPermitted.
    """
    post = _post_of(actor)
    if post.role not in roles or not post.facility.is_spoke:
        raise NotPermitted
    return post


def runs_state(post: Post, state_id: int) -> bool:
    """Tell whether the holder of a post administers the state."""
    return post.role == Role.NATIONAL_ADMIN or (
        post.role == Role.STATE_ADMIN and post.state_id == state_id
    )


def runs_facility(post: Post, state_id: int, facility_id: uuid.UUID | None = None) -> bool:
    """Tell whether the holder of a post administers the facility, or any of the state."""
    return runs_state(post, state_id) or (
        post.role == Role.FACILITY_ADMIN
        and post.state_id == state_id
        and facility_id in (None, post.facility_id)
    )


def _post_of(actor: Actor) -> Post:
    if actor.kind != ActorKind.STAFF or actor.post_id is None:
        raise NotPermitted
    try:
        post = acting_post(actor.state_id, actor.post_id)
    except NotFound:
        raise NotPermitted from None
    if post.account_id != actor.account_id:
        raise NotPermitted
    return post
