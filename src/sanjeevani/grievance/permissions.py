"""Who handles which grievance."""

from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.permissions import require_facility_admin, require_state_admin
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.grievance.models import Grievance, GrievanceKind

PAST_THE_FACILITY = frozenset({GrievanceKind.PRIVACY, GrievanceKind.SAFETY})
"""Kinds that may be about the very people who run the facility."""

HANDLERS = (Role.FACILITY_ADMIN, Role.STATE_ADMIN, Role.NATIONAL_ADMIN)


def require_handler(actor: Actor, grievance: Grievance) -> None:
    """Let those pass who may read and answer the grievance. Raises NotPermitted."""
    if grievance.facility_id is None or grievance.kind in PAST_THE_FACILITY:
        require_state_admin(actor, grievance.state_id)
    else:
        require_facility_admin(actor, grievance.state_id, grievance.facility_id)


def require_handling_post(post: Post, state_id: int) -> None:
    """Let a post pass that handles grievances of a tenant. Raises NotPermitted."""
    if post.role not in HANDLERS or (
        post.role != Role.NATIONAL_ADMIN and post.state_id != state_id
    ):
        raise NotPermitted
