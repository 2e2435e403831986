"""Who serves a line: joining and leaving it in the middle of a day, and the weekly plan."""

import datetime
import itertools
from typing import Any

import pytest

from sanjeevani.consultation import closing
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.services import NoteContent, answer, call_next, complete, write_note
from sanjeevani.directory.errors import AlreadyClosed, HolidayPassed
from sanjeevani.directory.models import Clinic, Practitioner, Role
from sanjeevani.directory.queries import acting_post, clinic_of_line, clinics_serving, holidays_of
from sanjeevani.directory.services import add_holidays, remove_holiday, serve_states
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import DomainError, Invalid, NotPermitted, TooMany
from sanjeevani.queueing.models import Token
from sanjeevani.queueing.places import set_places
from sanjeevani.queueing.queries import live_token_of
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.planning import moment
from sanjeevani.roster.queries import (
    doctors_on_duty,
    duty_of,
    planned_now,
    plans_of,
    serving,
)
from sanjeevani.roster.services import ask_on_duty, assign, change_duty, plan_week, unassign
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    ClinicFactory,
    FacilityFactory,
    LineFactory,
    PatientFactory,
    PostFactory,
    PractitionerFactory,
    StateFactory,
    doctor,
    on_duty,
    person,
    requested,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    """A clinic that is always open."""
    made: Clinic = ClinicFactory()
    return made


def on_duty_in(clinic: Clinic) -> int:
    """How many serve the clinic now."""
    return doctors_on_duty(clinic.state_id, [clinic.line_id])[clinic.line_id]


def in_consultation(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """A patient of the clinic who talks with the doctor."""
    held = requested(clinic, PatientFactory())
    call_next(doctor(practitioner), practitioner=practitioner)
    return answer(person(held.patient_account_id), state_id=held.state_id, consultation_id=held.id)


def test_who_is_on_duty_serves_a_new_line_at_once(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    second = ClinicFactory()
    assign(SYSTEM, practitioner=practitioner, line=second.line)
    assert on_duty_in(second) == 1
    assign(SYSTEM, practitioner=practitioner, line=second.line)
    assert on_duty_in(second) == 1


def test_only_the_verified_serve(clinic: Clinic) -> None:
    with pytest.raises(NotPermitted):
        assign(SYSTEM, practitioner=PractitionerFactory(verified_at=None), line=clinic.line)


def test_a_doctor_does_not_assign_himself(clinic: Clinic) -> None:
    practitioner = PractitionerFactory()
    with pytest.raises(NotPermitted):
        assign(doctor(practitioner), practitioner=practitioner, line=clinic.line)


def test_removed_in_mid_consultation_finishes_it_and_gets_no_next(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    held = in_consultation(clinic, practitioner)
    requested(clinic, PatientFactory())
    unassign(SYSTEM, practitioner=practitioner, line=clinic.line)
    assert on_duty_in(clinic) == 0
    assert duty_of(practitioner.id) == DutyStatus.OFF
    key: dict[str, Any] = {
        "practitioner": practitioner,
        "state_id": held.state_id,
        "consultation_id": held.id,
    }
    write_note(doctor(practitioner), **key, content=NoteContent(advice="Rest"), diagnoses=[])
    done = complete(doctor(practitioner), **key, outcome=Outcome.ADVICE)
    assert done.status == ConsultationStatus.COMPLETED
    with pytest.raises(DomainError):
        call_next(doctor(practitioner), practitioner=practitioner)


def test_removed_from_one_line_goes_on_in_the_other(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    other = ClinicFactory()
    assign(SYSTEM, practitioner=practitioner, line=other.line)
    unassign(SYSTEM, practitioner=practitioner, line=clinic.line)
    assert duty_of(practitioner.id) == DutyStatus.ON
    assert (on_duty_in(clinic), on_duty_in(other)) == (0, 1)


def test_the_plan_waits_for_a_return(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    shift = Opening(weekday=0, opens=datetime.time(9), closes=datetime.time(13))
    plan_week(SYSTEM, practitioner_id=practitioner.id, line=clinic.line, shifts=[shift])
    unassign(SYSTEM, practitioner=practitioner, line=clinic.line)
    with pytest.raises(Invalid):
        plan_week(SYSTEM, practitioner_id=practitioner.id, line=clinic.line, shifts=[])
    assign(SYSTEM, practitioner=practitioner, line=clinic.line)
    (plan,) = plans_of(clinic.state_id, [clinic.line_id])[clinic.line_id]
    monday = moment(plan.since + datetime.timedelta(days=7 - plan.since.weekday()))
    for hour, expected in ((10, True), (13, False)):
        with clock.driven_by(itertools.repeat(monday + datetime.timedelta(hours=hour)).__next__):
            now = planned_now(clinic.state_id, [clinic.line_id])[clinic.line_id]
            assert (practitioner.id in now) is expected


def test_shifts_that_overlap_are_refused(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    shifts = [
        Opening(weekday=0, opens=datetime.time(9), closes=datetime.time(13)),
        Opening(weekday=0, opens=datetime.time(12), closes=datetime.time(14)),
    ]
    with pytest.raises(Invalid, match="Invalid"):
        plan_week(SYSTEM, practitioner_id=practitioner.id, line=clinic.line, shifts=shifts)


def test_a_doctor_is_asked_on_duty_but_not_again_and_again(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    ask: dict[str, Any] = {
        "practitioner": practitioner,
        "line": clinic.line,
        "clinic_name": clinic.name,
    }
    with pytest.raises(Invalid):
        ask_on_duty(SYSTEM, **ask)
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.OFF)
    ask_on_duty(SYSTEM, **ask)
    ask_on_duty(SYSTEM, **ask)
    with pytest.raises(TooMany):
        ask_on_duty(SYSTEM, **ask)


def test_places_never_go_below_what_is_taken(clinic: Clinic) -> None:
    for _number in range(3):
        requested(clinic, PatientFactory())
    key: dict[str, Any] = {
        "state_id": clinic.state_id,
        "line_id": clinic.line_id,
        "waiting_places": 5,
    }
    with pytest.raises(Invalid) as refused:
        set_places(SYSTEM, **key, places_per_day=2)
    assert "3 places of today are taken" in str(refused.value.message)
    assert refused.value.field == "places_per_day"
    set_places(SYSTEM, **key, places_per_day=3)
    with pytest.raises(DomainError):
        requested(clinic, PatientFactory())


def test_a_holiday_closes_its_clinics_and_only_for_its_day(clinic: Clinic) -> None:
    other = ClinicFactory(line=LineFactory(facility=clinic.facility))
    elsewhere = ClinicFactory()
    today = clock.today()
    key: dict[str, Any] = {"state_id": clinic.state_id, "facility_id": clinic.facility_id}

    def closed() -> set[Any]:
        return {found.clinic.id for found in clinics_serving(ANDHRA_PRADESH) if not found.is_open}

    assert closed() == set()
    add_holidays(SYSTEM, **key, clinic_id=clinic.id, first=today, last=today, reason="Repairs")
    assert closed() == {clinic.id}
    tomorrow = today + datetime.timedelta(days=1)
    assert add_holidays(SYSTEM, **key, first=today, last=tomorrow, reason="Diwali") == 2
    assert add_holidays(SYSTEM, **key, first=today, last=tomorrow, reason="Diwali") == 0
    assert closed() == {clinic.id, other.id}
    assert elsewhere.id not in closed()
    for holiday in holidays_of(clinic.state_id, clinic.facility_id, clinic.id):
        remove_holiday(SYSTEM, state_id=clinic.state_id, holiday_id=holiday.id)
    assert closed() == set()


@pytest.mark.parametrize(
    ("first", "last", "refusal"), [(-1, 0, HolidayPassed), (2, 1, Invalid), (0, 90, Invalid)]
)
def test_holidays_that_make_no_sense_are_refused(
    clinic: Clinic, first: int, last: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        add_holidays(
            SYSTEM,
            state_id=clinic.state_id,
            facility_id=clinic.facility_id,
            first=clock.today() + datetime.timedelta(days=first),
            last=clock.today() + datetime.timedelta(days=last),
            reason="Diwali",
        )


def test_closing_moves_the_waiting_or_tells_them_and_lets_talks_end(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    held = in_consultation(clinic, practitioner)
    waiting = requested(clinic, PatientFactory())
    settled = closing.close_clinic(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id)
    assert (settled.moved, settled.told) == (0, 1)
    waiting.refresh_from_db()
    assert waiting.status == ConsultationStatus.ABANDONED
    assert live_token_of(practitioner.id) == (held.state_id, held.token_id)
    assert serving([clinic.line_id]) == {clinic.line_id: []}
    found = clinic_of_line(clinic.state_id, clinic.line_id)
    assert found
    assert not found.is_open
    with pytest.raises(AlreadyClosed):
        closing.close_clinic(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id)


def test_closing_takes_the_waiting_to_an_attended_clinic_with_their_wait(clinic: Clinic) -> None:
    waiting = requested(clinic, PatientFactory())
    other = ClinicFactory()
    on_duty(other)
    since = Token.objects.get(state_id=clinic.state_id, id=waiting.token_id).waiting_since
    settled = closing.close_clinic(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id)
    assert (settled.moved, settled.told) == (1, 0)
    token = Token.objects.get(state_id=other.state_id, line_id=other.line_id, status="waiting")
    assert token.waiting_since == since


def test_a_post_does_not_end_in_mid_consultation(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    post = PostFactory(facility=clinic.facility, practitioner=practitioner, role=Role.DOCTOR)
    held = in_consultation(clinic, practitioner)
    key: dict[str, Any] = {"state_id": post.state_id, "post_id": post.id}
    with pytest.raises(closing.WithPatient):
        closing.end_post(SYSTEM, **key)
    assert acting_post(**key).ended_at is None
    assert live_token_of(practitioner.id) == (held.state_id, held.token_id)


def test_the_last_post_takes_all_lines_with_it(clinic: Clinic) -> None:
    practitioner = on_duty(clinic)
    far = ClinicFactory(line=LineFactory(facility=FacilityFactory(state_id=TAMIL_NADU)), serves=[])
    assign(SYSTEM, practitioner=practitioner, line=far.line)
    first = PostFactory(facility=clinic.facility, practitioner=practitioner)
    last = PostFactory(facility=FacilityFactory(), practitioner=practitioner)
    closing.end_post(SYSTEM, state_id=first.state_id, post_id=first.id)
    assert (on_duty_in(clinic), on_duty_in(far)) == (0, 1)
    closing.end_post(SYSTEM, state_id=last.state_id, post_id=last.id)
    assert on_duty_in(far) == 0
    assert duty_of(practitioner.id) == DutyStatus.OFF


def test_the_states_served_only_grow() -> None:
    StateFactory()
    StateFactory(lgd_code=TAMIL_NADU)
    host = FacilityFactory(state_id=0)
    clinic = ClinicFactory(line=LineFactory(facility=host), serves=[])
    key: dict[str, Any] = {"state_id": 0, "clinic_id": clinic.id}
    serve_states(SYSTEM, **key, state_ids=[ANDHRA_PRADESH])
    serve_states(SYSTEM, **key, state_ids=[TAMIL_NADU])
    for state_id in (ANDHRA_PRADESH, TAMIL_NADU):
        assert [found.clinic.id for found in clinics_serving(state_id)] == [clinic.id]
    with pytest.raises(Invalid):
        serve_states(SYSTEM, **key, state_ids=[0])
