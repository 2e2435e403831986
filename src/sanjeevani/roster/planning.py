"""Who is expected when: the weekly plan, less leave and shifts given away, with those taken over.

Pure. Times are instants; a day is one of India's. What is planned to the end of a day and from the
beginning of the next is one shift.
"""

import datetime
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from django.utils import timezone

from sanjeevani.directory.timetable import MIDNIGHT
from sanjeevani.roster.models import ShiftOffer, WeeklyPlan

ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """From one instant to a later one, which is not part of it."""

    begins: datetime.datetime
    ends: datetime.datetime

    @property
    def length(self) -> datetime.timedelta:
        """How long it lasts."""
        return self.ends - self.begins

    def overlaps(self, other: "Span") -> bool:
        """Tell whether the two share any time."""
        return self.begins < other.ends and other.begins < self.ends

    def within(self, limits: "Span") -> "list[Span]":
        """Return what of it lies inside the limits, if anything."""
        begins, ends = max(self.begins, limits.begins), min(self.ends, limits.ends)
        return [Span(begins, ends)] if begins < ends else []

    def without(self, others: "Iterable[Span]") -> "list[Span]":
        """Return what of it is left beside the others, in order."""
        left = [self]
        for other in others:
            left = [
                part
                for one in left
                for part in (
                    Span(one.begins, min(one.ends, other.begins)),
                    Span(max(one.begins, other.ends), one.ends),
                )
                if part.begins < part.ends
            ]
        return left


def together(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that overlap or touch as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.begins <= found[-1].ends:
            found[-1] = Span(found[-1].begins, max(found[-1].ends, span.ends))
        else:
            found.append(span)
    return found


def days_from(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    """Return the days from the first to the last."""
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


def moment(day: datetime.date, time: datetime.time = datetime.time.min) -> datetime.datetime:
    """Return the instant of a time of day in India; the last moment of a day is the next day."""
    if time == MIDNIGHT:
        day, time = day + ONE_DAY, datetime.time.min
    return timezone.make_aware(datetime.datetime.combine(day, time))


def span_of(first: datetime.date, last: datetime.date) -> Span:
    """Return the days as one span."""
    return Span(moment(first), moment(last + ONE_DAY))


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A time in a line for which somebody is planned. `owner_id`: whose weekly plan has it."""

    practitioner_id: uuid.UUID
    owner_id: uuid.UUID
    span: Span

    @property
    def day(self) -> datetime.date:
        """The day on which it begins."""
        return timezone.localdate(self.span.begins)

    def parts(self, spans: Iterable[Span]) -> list[Self]:
        """Return it cut to these spans."""
        return [replace(self, span=span) for span in spans]


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a line: who serves it, weekly plans, swaps that count, days off.

    Plans and swaps count for those who serve it; what was given away stays so. `away`: the days on
    which each practitioner is on leave. `closed`: holidays with their reason.
    """

    serving: Collection[uuid.UUID]
    plans: Sequence[WeeklyPlan] = ()
    taken_over: Sequence[ShiftOffer] = ()
    away: Mapping[uuid.UUID, Collection[datetime.date]] = field(default_factory=dict)
    closed: Mapping[datetime.date, str] = field(default_factory=dict)


def held(known: Known, first: datetime.date, last: datetime.date) -> list[Shift]:
    """Return the shifts that touch the days, whoever holds them after swaps, in order.

    Leave and holidays are left aside: see `planned`.
    """
    own = [
        shift
        for owner, plans in _by_owner(known.plans).items()
        if owner in known.serving
        for shift in _weekly(plans, days_from(first - ONE_DAY, last + ONE_DAY))
    ]
    taken = [
        Shift(
            practitioner_id=offer.taker_id,
            owner_id=offer.owner_id,
            span=Span(offer.begins_at, offer.ends_at),
        )
        for offer in known.taken_over
    ]
    kept = [
        part
        for shift in own
        for part in shift.parts(
            shift.span.without(one.span for one in taken if one.owner_id == shift.owner_id)
        )
    ]
    limits = span_of(first, last)
    return sorted(
        (
            shift
            for shift in [*kept, *taken]
            if shift.practitioner_id in known.serving and shift.span.overlaps(limits)
        ),
        key=lambda shift: (shift.span, shift.practitioner_id),
    )


def expected(shift: Shift, known: Known) -> list[Shift]:
    """Return what of a shift is left beside the leave of who holds it, and holidays."""
    off = {*known.away.get(shift.practitioner_id, ()), *known.closed}
    return shift.parts(shift.span.without(span_of(day, day) for day in off))


def planned(known: Known, first: datetime.date, last: datetime.date) -> list[Shift]:
    """Return who is expected when: weekly plan, leave, shifts given away and taken over."""
    return [part for shift in held(known, first, last) for part in expected(shift, known)]


def _by_owner(plans: Iterable[WeeklyPlan]) -> dict[uuid.UUID, list[WeeklyPlan]]:
    found: dict[uuid.UUID, list[WeeklyPlan]] = {}
    for plan in plans:
        found.setdefault(plan.practitioner_id, []).append(plan)
    return found


def _weekly(plans: Sequence[WeeklyPlan], days: Iterable[datetime.date]) -> list[Shift]:
    """Return one practitioner's shifts on days: an evening and the morning after it are one."""
    found: list[Shift] = []
    for span in _spans(plans, days):
        before = found[-1].span if found else None
        if (
            before
            and before.ends == span.begins
            and _at_midnight(span.begins)
            and not _at_midnight(before.begins)
            and not _at_midnight(span.ends)
        ):
            found[-1] = replace(found[-1], span=Span(before.begins, span.ends))
        else:
            owner = plans[0].practitioner_id
            found.append(Shift(practitioner_id=owner, owner_id=owner, span=span))
    return found


def _at_midnight(instant: datetime.datetime) -> bool:
    return timezone.localtime(instant).time() == datetime.time.min


def _spans(plans: Sequence[WeeklyPlan], days: Iterable[datetime.date]) -> Iterator[Span]:
    for day in days:
        for plan in sorted(plans, key=lambda plan: plan.begins):
            holds = plan.since <= day and (plan.until is None or day < plan.until)
            if holds and plan.weekday == day.weekday():
                yield Span(moment(day, plan.begins), moment(day, plan.ends))
