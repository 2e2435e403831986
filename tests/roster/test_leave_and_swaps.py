"""Leave, shifts that change hands, and what is kept of duty: verbs on the database."""

import datetime
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sanjeevani.directory.models import Clinic, Line, Practitioner, Role
from sanjeevani.directory.services import add_holidays
from sanjeevani.directory.timetable import MIDNIGHT, Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.identity.models import Account
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.roster.errors import (
    LeaveOver,
    LeaveOverlaps,
    LeavePassed,
    OfferedAlready,
    ShiftBegun,
    ShiftGone,
    TakerAway,
    TakerBusy,
)
from sanjeevani.roster.leave import cancel_leave, take_leave
from sanjeevani.roster.models import Break, DutyStatus, LeaveDay, OfferStatus, ShiftOffer, Spell
from sanjeevani.roster.planning import ONE_DAY, moment
from sanjeevani.roster.queries import leave_from, planned_for, planned_now
from sanjeevani.roster.services import assign, change_duty, plan_week, unassign
from sanjeevani.roster.swaps import accept_shift, decline_shift, offer_shift, withdraw_shift
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    ClinicFactory,
    FacilityFactory,
    LineFactory,
    PostFactory,
    PractitionerFactory,
    StaffAccountFactory,
    doctor,
    on_duty,
)

pytestmark = pytest.mark.django_db

NUMBERS = itertools.count()
NINE, ONE_PM = datetime.time(9), datetime.time(13)


@pytest.fixture
def line() -> Line:
    """The line of a clinic."""
    made: Line = ClinicFactory().line
    return made


def practitioner_on(line: Line, *shifts: tuple[int, datetime.time, datetime.time]) -> Practitioner:
    """A doctor who serves the line, planned for these shifts (weekday, from, to)."""
    account = StaffAccountFactory(mobile=f"+9198765{next(NUMBERS):05}")
    made: Practitioner = PractitionerFactory(account_id=account.id)
    assign(SYSTEM, practitioner=made, line=line)
    plan(made, line, *shifts)
    return made


def plan(
    practitioner: Practitioner, line: Line, *shifts: tuple[int, datetime.time, datetime.time]
) -> None:
    """Plan a doctor's week."""
    openings = [Opening(weekday=day, opens=begins, closes=ends) for day, begins, ends in shifts]
    plan_week(SYSTEM, practitioner_id=practitioner.id, line=line, shifts=openings)


def day() -> datetime.date:
    """A day in the week to come."""
    return clock.today() + ONE_DAY * 7


def mornings(line: Line) -> Practitioner:
    """A doctor planned for that day, nine to one."""
    return practitioner_on(line, (day().weekday(), NINE, ONE_PM))


def offer(giver: Practitioner, taker: Practitioner, line: Line) -> ShiftOffer:
    """Offer the morning of that day."""
    return offer_shift(
        doctor(giver), giver=giver, line=line, begins_at=moment(day(), NINE), taker=taker
    )


def accept(taker: Practitioner, offered: ShiftOffer) -> ShiftOffer:
    """Take over."""
    key: dict[str, Any] = {"state_id": offered.state_id, "offer_id": offered.id}
    return accept_shift(doctor(taker), taker=taker, **key)


def days_planned(practitioner: Practitioner) -> list[datetime.date]:
    """The days for which a doctor is planned, from that day on, two weeks long."""
    found = planned_for(practitioner.id, day(), day() + ONE_DAY * 13)
    return sorted(
        shift.day
        for _known, shifts in found.values()
        for shift in shifts
        if shift.practitioner_id == practitioner.id
    )


def administrator(state_id: int, facility_id: Any) -> Actor:
    """Who administers a facility."""
    account = StaffAccountFactory()
    post = PostFactory(
        state_id=state_id,
        facility_id=facility_id,
        account_id=account.id,
        role=Role.FACILITY_ADMIN,
        practitioner_id=None,
    )
    return Actor(ActorKind.STAFF, account_id=account.id, post_id=post.id, state_id=state_id)


# Leave --------------------------------------------------------------------------------------------


def test_leave_takes_out_of_the_plan_and_cancelled_leave_puts_back(line: Line) -> None:
    one = mornings(line)
    leave = take_leave(doctor(one), practitioner=one, first=day(), last=day() + ONE_DAY)
    assert days_planned(one) == [day() + ONE_DAY * 7]
    [noted] = leave_from(clock.today(), [one.id])
    assert (noted.id, noted.first, noted.last) == (leave, day(), day() + ONE_DAY)
    cancel_leave(doctor(one), practitioner=one, leave_id=leave)
    assert days_planned(one) == [day(), day() + ONE_DAY * 7]
    with pytest.raises(NotFound):
        cancel_leave(doctor(one), practitioner=one, leave_id=leave)


def test_overlapping_leave_is_refused_and_by_the_database(line: Line) -> None:
    one = mornings(line)
    take_leave(doctor(one), practitioner=one, first=day(), last=day() + ONE_DAY * 2)
    with pytest.raises(LeaveOverlaps), transaction.atomic():
        take_leave(
            doctor(one), practitioner=one, first=day() + ONE_DAY * 2, last=day() + 9 * ONE_DAY
        )
    assert LeaveDay.objects.filter(practitioner_id=one.id).count() == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        LeaveDay.objects.create(practitioner_id=one.id, date=day(), leave_id=uuid7())


def test_past_leave_stays(line: Line) -> None:
    one, today = mornings(line), clock.today()
    with pytest.raises(LeavePassed):
        take_leave(doctor(one), practitioner=one, first=today - ONE_DAY, last=today)
    with pytest.raises(Invalid):
        take_leave(doctor(one), practitioner=one, first=today + ONE_DAY, last=today)
    with pytest.raises(Invalid):
        take_leave(doctor(one), practitioner=one, first=today, last=today + 400 * ONE_DAY)
    running, over = uuid7(), uuid7()
    for leave_id, number in ((over, -3), (running, -1), (running, 0), (running, 1)):
        LeaveDay.objects.create(
            practitioner_id=one.id, date=today + ONE_DAY * number, leave_id=leave_id
        )
    with pytest.raises(LeaveOver):
        cancel_leave(doctor(one), practitioner=one, leave_id=over)
    assert cancel_leave(doctor(one), practitioner=one, leave_id=running) == (today, today + ONE_DAY)
    assert LeaveDay.objects.filter(practitioner_id=one.id, leave_id=running).count() == 1


def test_leave_is_noted_by_oneself_or_the_administrator_of_a_line_of_any_state(line: Line) -> None:
    one = mornings(line)
    abroad = LineFactory(facility__state_id=TAMIL_NADU)
    assign(SYSTEM, practitioner=one, line=abroad)
    stranger = FacilityFactory()
    allowed = [
        doctor(one),
        administrator(line.state_id, line.facility_id),
        administrator(abroad.state_id, abroad.facility_id),
    ]
    for number, actor in enumerate(allowed):
        at = day() + ONE_DAY * number
        take_leave(actor, practitioner=one, first=at, last=at)
    for actor in (
        doctor(mornings(line)),
        administrator(stranger.state_id, stranger.id),
        Actor(ActorKind.ANONYMOUS),
    ):
        with pytest.raises(NotPermitted):
            take_leave(actor, practitioner=one, first=day() + ONE_DAY * 9, last=day() + ONE_DAY * 9)
        with pytest.raises(NotPermitted):
            cancel_leave(actor, practitioner=one, leave_id=uuid7())


# Swaps --------------------------------------------------------------------------------------------


def test_an_accepted_shift_changes_hands_and_both_are_told(line: Line) -> None:
    giver, taker, other = mornings(line), practitioner_on(line), practitioner_on(line)
    offered = offer(giver, taker, line)
    assert days_planned(taker) == []
    second = offer(giver, other, line)
    with pytest.raises(OfferedAlready), transaction.atomic():
        offer(giver, taker, line)
    accept(taker, offered)
    accept(taker, offered)
    assert days_planned(taker) == [day()]
    assert days_planned(giver) == [day() + ONE_DAY * 7]
    with pytest.raises(Stale):
        accept(other, second)
    purposes = list(OutgoingMessage.objects.order_by("id").values_list("purpose", flat=True))
    assert purposes == ["shift_offered", "shift_offered", "shift_taken"]


def test_a_shift_is_passed_on_and_given_back(line: Line) -> None:
    first, second, third = mornings(line), practitioner_on(line), practitioner_on(line)
    accept(second, offer(first, second, line))
    with pytest.raises(ShiftGone):
        offer(first, third, line)
    accept(third, offer(second, third, line))
    assert [days_planned(one) for one in (second, third)] == [[], [day()]]
    accept(first, offer(third, first, line))
    assert [day() in days_planned(one) for one in (first, second, third)] == [True, False, False]
    accept(third, offer(first, third, line))
    assert days_planned(third) == [day()]
    assert (
        ShiftOffer.objects.filter(state_id=line.state_id, status=OfferStatus.ACCEPTED).count() == 1
    )


def test_declined_or_withdrawn_it_stays_where_it_was(line: Line) -> None:
    giver, taker = mornings(line), practitioner_on(line)
    refused = offer(giver, taker, line)
    key: dict[str, Any] = {"state_id": line.state_id, "offer_id": refused.id}
    decline_shift(doctor(taker), taker=taker, **key)
    with pytest.raises(Stale):
        withdraw_shift(doctor(giver), giver=giver, **key)
    taken_back = offer(giver, taker, line)
    key = {"state_id": line.state_id, "offer_id": taken_back.id}
    withdraw_shift(doctor(giver), giver=giver, **key)
    with pytest.raises(Stale):
        accept(taker, taken_back)
    assert (day() in days_planned(giver), days_planned(taker)) == (True, [])


def test_nobody_answers_for_another(line: Line) -> None:
    giver, taker, other = mornings(line), practitioner_on(line), practitioner_on(line)
    offered = offer(giver, taker, line)
    key: dict[str, Any] = {"state_id": line.state_id, "offer_id": offered.id}
    for verb in (accept_shift, decline_shift):
        with pytest.raises(NotFound):
            verb(doctor(other), taker=other, **key)
        with pytest.raises(NotPermitted):
            verb(doctor(other), taker=taker, **key)
    with pytest.raises(NotFound):
        withdraw_shift(doctor(taker), giver=taker, **key)
    with pytest.raises(NotPermitted):
        offer_shift(
            doctor(taker), giver=giver, line=line, begins_at=moment(day(), NINE), taker=other
        )


def test_a_colleague_who_is_away_or_busy_is_refused_by_name(line: Line) -> None:
    giver = mornings(line)
    away, later_away = practitioner_on(line), practitioner_on(line)
    take_leave(doctor(away), practitioner=away, first=day(), last=day())
    with pytest.raises(TakerAway) as refused:
        offer(giver, away, line)
    assert away.name in str(refused.value.message)
    offered = offer(giver, later_away, line)
    take_leave(doctor(later_away), practitioner=later_away, first=day(), last=day())
    with pytest.raises(TakerAway):
        accept(later_away, offered)
    busy = practitioner_on(line)
    elsewhere = LineFactory(facility__state_id=TAMIL_NADU)
    assign(SYSTEM, practitioner=busy, line=elsewhere)
    plan(busy, elsewhere, (day().weekday(), datetime.time(12), MIDNIGHT))
    with pytest.raises(TakerBusy):
        offer(giver, busy, line)
    plan(busy, elsewhere, (day().weekday(), ONE_PM, MIDNIGHT))
    accept(busy, offer(giver, busy, line))
    with pytest.raises(Invalid):
        offer(busy, PractitionerFactory(), line)


def test_only_a_shift_that_is_planned_and_ahead_is_given(line: Line) -> None:
    giver, taker = mornings(line), practitioner_on(line)
    key: dict[str, Any] = {"giver": giver, "line": line, "taker": taker}
    with pytest.raises(ShiftGone):
        offer_shift(doctor(giver), **key, begins_at=moment(day(), datetime.time(10)))
    with pytest.raises(ShiftBegun):
        offer_shift(doctor(giver), **key, begins_at=clock.now())
    offered = offer(giver, taker, line)
    with clock.driven_by(itertools.repeat(offered.begins_at).__next__), pytest.raises(ShiftBegun):
        accept(taker, offered)
    take_leave(doctor(giver), practitioner=giver, first=day(), last=day())
    accept(taker, offered)
    assert days_planned(taker) == [day()]


def test_on_a_holiday_nobody_is_expected_and_nothing_is_swapped(line: Line) -> None:
    giver, taker = mornings(line), practitioner_on(line)
    key: dict[str, Any] = {"state_id": line.state_id, "facility_id": line.facility_id}
    add_holidays(SYSTEM, **key, first=day(), last=day(), reason="Diwali")
    assert days_planned(giver) == [day() + ONE_DAY * 7]
    with pytest.raises(ShiftGone):
        offer(giver, taker, line)


def test_who_is_taken_off_the_line_is_not_expected(line: Line) -> None:
    giver, taker = mornings(line), practitioner_on(line)
    accept(taker, offer(giver, taker, line))
    during = moment(day(), datetime.time(10))
    with clock.driven_by(itertools.repeat(during).__next__):
        assert planned_now(line.state_id, [line.id])[line.id] == {taker.id}
        unassign(SYSTEM, practitioner=taker, line=line)
        assert planned_now(line.state_id, [line.id])[line.id] == set()


def test_who_leaves_the_line_gives_shifts_back_and_the_owner_is_told(line: Line) -> None:
    owner, second, taker = mornings(line), practitioner_on(line), practitioner_on(line)
    accept(second, offer(owner, second, line))
    accept(taker, offer(second, taker, line))
    unassign(SYSTEM, practitioner=taker, line=line)
    assert day() in days_planned(owner)
    assert [days_planned(one) for one in (second, taker)] == [[], []]
    [told] = OutgoingMessage.objects.filter(purpose="shift_back")
    assert told.mobile == Account.objects.get(id=owner.account_id).mobile
    # It may be given away anew, also to who comes back.
    assign(SYSTEM, practitioner=taker, line=line)
    accept(taker, offer(owner, taker, line))
    assert days_planned(taker) == [day()]


# What is kept of duty -----------------------------------------------------------------------------


@pytest.fixture
def minutes() -> Iterator[None]:
    """Each look at the clock is a minute after the one before."""
    start = clock.now()
    ticks = itertools.count()
    with clock.driven_by(lambda: start + datetime.timedelta(minutes=next(ticks))):
        yield


@pytest.mark.usefixtures("minutes")
def test_duty_leaves_a_spell_in_each_line_of_each_state_with_its_breaks() -> None:
    one = PractitionerFactory()
    lines = [LineFactory(facility__state_id=state) for state in (ANDHRA_PRADESH, TAMIL_NADU)]
    for line in lines:
        assign(SYSTEM, practitioner=one, line=line)
    for to in (DutyStatus.ON, DutyStatus.BREAK, DutyStatus.ON, DutyStatus.BREAK):
        change_duty(doctor(one), practitioner=one, to=to)
    first, second = Break.objects.filter(practitioner_id=one.id).order_by("began_at")
    assert [first.ended_at is None, second.ended_at is None] == [False, True]
    third = LineFactory()
    assign(SYSTEM, practitioner=one, line=third)
    change_duty(doctor(one), practitioner=one, to=DutyStatus.OFF)
    second.refresh_from_db()
    assert second.ended_at
    for line in (*lines, third):
        [spell] = Spell.objects.filter(state_id=line.state_id, line_id=line.id)
        assert spell.practitioner_id == one.id
        assert spell.ended_at
        assert (spell.began_at > first.began_at) is (line is third)


@pytest.mark.usefixtures("minutes")
def test_a_spell_ends_when_the_line_is_left(line: Line) -> None:
    clinic = Clinic.objects.get(state_id=line.state_id, line_id=line.id)
    one = on_duty(clinic)
    change_duty(doctor(one), practitioner=one, to=DutyStatus.BREAK)
    unassign(SYSTEM, practitioner=one, line=line)
    [spell] = Spell.objects.filter(state_id=line.state_id, line_id=line.id)
    assert spell.ended_at
    assert not Break.objects.filter(practitioner_id=one.id, ended_at__isnull=True).exists()
    assign(SYSTEM, practitioner=one, line=line)
    change_duty(doctor(one), practitioner=one, to=DutyStatus.ON)
    assert Spell.objects.filter(state_id=line.state_id, line_id=line.id).count() == 2
