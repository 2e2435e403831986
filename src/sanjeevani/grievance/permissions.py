"""Who handles which grievance."""

import uuid
from collections.abc import Sequence

from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.permissions import require_facility_admin, require_state_admin
from sanjeevani.directory.queries import practitioners
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
    if actor.account_id is not None and not past_whom_it_is_about([grievance], actor.account_id):
        raise NotPermitted


def past_whom_it_is_about(found: Sequence[Grievance], account_id: uuid.UUID) -> list[Grievance]:
    """Leave out what is about a consultation that the account itself held as the doctor, and about
    the staff of a spoke where the account itself asked for it."""
    cases = [one.consultation for one in found if one.consultation_id is not None]
    doctors = practitioners(
        {
            (case.practitioner_state_id, case.practitioner_id)
            for case in cases
            if case.practitioner_id is not None
        }
    )
    own = {one.id for one in doctors.values() if one.account_id == account_id}
    return [
        one
        for one in found
        if one.about_account_id != account_id
        and (one.consultation_id is None or one.consultation.practitioner_id not in own)
    ]


def require_handling_post(post: Post, state_id: int) -> None:
    """Let a post pass that handles grievances of a tenant. Raises NotPermitted."""
    if post.role not in HANDLERS or (
        post.role != Role.NATIONAL_ADMIN and post.state_id != state_id
    ):
        raise NotPermitted
