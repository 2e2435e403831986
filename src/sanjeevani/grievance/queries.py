"""Reads of grievances."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.queries import Part, states_without_administrator
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.grievance.models import (
    WAITING_FOR_US,
    Grievance,
    GrievanceStatus,
    GrievanceStep,
)
from sanjeevani.grievance.permissions import (
    PAST_THE_FACILITY,
    past_whom_it_is_about,
    require_handler,
    require_handling_post,
)
from sanjeevani.grievance.services import REOPEN_DAYS, by_number


@dataclass(frozen=True)
class Progress:
    """What whoever has the number may see: never the complaint itself, nor who wrote it."""

    number: str
    kind: str
    status: str
    received_at: datetime.datetime
    due_at: datetime.datetime
    answer: str
    answered_at: datetime.datetime | None
    waits_for_us: bool
    can_reopen: bool


def progress_of(number: str) -> Progress:
    """Return how far a grievance has come. Raises NumberUnknown."""
    found = by_number(number)
    since = clock.now() - datetime.timedelta(days=REOPEN_DAYS)
    return Progress(
        found.number,
        found.get_kind_display(),
        found.status,
        found.received_at,
        found.due_at,
        found.answer,
        found.answered_at,
        found.waits_for_us,
        can_reopen=not found.waits_for_us
        and found.answered_at is not None
        and found.answered_at >= since,
    )


def to_handle(
    post: Post, state_id: int, *, start: int, size: int, settled: bool = False
) -> Part[Grievance]:
    """Return grievances of a tenant that the post handles, the first due first.

    None that is about its holder. National's are also those of states that nobody administers.
    `settled`: those answered or closed instead, the newest first. Raises NotPermitted.
    """
    rows = _handled_by(post, state_id)
    if settled:
        rows = rows.exclude(status__in=WAITING_FOR_US).order_by("-answered_at", "-id")
    else:
        rows = rows.filter(status__in=WAITING_FOR_US).order_by("due_at", "id")
    rows = past_whom_it_is_about(rows, post.account_id)
    return Part(list(rows.select_related("facility")[start : start + size]), rows.count())


def _handled_by(post: Post, state_id: int) -> QuerySet[Grievance]:
    require_handling_post(post, state_id)
    tenants = [state_id, *states_without_administrator()] if state_id == NATIONAL else [state_id]
    rows = Grievance.objects.filter(state_id__in=tenants)
    if post.role == Role.FACILITY_ADMIN:
        rows = rows.filter(facility_id=post.facility_id).exclude(kind__in=PAST_THE_FACILITY)
    return rows


@dataclass(frozen=True)
class Reading:
    """A grievance with its steps, for its handler."""

    grievance: Grievance
    steps: list[GrievanceStep]


def read(actor: Actor, state_id: int, grievance_id: uuid.UUID) -> Reading:
    """Return a grievance for its handler, and audit the reading. Raises NotFound, NotPermitted."""
    grievance = (
        Grievance.objects.select_related("facility", "consultation")
        .filter(state_id=state_id, id=grievance_id)
        .first()
    )
    if grievance is None:
        raise NotFound
    require_handler(actor, grievance)
    consultation = grievance.consultation
    write_audit(
        actor,
        "grievance.read",
        concern_of(grievance, patient_id=consultation.patient_id if consultation else None),
    )
    return Reading(
        grievance,
        list(
            GrievanceStep.objects.filter(state_id=state_id, grievance_id=grievance_id).order_by(
                "id"
            )
        ),
    )


def numbers_to_close(before: datetime.datetime, limit: int = 200) -> list[str]:
    """Return the numbers answered before then and not disputed; inside `across_states`."""
    return list(
        Grievance.objects.filter(status=GrievanceStatus.ANSWERED, answered_at__lt=before)
        .order_by("answered_at")
        .values_list("number", flat=True)[:limit]
    )
