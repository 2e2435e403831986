"""Reads of duty."""

import uuid
from collections.abc import Iterable

from django.db.models import Count

from sanjeevani.roster.models import Assignment, Duty, DutyLine, DutyStatus


def doctors_on_duty(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many practitioners serve each line at this moment."""
    ids = list(line_ids)
    counts = dict(
        DutyLine.objects.filter(state_id=state_id, line_id__in=ids, on_break=False)
        .values_list("line_id")
        .annotate(doctors=Count("practitioner_id"))
    )
    return {line_id: counts.get(line_id, 0) for line_id in ids}


def serves_now(practitioner_id: uuid.UUID, state_id: int, line_id: uuid.UUID) -> bool:
    """Tell whether the practitioner is on duty for a line, not on a break."""
    return DutyLine.objects.filter(
        state_id=state_id, line_id=line_id, practitioner_id=practitioner_id, on_break=False
    ).exists()


def duty_of(practitioner_id: uuid.UUID) -> DutyStatus:
    """Return whether the practitioner is on duty."""
    status = (
        Duty.objects.filter(practitioner_id=practitioner_id)
        .values_list("status", flat=True)
        .first()
    )
    return DutyStatus(status) if status else DutyStatus.OFF


def assigned_lines(practitioner_id: uuid.UUID) -> list[tuple[int, uuid.UUID]]:
    """Return the lines `(state_id, line_id)` that the practitioner may serve."""
    return list(
        Assignment.objects.filter(practitioner_id=practitioner_id)
        .order_by("line_state_id", "line_id")
        .values_list("line_state_id", "line_id")
    )
