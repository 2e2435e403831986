"""Reads of the directory."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    Line,
    Post,
    Practitioner,
    ServedState,
    State,
)
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import across_states


def states() -> list[State]:
    """Return all states and union territories by name, without the tenant National."""
    return list(State.objects.exclude(lgd_code=0).order_by("name"))


def acting_post(state_id: int, post_id: uuid.UUID) -> Post:
    """Return a post that has not ended, with its practitioner and facility. Raises NotFound."""
    post = (
        Post.objects.select_related("practitioner", "facility")
        .filter(state_id=state_id, id=post_id, ended_at__isnull=True)
        .first()
    )
    if post is None:
        raise NotFound
    return post


def posts_of(account_id: uuid.UUID) -> list[Post]:
    """Return an account's posts that have not ended, in all states: asked once, at sign-in."""
    with across_states():
        return list(
            Post.objects.select_related("facility")
            .filter(account_id=account_id, ended_at__isnull=True)
            .order_by("state_id", "started_at")
        )


def practitioner(state_id: int, practitioner_id: uuid.UUID) -> Practitioner:
    """Return a practitioner. Raises NotFound."""
    found = Practitioner.objects.filter(state_id=state_id, id=practitioner_id).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class OpenClinic:
    """A clinic that serves a state, with its line, host and whether it is open now."""

    clinic: Clinic
    line: Line
    facility: Facility
    hours_today: list[ClinicHours]
    is_open: bool


def clinics_serving(served_state_id: int) -> list[OpenClinic]:
    """Return the clinics of all tenants that serve a state's patients, by name."""
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for clinic_state_id, clinic_id in ServedState.objects.filter(
        served_state_id=served_state_id
    ).values_list("clinic_state_id", "clinic_id"):
        ids_by_state.setdefault(clinic_state_id, []).append(clinic_id)
    found = [
        clinic
        for state_id, ids in ids_by_state.items()
        for clinic in Clinic.objects.select_related("line", "facility").filter(
            state_id=state_id, id__in=ids, closed_at__isnull=True
        )
    ]
    return sorted(_with_hours(found), key=lambda item: item.clinic.name)


def clinic_serving(
    served_state_id: int, *, clinic_state_id: int, clinic_id: uuid.UUID
) -> OpenClinic:
    """Return a clinic if it serves the state. Raises NotFound."""
    serves = ServedState.objects.filter(
        served_state_id=served_state_id, clinic_id=clinic_id, clinic_state_id=clinic_state_id
    ).exists()
    clinic = (
        Clinic.objects.select_related("line", "facility")
        .filter(state_id=clinic_state_id, id=clinic_id, closed_at__isnull=True)
        .first()
    )
    if not serves or clinic is None:
        raise NotFound
    return _with_hours([clinic])[0]


def _with_hours(clinics: Iterable[Clinic]) -> list[OpenClinic]:
    now = timezone.localtime(clock.now())
    hours: dict[uuid.UUID, list[ClinicHours]] = {}
    clinics = list(clinics)
    for state_id in sorted({clinic.state_id for clinic in clinics}):
        for row in ClinicHours.objects.filter(
            state_id=state_id,
            clinic_id__in=[clinic.id for clinic in clinics if clinic.state_id == state_id],
            weekday=now.weekday(),
        ).order_by("opens"):
            hours.setdefault(row.clinic_id, []).append(row)
    return [
        OpenClinic(
            clinic,
            clinic.line,
            clinic.facility,
            hours.get(clinic.id, []),
            is_open_at(hours.get(clinic.id, []), now.time()),
        )
        for clinic in clinics
    ]


def is_open_at(hours: Iterable[ClinicHours], time: datetime.time) -> bool:
    """Tell whether one of the openings holds the time."""
    return any(row.opens <= time < row.closes for row in hours)


def lines_by_id(lines: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Line]:
    """Return the lines `(state_id, line_id)` by id, one statement per state."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    return {
        line.id: line
        for state_id, ids in by_state.items()
        for line in Line.objects.filter(state_id=state_id, id__in=ids)
    }


def clinics_of_lines(lines: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Clinic]:
    """Return the clinics of lines `(state_id, line_id)`, by line id."""
    by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    return {
        clinic.line_id: clinic
        for state_id, ids in by_state.items()
        for clinic in Clinic.objects.select_related("facility").filter(
            state_id=state_id, line_id__in=ids
        )
    }


def clinic_of_line(state_id: int, line_id: uuid.UUID) -> OpenClinic | None:
    """Return the clinic that a line belongs to, with its hours today; None for other lines."""
    clinic = (
        Clinic.objects.select_related("line", "facility")
        .filter(state_id=state_id, line_id=line_id)
        .first()
    )
    return _with_hours([clinic])[0] if clinic else None
