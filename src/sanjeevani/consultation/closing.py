"""The verbs by which an OPD closes and a doctor leaves, without losing who waits or talks."""

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation import transfers
from sanjeevani.directory import services as directory
from sanjeevani.directory.models import Line
from sanjeevani.directory.permissions import require_facility_admin
from sanjeevani.directory.queries import (
    acting_post,
    clinical_posts_of,
    lines_by_id,
    practitioners_by_id,
)
from sanjeevani.directory.queries import clinic as clinic_by_id
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.queueing.queries import live_token_of, waiting_in
from sanjeevani.roster.queries import assigned_lines, serving
from sanjeevani.roster.services import unassign


class WithPatient(DomainError):
    """The doctor has a live consultation, which nobody may break off."""

    status = 409
    message = _(
        "This doctor is with a patient. Take the doctor off the OPDs now, so that nobody new is"
        " called, and end the post when the consultation is over."
    )


@dataclass(frozen=True)
class Settled:
    """What became of those who waited: taken to another OPD, or told to come again."""

    moved: int
    told: int


@verb("consultation.close_clinic")
def close_clinic(actor: Actor, *, state_id: int, clinic_id: uuid.UUID) -> Settled:
    """Close a clinic for good. Who waits is moved with the waiting time, or told.

    Consultations that are going on are finished by their doctors. Raises AlreadyClosed.
    """
    clinic = clinic_by_id(state_id, clinic_id)
    require_facility_admin(actor, state_id, clinic.facility_id)
    directory.close_clinic(actor, state_id=state_id, clinic_id=clinic_id)
    lanes = Line.objects.filter(state_id=state_id, parent_id=clinic.line_id)
    for lane in lanes:
        for token_id in waiting_in(state_id, lane.id):
            transfers.to_pool(SYSTEM, state_id=state_id, token_id=token_id)
    moved = told = 0
    for token_id in waiting_in(state_id, clinic.line_id):
        if transfers.move_on(SYSTEM, state_id=state_id, token_id=token_id):
            moved += 1
        else:
            transfers.send_home(SYSTEM, state_id=state_id, token_id=token_id)
            told += 1
    doctors = serving([clinic.line_id])[clinic.line_id]
    for practitioner in practitioners_by_id(doctors).values():
        unassign(SYSTEM, practitioner=practitioner, line=clinic.line)
    concerns(clinic)
    return Settled(moved, told)


@verb("consultation.end_post")
def end_post(actor: Actor, *, state_id: int, post_id: uuid.UUID) -> None:
    """End a post; a doctor's lines of that facility go with it, or all with the last post.

    Raises WithPatient, Stale.
    """
    post = acting_post(state_id, post_id)
    directory.end_post(actor, state_id=state_id, post_id=post_id)
    if post.practitioner_id is not None:
        if live_token_of(post.practitioner_id) is not None:
            raise WithPatient
        stays = bool(clinical_posts_of(state_id, post.practitioner_id))
        for line in lines_by_id(assigned_lines(post.practitioner_id)).values():
            # A lane goes with the line that it belongs to.
            if line.parent_id is None and not (stays and line.facility_id != post.facility_id):
                unassign(SYSTEM, practitioner=post.practitioner, line=line)
    concerns(post)
