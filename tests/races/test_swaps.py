"""Shifts that two take at the same moment, and leave that is noted while a shift is taken."""

import datetime
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.roster import services
from sanjeevani.roster.errors import LeaveOverlaps, TakerBusy
from sanjeevani.roster.leave import take_leave
from sanjeevani.roster.models import LeaveDay, OfferStatus, ShiftOffer
from sanjeevani.roster.planning import ONE_DAY, moment, planned
from sanjeevani.roster.queries import known_of, plans_of
from sanjeevani.roster.services import assign, plan_week
from sanjeevani.roster.swaps import accept_shift, offer_shift, withdraw_shift
from tests.factories import ClinicFactory, PractitionerFactory, doctor
from tests.races.conftest import at_once
from tests.races.test_endings import ByAnother, by_another

__all__ = ["by_another"]

NINE = datetime.time(9)


def day() -> datetime.date:
    """A day to come."""
    return clock.today() + ONE_DAY * 3


def doctors_of(line: Line, count: int) -> list[Practitioner]:
    """Doctors who serve a line."""
    found: list[Practitioner] = PractitionerFactory.create_batch(count)
    for one in found:
        assign(SYSTEM, practitioner=one, line=line)
    return found


def offered(giver: Practitioner, taker: Practitioner, line: Line) -> ShiftOffer:
    """A morning that the giver offers."""
    shift = Opening(weekday=day().weekday(), opens=NINE, closes=datetime.time(13))
    plan_week(SYSTEM, practitioner_id=giver.id, line=line, shifts=[shift])
    return offer_shift(
        doctor(giver), giver=giver, line=line, begins_at=moment(day(), NINE), taker=taker
    )


def accepting(taker: Practitioner, offer: ShiftOffer) -> "partial[ShiftOffer]":
    """The taker's press."""
    key: dict[str, Any] = {"state_id": offer.state_id, "offer_id": offer.id}
    return partial(accept_shift, doctor(taker), taker=taker, **key)


def planned_in(line: Line) -> list[uuid.UUID]:
    """The ids of who is planned that day."""
    known = known_of(line.state_id, [line.id], day(), day())[line.id]
    return [shift.practitioner_id for shift in planned(known, day(), day())]


@pytest.mark.usefixtures("committed")
def test_two_who_take_a_shift_and_one_who_takes_it_twice_have_one_effect() -> None:
    line = ClinicFactory().line
    giver, first, second = doctors_of(line, 3)
    calls = []
    for taker in (first, second):
        press = accepting(taker, offered(giver, taker, line))
        calls += [press, press]
    results = at_once(calls, 4, Stale, shaken=True)
    winners = [index for index, one in enumerate(results) if not isinstance(one, Stale)]
    assert winners in ([0, 1], [2, 3])
    assert planned_in(line) == [(first, second)[winners[0] // 2].id]


@pytest.mark.usefixtures("committed")
def test_one_who_takes_two_shifts_of_the_same_hours_gets_one() -> None:
    lines = [ClinicFactory().line for _number in range(2)]
    givers = [doctors_of(line, 1)[0] for line in lines]
    [taker] = doctors_of(lines[0], 1)
    assign(SYSTEM, practitioner=taker, line=lines[1])
    calls = [
        accepting(taker, offered(giver, taker, line))
        for giver, line in zip(givers, lines, strict=True)
    ]
    results = at_once(calls, 2, TakerBusy, shaken=True)
    assert sum(isinstance(one, TakerBusy) for one in results) == 1
    assert sum(taker.id in planned_in(line) for line in lines) == 1


@pytest.mark.usefixtures("committed")
def test_a_shift_is_withdrawn_or_taken_and_leave_is_noted_once() -> None:
    line = ClinicFactory().line
    giver, taker = doctors_of(line, 2)
    offer = offered(giver, taker, line)
    key: dict[str, Any] = {"state_id": offer.state_id, "offer_id": offer.id}
    away = partial(
        take_leave, doctor(giver), practitioner=giver, first=day() + ONE_DAY, last=day() + ONE_DAY
    )
    withdrawing = partial(withdraw_shift, doctor(giver), giver=giver, **key)
    calls: list[Callable[[], Any]] = [accepting(taker, offer), withdrawing, away, away]
    results = at_once(calls, 4, (Stale, LeaveOverlaps), shaken=True)
    assert [isinstance(one, Stale) for one in results[:2]] in ([True, False], [False, True])
    assert sum(isinstance(one, LeaveOverlaps) for one in results[2:]) == 1
    assert LeaveDay.objects.filter(practitioner_id=giver.id).count() == 1
    status = ShiftOffer.objects.get(state_id=line.state_id, id=offer.id).status
    won = OfferStatus.WITHDRAWN if isinstance(results[0], Stale) else OfferStatus.ACCEPTED
    assert status == won


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("hour", [9, 10])
def test_a_week_planned_by_two_at_once_is_that_of_one(
    by_another: ByAnother, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    """Saved twice, or by two administrators: no fault, and no shifts over each other."""
    line = ClinicFactory().line
    [who] = doctors_of(line, 1)
    main = threading.current_thread()
    begun: list[bool] = []

    def plan(opens: int) -> None:
        shift = Opening(weekday=0, opens=datetime.time(opens), closes=datetime.time(opens + 4))
        plan_week(SYSTEM, practitioner_id=who.id, line=line, shifts=[shift])

    def meanwhile() -> uuid.UUID:
        if threading.current_thread() is main and not begun:
            begun.append(True)
            by_another(partial(plan, hour))
        return uuid7()

    monkeypatch.setattr(services, "uuid7", meanwhile)
    plan(9)
    monkeypatch.undo()
    assert len(plans_of(line.state_id, [line.id])[line.id]) == 1
