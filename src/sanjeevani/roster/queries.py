"""Reads of duty and of the roster."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Max, Min, Q

from sanjeevani.directory.queries import holidays_of_lines
from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.roster.models import (
    Assignment,
    Break,
    Duty,
    DutyLine,
    DutyStatus,
    LeaveDay,
    OfferStatus,
    ShiftOffer,
    Spell,
    WeeklyPlan,
)
from sanjeevani.roster.planning import ONE_DAY, Known, Shift, Span, planned, span_of

_on_duty = Compiled(
    lambda: DutyLine.objects.filter(
        state_id=given("state_id"), line_id=given_any("line_ids"), on_break=False
    ).values_list("line_id", "practitioner_id")
)


def practitioners_on_duty(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Return the ids of the practitioners who serve each line at this moment."""
    found: dict[uuid.UUID, list[uuid.UUID]] = {line_id: [] for line_id in line_ids}
    for line_id, practitioner_id in _on_duty.all(state_id=state_id, line_ids=list(found)):
        found[line_id].append(practitioner_id)
    return found


def doctors_on_duty(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return how many practitioners serve each line at this moment."""
    return {line_id: len(ids) for line_id, ids in practitioners_on_duty(state_id, line_ids).items()}


def who_is_on_duty(
    state_id: int, line_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[int, uuid.UUID]]]:
    """Return who serves each line at this moment, as `(state_id, id)` of practitioners."""
    serving = practitioners_on_duty(state_id, line_ids)
    home = dict(
        Assignment.objects.filter(
            practitioner_id__in={each for ids in serving.values() for each in ids}
        ).values_list("practitioner_id", "practitioner_state_id")
    )
    # Who was taken off between the two reads serves nothing any more.
    return {
        line_id: [(home[each], each) for each in ids if each in home]
        for line_id, ids in serving.items()
    }


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


def ended_in_silence(practitioner_id: uuid.UUID) -> datetime.datetime | None:
    """Return when a practitioner was taken off duty because the desk was open nowhere any more."""
    return (
        Duty.objects.filter(
            practitioner_id=practitioner_id, status=DutyStatus.OFF, ended_in_silence=True
        )
        .values_list("since", flat=True)
        .first()
    )


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
    """Return the weekly plans that lines have now, also of who does not serve there at present."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[WeeklyPlan]] = {line_id: [] for line_id in ids}
    for plan in WeeklyPlan.objects.filter(
        state_id=state_id, line_id__in=ids, until__isnull=True
    ).order_by("weekday", "begins"):
        found[plan.line_id].append(plan)
    return found


def known_of(
    state_id: int, line_ids: Iterable[uuid.UUID], first: datetime.date, last: datetime.date
) -> dict[uuid.UUID, Known]:
    """Return what is known of lines of one state from the first day to the last."""
    ids = list(line_ids)
    serves = {line_id: {one for _state, one in keys} for line_id, keys in serving(ids).items()}
    # A shift that goes over midnight is read whole, at both ends.
    before, after = first - ONE_DAY, last + ONE_DAY
    plans: dict[uuid.UUID, list[WeeklyPlan]] = {line_id: [] for line_id in ids}
    for plan in WeeklyPlan.objects.filter(
        Q(until__isnull=True) | Q(until__gt=before),
        state_id=state_id,
        line_id__in=ids,
        since__lte=after,
    ):
        plans[plan.line_id].append(plan)
    offers: dict[uuid.UUID, list[ShiftOffer]] = {line_id: [] for line_id in ids}
    around = span_of(before, after)
    for offer in ShiftOffer.objects.filter(
        state_id=state_id,
        line_id__in=ids,
        status=OfferStatus.ACCEPTED,
        begins_at__gte=around.begins - ONE_DAY,
        begins_at__lt=around.ends,
    ):
        offers[offer.line_id].append(offer)
    people = {one for line_serves in serves.values() for one in line_serves}
    away = _days_away(people, before, after)
    closed = holidays_of_lines(state_id, ids, before, after)
    return {
        line_id: Known(
            serving=serves[line_id],
            plans=plans[line_id],
            taken_over=offers[line_id],
            away={one: away[one] for one in serves[line_id] if one in away},
            closed=closed.get(line_id, {}),
        )
        for line_id in ids
    }


def _days_away(
    practitioner_ids: Collection[uuid.UUID], first: datetime.date, last: datetime.date
) -> dict[uuid.UUID, set[datetime.date]]:
    found: defaultdict[uuid.UUID, set[datetime.date]] = defaultdict(set)
    for practitioner_id, date in LeaveDay.objects.filter(
        practitioner_id__in=practitioner_ids, date__range=(first, last)
    ).values_list("practitioner_id", "date"):
        found[practitioner_id].add(date)
    return found


def planned_now(state_id: int, line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Return, per line, the practitioners who are expected at this moment."""
    now, today = clock.now(), clock.today()
    return {
        line_id: {
            shift.practitioner_id
            for shift in planned(known, today, today)
            if shift.span.begins <= now < shift.span.ends
        }
        for line_id, known in known_of(state_id, line_ids, today, today).items()
    }


def planned_for(
    practitioner_id: uuid.UUID, first: datetime.date, last: datetime.date
) -> dict[tuple[int, uuid.UUID], tuple[Known, list[Shift]]]:
    """Return, per line `(state_id, line_id)` of a practitioner, what is known and all shifts
    planned there."""
    lines = assigned_lines(practitioner_id)
    return {
        (state_id, line_id): (known, planned(known, first, last))
        for state_id, of_state in groupby(lines, key=lambda line: line[0])
        for line_id, known in known_of(
            state_id, [line_id for _state, line_id in of_state], first, last
        ).items()
    }


@dataclass(frozen=True)
class Leave:
    """Days from the first to the last on which a practitioner is away."""

    practitioner_id: uuid.UUID
    id: uuid.UUID
    first: datetime.date
    last: datetime.date


def leave_from(day: datetime.date, practitioner_ids: Collection[uuid.UUID]) -> list[Leave]:
    """Return the leave of practitioners that is not over on a day, the nearest first."""
    rows = (
        LeaveDay.objects.filter(practitioner_id__in=practitioner_ids)
        .values_list("practitioner_id", "leave_id")
        .annotate(first=Min("date"), last=Max("date"))
        .filter(last__gte=day)
        .order_by("first", "leave_id")
    )
    return [Leave(*row) for row in rows]


def offers_in(state_id: int, line_ids: Collection[uuid.UUID]) -> list[ShiftOffer]:
    """Return the swaps of lines that are still to come, open or agreed, by their time."""
    return list(
        ShiftOffer.objects.filter(
            state_id=state_id,
            line_id__in=line_ids,
            begins_at__gt=clock.now(),
            status__in=[OfferStatus.OPEN, OfferStatus.ACCEPTED],
        ).order_by("begins_at", "id")
    )


def offers_of(practitioner_id: uuid.UUID) -> list[ShiftOffer]:
    """Return the swaps to come that a practitioner gives or is asked for, in all states."""
    found = [
        offer
        for state_id, of_state in groupby(assigned_lines(practitioner_id), key=lambda line: line[0])
        for offer in ShiftOffer.objects.filter(
            Q(giver_id=practitioner_id) | Q(taker_id=practitioner_id),
            state_id=state_id,
            line_id__in=[line_id for _state, line_id in of_state],
            begins_at__gt=clock.now(),
        ).exclude(status=OfferStatus.PASSED_ON)
    ]
    return sorted(found, key=lambda offer: (offer.begins_at, offer.id))


def served_in(
    state_id: int, line_ids: Iterable[uuid.UUID], period: Span
) -> dict[uuid.UUID, list[Spell]]:
    """Return the spells in lines of one state that touch a period, by line."""
    ids = list(line_ids)
    found: dict[uuid.UUID, list[Spell]] = {line_id: [] for line_id in ids}
    for spell in Spell.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=period.begins),
        state_id=state_id,
        line_id__in=ids,
        began_at__lt=period.ends,
    ).order_by("began_at"):
        found[spell.line_id].append(spell)
    return found


def breaks_of(
    practitioner_ids: Collection[uuid.UUID], period: Span
) -> dict[uuid.UUID, list[Break]]:
    """Return the breaks of practitioners that touch a period."""
    found: dict[uuid.UUID, list[Break]] = {one: [] for one in practitioner_ids}
    for row in Break.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=period.begins),
        practitioner_id__in=practitioner_ids,
        began_at__lt=period.ends,
    ):
        found[row.practitioner_id].append(row)
    return found
