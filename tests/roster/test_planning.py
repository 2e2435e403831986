"""Who is expected when, and planned against served: checked hour by hour against the plain rule."""

import datetime
import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.directory.timetable import MIDNIGHT
from sanjeevani.roster.actual import NO_TIME, compare, served
from sanjeevani.roster.models import Break, ShiftOffer, Spell, WeeklyPlan
from sanjeevani.roster.planning import (
    ONE_DAY,
    Known,
    Shift,
    Span,
    days_from,
    held,
    moment,
    planned,
    span_of,
    together,
)

HOUR = datetime.timedelta(hours=1)
MONDAY = datetime.date(2026, 11, 23)
SUNDAY = MONDAY + ONE_DAY * 6
PEOPLE = [uuid.UUID(int=number) for number in (1, 2, 3)]
WEEK = span_of(MONDAY, SUNDAY)


def at(hours: int) -> datetime.datetime:
    """So many hours after the week's first midnight."""
    return WEEK.begins + hours * HOUR


def plan(practitioner: uuid.UUID, weekday: int, begins: int, ends: int, **more: Any) -> WeeklyPlan:
    """A shift of a week by its hours; 24 is midnight."""
    return WeeklyPlan(
        practitioner_id=practitioner,
        weekday=weekday,
        begins=datetime.time(begins),
        ends=MIDNIGHT if ends == 24 else datetime.time(ends),
        since=more.get("since", datetime.date(2026, 1, 1)),
        until=more.get("until"),
    )


def swap(owner: uuid.UUID, taker: uuid.UUID, begins: datetime.datetime, hours: int) -> ShiftOffer:
    """A shift that was taken over."""
    return ShiftOffer(
        owner_id=owner, taker_id=taker, begins_at=begins, ends_at=begins + hours * HOUR
    )


@st.composite
def plans(draw: st.DrawFn) -> list[WeeklyPlan]:
    """Weeks of several doctors, each day with at most two shifts, some of them over midnight."""
    found = []
    for practitioner in PEOPLE:
        for weekday in draw(st.sets(st.integers(0, 6))):
            hours = sorted(draw(st.sets(st.integers(0, 24), min_size=2, max_size=4)))
            found += [
                plan(practitioner, weekday, begins, ends)
                for begins, ends in zip(hours[::2], hours[1::2], strict=False)
            ]
    return found


@st.composite
def swaps(draw: st.DrawFn, known: Known) -> list[ShiftOffer]:
    """Shifts of the week taken over by others, each once."""
    mine = [shift for shift in held(known, MONDAY, SUNDAY) if draw(st.booleans())]
    return [
        ShiftOffer(
            owner_id=shift.owner_id,
            taker_id=draw(st.sampled_from(PEOPLE)),
            begins_at=shift.span.begins,
            ends_at=shift.span.ends,
        )
        for shift in mine
    ]


DAYS = st.sets(st.sampled_from(days_from(MONDAY, SUNDAY)))


@given(st.data())
def test_expected_is_the_plan_less_leave_and_given_with_taken_over(data: st.DataObject) -> None:
    week = data.draw(plans())
    over = data.draw(swaps(Known(serving=PEOPLE, plans=week)))
    away = {one: data.draw(DAYS) for one in PEOPLE}
    closed = dict.fromkeys(data.draw(DAYS), "Diwali")
    known = Known(serving=PEOPLE, plans=week, taken_over=over, away=away, closed=closed)
    shifts = planned(known, MONDAY, SUNDAY)
    for number in range(24 * 7):
        now, day = at(number), MONDAY + ONE_DAY * (number // 24)
        for one in PEOPLE:
            own = any(
                row.practitioner_id == one
                and row.weekday == day.weekday()
                and row.begins.hour <= number % 24
                and (row.ends == MIDNIGHT or number % 24 < row.ends.hour)
                for row in week
            )
            swapped = [row for row in over if row.begins_at <= now < row.ends_at]
            given_away = any(row.owner_id == one for row in swapped)
            taken = any(row.taker_id == one for row in swapped)
            off = day in away[one] or day in closed
            expected = ((own and not given_away) or taken) and not off
            found = [
                shift
                for shift in shifts
                if shift.practitioner_id == one and shift.span.begins <= now < shift.span.ends
            ]
            assert bool(found) is expected, (now, one)


@given(plans(), st.integers(0, 6), st.integers(0, 6))
def test_a_part_of_the_week_has_the_same_shifts(
    week: list[WeeklyPlan], one: int, another: int
) -> None:
    first, last = (MONDAY + ONE_DAY * number for number in sorted((one, another)))
    part = held(Known(serving=PEOPLE, plans=week), first, last)
    whole = held(Known(serving=PEOPLE, plans=week), MONDAY, SUNDAY)
    limits = span_of(first, last)
    assert part == [shift for shift in whole if shift.span.overlaps(limits)]


def test_a_night_is_one_shift_and_leave_takes_its_morning() -> None:
    night = [plan(PEOPLE[0], 0, 20, 24), plan(PEOPLE[0], 1, 0, 8)]
    [shift] = held(Known(serving=PEOPLE, plans=night), MONDAY, SUNDAY)
    assert (shift.span, shift.day) == (Span(at(20), at(32)), MONDAY)
    away = {PEOPLE[0]: {MONDAY + ONE_DAY}}
    [evening] = planned(Known(serving=PEOPLE, plans=night, away=away), MONDAY, SUNDAY)
    assert evening.span == Span(at(20), at(24))


def test_a_replaced_plan_holds_for_its_own_days() -> None:
    change = MONDAY + ONE_DAY * 3
    week = [
        *(plan(PEOPLE[0], day, 9, 13, until=change) for day in range(7)),
        *(plan(PEOPLE[0], day, 9, 11, since=change) for day in range(7)),
    ]
    lengths = [
        shift.span.length / HOUR
        for shift in held(Known(serving=PEOPLE, plans=week), MONDAY, SUNDAY)
    ]
    assert lengths == [4, 4, 4, 2, 2, 2, 2]


def test_a_shift_given_back_is_its_owners() -> None:
    week = [plan(PEOPLE[0], 0, 9, 13)]
    back = [swap(PEOPLE[0], PEOPLE[0], at(9), 4)]
    [shift] = planned(Known(serving=PEOPLE, plans=week, taken_over=back), MONDAY, SUNDAY)
    assert shift.practitioner_id == PEOPLE[0]


# Planned against served ---------------------------------------------------------------------------

SPANS = st.lists(
    st.tuples(st.integers(-20, 180), st.integers(1, 30)).map(
        lambda one: Span(at(one[0]), at(one[0] + one[1]))
    ),
    max_size=6,
)


def spells_of(spans: list[Span]) -> list[Spell]:
    """Spells and breaks as rows; what began is never in the future."""
    return [Spell(began_at=span.begins, ended_at=span.ends) for span in together(spans)]


@given(SPANS, SPANS, SPANS, st.integers(-10, 200))
def test_hours_add_up(work: list[Span], pauses: list[Span], plan: list[Span], hour: int) -> None:
    now = at(hour)
    work = [span for span in work if span.ends <= now]
    breaks = [Break(began_at=span.begins, ended_at=span.ends) for span in pauses]
    shifts = [Shift(practitioner_id=PEOPLE[0], owner_id=PEOPLE[0], span=span) for span in plan]
    found = compare(shifts, spells_of(work), breaks, period=WEEK, now=now)

    def hours(*, holding: Any) -> datetime.timedelta:
        return sum((HOUR for number in range(168) if holding(at(number))), start=NO_TIME)

    def inside(spans: list[Span], now: datetime.datetime) -> bool:
        return any(span.begins <= now < span.ends for span in spans)

    assert found.planned == hours(holding=lambda one: inside(plan, one))
    assert found.due == hours(holding=lambda one: inside(plan, one) and one < now)
    assert found.served == hours(holding=lambda one: inside(work, one) and not inside(pauses, one))
    assert found.difference == found.served - found.due
    assert found.due + found.to_come == found.planned
    assert found.to_come >= NO_TIME
    for day in found.missed:
        assert MONDAY <= day <= SUNDAY
        assert moment(day + ONE_DAY) <= now or any(span.ends <= now for span in plan)


def shift(begins: int, ends: int) -> Shift:
    """A shift by its hours in the week."""
    return Shift(practitioner_id=PEOPLE[0], owner_id=PEOPLE[0], span=Span(at(begins), at(ends)))


def test_a_spell_that_goes_on_counts_up_to_now_without_its_break() -> None:
    going_on = [Spell(began_at=at(9), ended_at=None)]
    resting = [Break(began_at=at(11), ended_at=None)]
    found = compare([shift(9, 13)], going_on, resting, period=WEEK, now=at(12))
    assert (found.served, found.due, found.to_come) == (2 * HOUR, 3 * HOUR, HOUR)
    assert found.is_serving
    assert found.missed == []


def test_a_day_is_missed_only_once_it_is_over_and_nothing_was_served() -> None:
    two_days = [shift(9, 13), shift(33, 37)]
    came_late = [Spell(began_at=at(18), ended_at=at(19))]
    for spells, hour, missed in (
        ([], 12, []),
        ([], 13, [MONDAY]),
        ([], 37, [MONDAY, MONDAY + ONE_DAY]),
        (came_late, 37, [MONDAY + ONE_DAY]),
    ):
        assert compare(two_days, spells, [], period=WEEK, now=at(hour)).missed == missed


def test_a_night_is_missed_on_the_day_that_it_begins() -> None:
    night = [shift(20, 32)]
    morning_only = [Spell(began_at=at(25), ended_at=at(30))]
    assert compare(night, [], [], period=WEEK, now=at(40)).missed == [MONDAY]
    assert compare(night, morning_only, [], period=WEEK, now=at(40)).missed == []


def test_a_night_over_the_end_of_the_week_counts_in_both_for_its_part() -> None:
    night = [shift(24 * 7 - 4, 24 * 7 + 8)]
    spell = [Spell(began_at=at(24 * 7 - 4), ended_at=at(24 * 7 + 8))]
    after = span_of(SUNDAY + ONE_DAY, SUNDAY + ONE_DAY * 7)
    parts = [compare(night, spell, [], period=one, now=at(400)) for one in (WEEK, after)]
    assert [one.served / HOUR for one in parts] == [4, 8]
    assert [one.due / HOUR for one in parts] == [4, 8]


def test_duty_left_within_the_same_moment_is_nothing() -> None:
    assert served([Spell(began_at=at(1), ended_at=at(1))], [], at(2)) == []
