"""What was planned against what was served. Pure."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from sanjeevani.roster.models import Break, Spell
from sanjeevani.roster.planning import Shift, Span, span_of, together

NO_TIME = datetime.timedelta()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A practitioner's time in a line in some days.

    `due` is what of the plan lies in the past; only that is compared. `missed`: days on which all
    that was planned is over and nothing was served. `is_serving`: a spell goes on, and counts up
    to now.
    """

    planned: datetime.timedelta
    due: datetime.timedelta
    served: datetime.timedelta
    missed: list[datetime.date]
    is_serving: bool

    @property
    def difference(self) -> datetime.timedelta:
        """Served beyond what was due; below zero when less."""
        return self.served - self.due

    @property
    def to_come(self) -> datetime.timedelta:
        """What of the plan lies ahead."""
        return self.planned - self.due


def served(spells: Iterable[Spell], breaks: Sequence[Break], now: datetime.datetime) -> list[Span]:
    """Return when somebody served: spells without breaks; what goes on ends now."""
    away = [Span(one.began_at, one.ended_at or now) for one in breaks]
    return together(
        part
        for spell in spells
        if spell.began_at < (spell.ended_at or now)
        for part in Span(spell.began_at, spell.ended_at or now).without(away)
    )


def compare(
    shifts: Sequence[Shift],
    spells: Sequence[Spell],
    breaks: Sequence[Break],
    *,
    period: Span,
    now: datetime.datetime,
) -> Comparison:
    """Compare one practitioner's shifts and spells in a line over a period.

    A shift over midnight counts in each period for its part there, and as a missed day where it
    begins; so `shifts` and `spells` go a day beyond the period.
    """
    serving = served(spells, breaks, now)
    plan = together(shift.span for shift in shifts)
    past = Span(period.begins, max(period.begins, min(period.ends, now)))
    return Comparison(
        planned=_length(plan, period),
        due=_length(plan, past),
        served=_length(serving, period),
        missed=[
            day
            for day, ends in sorted(_days(shifts, period).items())
            if ends <= now
            and not any(
                one.overlaps(Span(span_of(day, day).begins, max(ends, span_of(day, day).ends)))
                for one in serving
            )
        ],
        is_serving=any(spell.ended_at is None for spell in spells),
    )


def _days(shifts: Iterable[Shift], period: Span) -> dict[datetime.date, datetime.datetime]:
    """Return the days of the period on which shifts begin, with when the last of them ends."""
    found: dict[datetime.date, datetime.datetime] = {}
    for shift in shifts:
        if period.begins <= shift.span.begins < period.ends:
            day = timezone.localdate(shift.span.begins)
            found[day] = max(found.get(day, shift.span.ends), shift.span.ends)
    return found


def _length(spans: Iterable[Span], period: Span) -> datetime.timedelta:
    return sum((part.length for span in spans for part in span.within(period)), start=NO_TIME)
