"""Reads of grievances."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from sanjeevani.consultation.conduct import reported_in
from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.queries import (
    Part,
    everywhere,
    posts_of,
    practitioner_names,
)
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import NATIONAL, across_states
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.grievance.models import (
    WAITING_FOR_US,
    Grievance,
    GrievanceKind,
    GrievanceStatus,
    GrievanceStep,
    HandlerTold,
)
from sanjeevani.grievance.permissions import (
    HANDLERS,
    PAST_THE_FACILITY,
    left_to_the_nation,
    past_whom_it_is_about,
    require_handler,
    require_handling_post,
)
from sanjeevani.grievance.services import REOPEN_DAYS, REOPENED_DUE_DAYS, by_number
from sanjeevani.patients.queries import readers_because_of


@dataclass(frozen=True)
class Progress:
    """What whoever has the number may see: never the complaint itself, nor who wrote it."""

    number: str
    kind: str
    kind_name: str
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
        found.kind,
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

    None that is about its holder. National's are also those of states that nobody administers,
    and those that are about all who administer their state.
    `settled`: those answered or closed instead, the newest first. Raises NotPermitted.
    """
    rows = _handled_by(post, state_id)
    if settled:
        rows = rows.exclude(status__in=WAITING_FOR_US).order_by("-answered_at", "-id")
    else:
        rows = rows.filter(status__in=WAITING_FOR_US).order_by("due_at", "id")
    rows = past_whom_it_is_about(rows, post.account_id)
    return Part(list(rows.select_related("facility")[start : start + size]), rows.count())


SOON = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """How many complaints wait for somebody's answer: all, those that came in since they were last
    told and that nobody looks into yet, those due within a day, and those overdue."""

    count: int
    new: int
    soon: int
    overdue: int


def waiting_for(post: Post, state_id: int) -> Waiting:
    """Count what waits in a tenant for the holder of a post. Raises NotPermitted."""
    return _count(_waiting_for(post, state_id), None)


def waiting_for_account(account_id: uuid.UUID) -> Waiting:
    """Count what waits for somebody in all their posts, each complaint once."""
    told = HandlerTold.objects.filter(id=account_id).first()
    found = {
        one.id: one
        for post in posts_of(account_id)
        if post.role in HANDLERS
        for one in _waiting_for(post, post.state_id)
    }
    return _count(found.values(), told.told_at if told else None)


def _waiting_for(post: Post, state_id: int) -> QuerySet[Grievance]:
    rows = _handled_by(post, state_id).filter(status__in=WAITING_FOR_US)
    return past_whom_it_is_about(rows, post.account_id).only(
        "state_id", "id", "status", "received_at", "due_at"
    )


def _count(rows: Iterable[Grievance], since: datetime.datetime | None) -> Waiting:
    now = clock.now()
    count = new = soon = overdue = 0
    for one in rows:
        count += 1
        new += one.status != GrievanceStatus.IN_PROGRESS and (
            since is None or _came_at(one) > since
        )
        overdue += one.due_at < now
        soon += now <= one.due_at < now + SOON
    return Waiting(count, new, soon, overdue)


def _came_at(grievance: Grievance) -> datetime.datetime:
    """Return when it came in, or came back: opening it again gives it a new due date."""
    if grievance.status != GrievanceStatus.REOPENED:
        return grievance.received_at
    return grievance.due_at - datetime.timedelta(days=REOPENED_DUE_DAYS)


def handlers_to_tell(day: datetime.date) -> list[uuid.UUID]:
    """Return the accounts in whose posts something waits and that were not told on a day yet."""
    with across_states():
        places = set(
            Grievance.objects.filter(status__in=WAITING_FOR_US).values_list(
                "state_id", "facility_id"
            )
        )
        at_work = Q(
            role=Role.STATE_ADMIN, state_id__in={state_id for state_id, _facility in places}
        )
        at_work |= Q(
            role=Role.FACILITY_ADMIN, facility_id__in={facility for _state, facility in places}
        )
        if places:
            at_work |= Q(role=Role.NATIONAL_ADMIN)
        accounts = set(
            Post.objects.filter(at_work, ended_at__isnull=True).values_list("account_id", flat=True)
        )
    told = HandlerTold.objects.filter(id__in=accounts, day__gte=day).values_list("id", flat=True)
    return sorted(accounts - set(told))


def _handled_by(post: Post, state_id: int) -> QuerySet[Grievance]:
    require_handling_post(post, state_id)
    if state_id == NATIONAL:
        without, about_all = left_to_the_nation()
        own = Q(state_id__in=[NATIONAL, *without])
        if about_all:
            own |= Q(id__in=about_all)
        return Grievance.objects.filter(own, state_id__in=everywhere())
    rows = Grievance.objects.filter(state_id=state_id)
    if post.role == Role.FACILITY_ADMIN:
        rows = rows.filter(facility_id=post.facility_id).exclude(kind__in=PAST_THE_FACILITY)
    return rows


@dataclass(frozen=True)
class Reading:
    """A grievance with its steps, for its handler.

    `doctors`: all who had the patient, for the consultation names only who has them now;
    `reported`: whom the patient reported by the button.
    """

    grievance: Grievance
    steps: list[GrievanceStep]
    doctors: list[str]
    reported: str


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
    doctors, reported = _doctors_of(grievance)
    return Reading(
        grievance,
        list(
            GrievanceStep.objects.filter(state_id=state_id, grievance_id=grievance_id).order_by(
                "id"
            )
        ),
        doctors,
        reported,
    )


def _doctors_of(grievance: Grievance) -> tuple[list[str], str]:
    if grievance.consultation_id is None:
        return [], ""
    case = grievance.consultation
    ids = readers_because_of(case.patient_state_id, case.id)
    names = practitioner_names(ids)
    reported = None
    if grievance.kind == GrievanceKind.SAFETY and not grievance.name:
        reported = reported_in(case, grievance.received_at)
    return (
        [names[one] for one in ids if one in names],
        names.get(reported, "") if reported else "",
    )


def numbers_to_close(before: datetime.datetime, limit: int = 200) -> list[str]:
    """Return the numbers answered before then and not disputed; inside `across_states`."""
    return list(
        Grievance.objects.filter(status=GrievanceStatus.ANSWERED, answered_at__lt=before)
        .order_by("answered_at")
        .values_list("number", flat=True)[:limit]
    )
