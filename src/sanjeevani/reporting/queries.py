"""Reads of the roll-ups: each a statement or two over a few dozen rows, none of a live table."""

import datetime
import uuid
from collections import defaultdict
from dataclasses import dataclass

from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.reporting.models import (
    NATION,
    LineFigures,
    Presence,
    Scope,
    StateFigures,
    StateTotals,
)
from sanjeevani.reporting.tallies import Tally, sum_of


def nation_ever() -> Tally:
    """Return the sum of everything since the service began: one row."""
    row = StateTotals.objects.filter(scope=Scope.NATION, state_id=NATIONAL).first()
    return row.tally() if row else Tally()


def completed_by_home() -> list[tuple[int, int]]:
    """Return (state, completed consultations of its patients), the most first."""
    return list(
        StateTotals.objects.filter(scope=Scope.HOME, completed__gt=0)
        .order_by("-completed", "state_id")
        .values_list("state_id", "completed")
    )


def daily(
    scope: Scope, state_id: int, first: datetime.date, last: datetime.date
) -> dict[datetime.date, Tally]:
    """Return a tally for every day from `first` to `last`, days without any included."""
    found = {
        row.day: row.tally()
        for row in StateFigures.objects.filter(
            scope=scope, state_id=state_id, day__gte=first, day__lte=last
        )
    }
    days = (first + datetime.timedelta(days=step) for step in range((last - first).days + 1))
    return {day: found.get(day) or Tally() for day in days}


def by_state(scope: Scope, first: datetime.date, last: datetime.date) -> dict[int, Tally]:
    """Return each state's sum over some days, states without any left out."""
    found: dict[int, list[Tally]] = defaultdict(list)
    for row in StateFigures.objects.filter(scope=scope, day__gte=first, day__lte=last):
        found[row.state_id].append(row.tally())
    return {state_id: sum_of(tallies) for state_id, tallies in found.items()}


def by_line(state_id: int, first: datetime.date, last: datetime.date) -> dict[uuid.UUID, Tally]:
    """Return each line's sum over some days, lines without any left out."""
    found: dict[uuid.UUID, list[Tally]] = defaultdict(list)
    for row in LineFigures.objects.filter(state_id=state_id, day__gte=first, day__lte=last):
        found[row.line_id].append(row.tally())
    return {line_id: sum_of(tallies) for line_id, tallies in found.items()}


def states_by_day(
    first: datetime.date, last: datetime.date
) -> list[tuple[datetime.date, int, Tally]]:
    """Return (day, state, tally) of patients' states, for downloads."""
    return [
        (row.day, row.state_id, row.tally())
        for row in StateFigures.objects.filter(
            scope=Scope.HOME, day__gte=first, day__lte=last
        ).order_by("day", "state_id")
    ]


@dataclass(frozen=True)
class OnDuty:
    """OPDs and doctors on duty at a moment; `as_of` is None before the first count."""

    opds: int
    opds_attended: int
    doctors: int
    as_of: datetime.datetime | None


def on_duty(state_id: int = NATION) -> OnDuty:
    """Return who is on duty in a tenant, or in the nation."""
    row = Presence.objects.filter(state_id=state_id).first()
    if row is None:
        return OnDuty(0, 0, 0, None)
    return OnDuty(row.opds, row.opds_attended, row.doctors_on_duty, row.as_of)
