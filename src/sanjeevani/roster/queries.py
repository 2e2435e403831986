"""Reads of duty."""

import uuid
from collections.abc import Iterable

from django.db.models import Count
from django.utils import timezone

from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.roster.models import Assignment, Duty, DutyLine, DutyStatus, WeeklyPlan

_on_duty = Compiled(
    lambda: (
        DutyLine.objects.filter(
            state_id=given("state_id"), line_id=given_any("line_ids"), on_break=False
        )
        .values_list("line_id")
        .annotate(doctors=Count("practitioner_id"))
    )
)


def doctors_on_duty(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many practitioners serve each line at this moment."""
    ids = list(line_ids)
    counts = dict(_on_duty.all(state_id=state_id, line_ids=ids))
    return {line_id: counts.get(line_id, 0) for line_id in ids}


def who_is_on_duty(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[int, uuid.UUID]]]:
    """Return who serves each line at this moment, as `(state_id, id)` of practitioners."""
    found: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {line_id: [] for line_id in line_ids}
    serving = list(
        DutyLine.objects.filter(
            state_id=state_id, line_id__in=list(found), on_break=False
        ).values_list("line_id", "practitioner_id")
    )
    home = dict(
        Assignment.objects.filter(
            practitioner_id__in={practitioner_id for _line_id, practitioner_id in serving}
        ).values_list("practitioner_id", "practitioner_state_id")
    )
    for line_id, practitioner_id in serving:
        found[line_id].append((home[practitioner_id], practitioner_id))
    return found


def serves_now(practitioner_id: uuid.UUID, state_id: int, line_id: uuid.UUID) -> bool:
    """Tell whether the practitioner is on duty for a line, not on a break."""
    return DutyLine.objects.filter(
        state_id=state_id, line_id=line_id, practitioner_id=practitioner_id, on_break=False
    ).exists()


_duty = Compiled(
    lambda: Duty.objects.filter(practitioner_id=given("practitioner_id")).values_list("status")
)


def duty_of(practitioner_id: uuid.UUID) -> DutyStatus:
    """Return whether the practitioner is on duty."""
    row = _duty.first(practitioner_id=practitioner_id)
    return DutyStatus(row[0]) if row else DutyStatus.OFF


_assigned = Compiled(
    lambda: (
        Assignment.objects.filter(practitioner_id=given("practitioner_id"))
        .order_by("line_state_id", "line_id")
        .values_list("line_state_id", "line_id")
    )
)


def assigned_lines(practitioner_id: uuid.UUID) -> list[tuple[int, uuid.UUID]]:
    """Return the lines `(state_id, line_id)` that the practitioner may serve."""
    return _assigned.all(practitioner_id=practitioner_id)


def serving(line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[tuple[int, uuid.UUID]]]:
    """Return who may serve each line: `(state_id, practitioner_id)`."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {line_id: [] for line_id in ids}
    for line_id, state_id, practitioner_id in Assignment.objects.filter(
        line_id__in=ids
    ).values_list("line_id", "practitioner_state_id", "practitioner_id"):
        found[line_id].append((state_id, practitioner_id))
    return found


def duty_in(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, dict[uuid.UUID, DutyStatus]]:
    """Return, per line, the practitioners who serve it now, on duty or on a break."""
    ids = list(line_ids)
    found: dict[uuid.UUID, dict[uuid.UUID, DutyStatus]] = {line_id: {} for line_id in ids}
    for line_id, practitioner_id, on_break in DutyLine.objects.filter(
        state_id=state_id, line_id__in=ids
    ).values_list("line_id", "practitioner_id", "on_break"):
        found[line_id][practitioner_id] = DutyStatus.BREAK if on_break else DutyStatus.ON
    return found


def plans_of(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[WeeklyPlan]]:
    """Return the weekly plans of lines, those included of who does not serve there at present."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[WeeklyPlan]] = {line_id: [] for line_id in ids}
    for plan in WeeklyPlan.objects.filter(state_id=state_id, line_id__in=ids).order_by(
        "weekday", "begins"
    ):
        found[plan.line_id].append(plan)
    return found


def planned_now(plans: Iterable[WeeklyPlan]) -> set[uuid.UUID]:
    """Return the practitioners whose plan holds this moment."""
    now = timezone.localtime(clock.now())
    return {
        plan.practitioner_id
        for plan in plans
        if plan.weekday == now.weekday() and plan.begins <= now.time() < plan.ends
    }
