"""Coming, pausing and leaving, and which lines know of it."""

from typing import Any

import pytest

from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.services import open_lane
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Invalid, NotPermitted, Stale
from sanjeevani.foundation.models import OutboxFact
from sanjeevani.roster.models import Assignment, DutyLine, DutyStatus, Spell
from sanjeevani.roster.queries import (
    assigned_lines,
    doctors_on_duty,
    duty_of,
    who_is_on_duty,
)
from sanjeevani.roster.services import assign, change_duty, serve_lane, unassign
from tests.factories import ANDHRA_PRADESH, TAMIL_NADU, LineFactory, PractitionerFactory, doctor

pytestmark = pytest.mark.django_db


@pytest.fixture
def practitioner() -> Practitioner:
    """A doctor who serves a line at home and one in another state."""
    found: Practitioner = PractitionerFactory()
    for state_id in (ANDHRA_PRADESH, TAMIL_NADU):
        line = LineFactory(facility__state_id=state_id)
        assign(SYSTEM, practitioner=found, line=line)
    return found


def go(practitioner: Practitioner, to: DutyStatus) -> None:
    """Change duty."""
    change_duty(doctor(practitioner), practitioner=practitioner, to=to)


def lane_of(practitioner: Practitioner) -> Line:
    """Open the practitioner's lane in the first line."""
    state_id, line_id = assigned_lines(practitioner.id)[0]
    parent = Line.objects.get(state_id=state_id, id=line_id)
    return open_lane(SYSTEM, parent=parent, practitioner_id=practitioner.id, places=5)


def serving(practitioner: Practitioner) -> list[int]:
    """How many doctors each of the practitioner's lines has."""
    return [
        doctors_on_duty(state_id, [line_id])[line_id]
        for state_id, line_id in assigned_lines(practitioner.id)
    ]


def test_nobody_is_on_duty_unasked(practitioner: Practitioner) -> None:
    assert duty_of(practitioner.id) == DutyStatus.OFF
    assert serving(practitioner) == [0, 0]


def test_duty_counts_in_all_lines_of_all_states(practitioner: Practitioner) -> None:
    go(practitioner, DutyStatus.ON)
    assert serving(practitioner) == [1, 1]
    go(practitioner, DutyStatus.BREAK)
    assert serving(practitioner) == [0, 0]
    go(practitioner, DutyStatus.ON)
    assert serving(practitioner) == [1, 1]
    go(practitioner, DutyStatus.OFF)
    assert serving(practitioner) == [0, 0]


def test_every_line_is_told(practitioner: Practitioner) -> None:
    go(practitioner, DutyStatus.ON)
    for state_id, line_id in assigned_lines(practitioner.id):
        (fact,) = OutboxFact.objects.filter(state_id=state_id, kind="roster.DutyChanged")
        assert f"line.{line_id}" in fact.topics


def test_the_same_again_changes_nothing(practitioner: Practitioner) -> None:
    go(practitioner, DutyStatus.ON)
    go(practitioner, DutyStatus.ON)
    assert serving(practitioner) == [1, 1]
    assert OutboxFact.objects.filter(state_id=TAMIL_NADU, kind="roster.DutyChanged").count() == 1


def test_no_break_from_home(practitioner: Practitioner) -> None:
    with pytest.raises(Stale):
        go(practitioner, DutyStatus.BREAK)


def test_duty_needs_a_line() -> None:
    with pytest.raises(Invalid):
        go(PractitionerFactory(), DutyStatus.ON)


def test_the_unverified_serve_nowhere() -> None:
    unverified = PractitionerFactory(verified_at=None)
    with pytest.raises(NotPermitted):
        assign(SYSTEM, practitioner=unverified, line=LineFactory())


def test_assigned_twice_is_once() -> None:
    practitioner, line = PractitionerFactory(), LineFactory()
    for _ in range(2):
        assign(SYSTEM, practitioner=practitioner, line=line)
    assert assigned_lines(practitioner.id) == [(line.state_id, line.id)]


@pytest.mark.parametrize("duty", DutyStatus)
def test_a_lane_opened_as_its_doctor_goes_off_duty_is_not_served(
    practitioner: Practitioner, duty: DutyStatus
) -> None:
    for to in {DutyStatus.OFF: (), DutyStatus.ON: (DutyStatus.ON,)}.get(
        duty, (DutyStatus.ON, DutyStatus.BREAK)
    ):
        go(practitioner, to)
    lane = lane_of(practitioner)
    serve_lane(
        SYSTEM,
        practitioner_id=practitioner.id,
        practitioner_state_id=practitioner.state_id,
        lane=lane,
    )
    on = list(DutyLine.objects.filter(state_id=lane.state_id, line_id=lane.id))
    assert [one.on_break for one in on] == {"off": [], "on": [False], "break": [True]}[duty]
    assert Spell.objects.filter(state_id=lane.state_id, line_id=lane.id).count() == len(on)
    assert (lane.state_id, lane.id) in assigned_lines(practitioner.id)


def test_a_lane_opened_as_its_doctor_is_taken_off_the_line_is_nobodys(
    practitioner: Practitioner,
) -> None:
    """Or who was taken off would get a patient there all the same, and serve it for good."""
    go(practitioner, DutyStatus.ON)
    lane = lane_of(practitioner)
    assert lane.parent_id is not None
    parent = Line.objects.get(state_id=lane.state_id, id=lane.parent_id)
    mine: dict[str, Any] = {
        "practitioner_id": practitioner.id,
        "practitioner_state_id": practitioner.state_id,
    }
    # The request has seen the doctor serve the line; the administrator comes before the lane.
    unassign(SYSTEM, practitioner=practitioner, line=parent)
    serve_lane(SYSTEM, lane=lane, **mine)
    assert (lane.state_id, lane.id) not in assigned_lines(practitioner.id)
    assert not DutyLine.objects.filter(state_id=lane.state_id, line_id=lane.id).exists()


def test_who_is_taken_off_between_two_reads_is_not_on_duty(practitioner: Practitioner) -> None:
    go(practitioner, DutyStatus.ON)
    state_id, line_id = assigned_lines(practitioner.id)[0]
    assert who_is_on_duty(state_id, [line_id])[line_id] == [
        (practitioner.state_id, practitioner.id)
    ]
    Assignment.objects.filter(practitioner_id=practitioner.id).delete()
    assert who_is_on_duty(state_id, [line_id])[line_id] == []
