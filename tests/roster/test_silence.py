"""A doctor whose desk is open nowhere any more is off duty: nobody is promised them in vain."""

import datetime
import html
from contextlib import AbstractContextManager

import pytest
from django.test import Client
from django.urls import reverse

from sanjeevani.calls.models import Mode, Presence, Room, Seat
from sanjeevani.consultation.interruptions import GRACE, resume
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.services import answer, call_next
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.live import TICKET_SECONDS
from sanjeevani.jobs import tasks
from sanjeevani.jobs.sweeper import SILENT, SILENT_ON_BREAK, end_silent_duties, sweep_deadlines
from sanjeevani.queueing.models import Token, TokenStatus
from sanjeevani.queueing.queries import serving
from sanjeevani.roster.models import DutyStatus, Spell
from sanjeevani.roster.queries import duty_of
from sanjeevani.roster.services import change_duty
from tests import factories
from tests.web.test_desk import sign_in_doctor

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

MOMENT = datetime.timedelta(minutes=1)


def after(span: datetime.timedelta) -> AbstractContextManager[None]:
    """A clock that is so much later."""
    at = clock.now() + span
    return clock.driven_by(lambda: at)


@pytest.fixture
def clinic() -> Clinic:
    made: Clinic = factories.ClinicFactory.create()
    return made


@pytest.fixture
def doctor(clinic: Clinic) -> Practitioner:
    """On duty, with the desk open in one browser."""
    practitioner = factories.on_duty(clinic)
    sign_in_doctor(Client(), practitioner)
    return practitioner


def test_duty_ends_some_time_after_the_desk_was_open_last(
    clinic: Clinic, doctor: Practitioner, client: Client
) -> None:
    with after(SILENT - MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.ON
    with after(SILENT + MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.OFF
        assert serving(clinic.state_id, [clinic.line_id])[clinic.line_id].doctors == 0
        assert not Spell.objects.filter(
            state_id=clinic.state_id, practitioner_id=doctor.id, ended_at__isnull=True
        ).exists()
        sign_in_doctor(client, doctor)
        page = html.unescape(client.get(reverse("doctor:desk")).content.decode())
        assert "this page was open nowhere" in page
        change_duty(factories.doctor(doctor), practitioner=doctor, to=DutyStatus.ON)
        change_duty(factories.doctor(doctor), practitioner=doctor, to=DutyStatus.OFF)
        page = html.unescape(client.get(reverse("doctor:desk")).content.decode())
        assert "this page was open nowhere" not in page


def test_an_open_desk_keeps_duty(doctor: Practitioner, client: Client) -> None:
    """It asks once a minute, of which one in five minutes is noted."""
    sign_in_doctor(client, doctor)
    with after(SILENT / 2 + MOMENT):
        assert client.get(reverse("doctor:lines")).status_code == 200
    with after(SILENT + MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.ON
    with after(SILENT + SILENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.OFF


def test_a_desk_behind_another_window_keeps_duty(doctor: Practitioner, client: Client) -> None:
    """While it is live it asks for nothing but the next ticket."""
    sign_in_doctor(client, doctor)
    asks = datetime.timedelta(seconds=TICKET_SECONDS - 30)
    for turn in range(1, 5):
        with after(asks * turn):
            assert client.get(reverse("doctor:ticket")).status_code == 200
        with after(asks * (turn + 1) + MOMENT):
            end_silent_duties()
            assert duty_of(doctor.id) == DutyStatus.ON


def test_who_is_with_a_patient_may_be_on_the_phone(clinic: Clinic, doctor: Practitioner) -> None:
    factories.requested(clinic, factories.PatientFactory.create())
    call_next(factories.doctor(doctor), practitioner=doctor)
    with after(SILENT + MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.ON


def test_a_break_may_last_longer_and_not_all_night(doctor: Practitioner) -> None:
    change_duty(factories.doctor(doctor), practitioner=doctor, to=DutyStatus.BREAK)
    with after(SILENT_ON_BREAK - MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.BREAK
    with after(SILENT_ON_BREAK + MOMENT):
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.OFF


def test_who_has_signed_out_everywhere_has_gone(clinic: Clinic) -> None:
    doctor = factories.on_duty(clinic)
    with after(SILENT + MOMENT):
        end_silent_duties()
    assert duty_of(doctor.id) == DutyStatus.OFF


def look_each_minute(first: datetime.timedelta, last: datetime.timedelta) -> None:
    """Run the task from the first minute to the last, as the job worker does."""
    at = first
    while at <= last:
        with after(at):
            tasks.end_silent_duties_again(timestamp=0)
        at += MOMENT


def test_an_outage_ends_nobodys_duty(
    doctor: Practitioner, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At noon all would be off duty at once, with their desks open, and their lines sent away."""
    sign_in_doctor(client, doctor)
    monkeypatch.setattr(tasks, "_listening", tasks.Listening())
    look_each_minute(MOMENT, 10 * MOMENT)
    back = SILENT + 20 * MOMENT
    look_each_minute(back, back + MOMENT)
    assert duty_of(doctor.id) == DutyStatus.ON
    with after(back + 2 * MOMENT):
        assert client.get(reverse("doctor:lines")).status_code == 200
    look_each_minute(back + 2 * MOMENT, back + SILENT)
    assert duty_of(doctor.id) == DutyStatus.ON
    look_each_minute(back + SILENT, back + SILENT + 4 * MOMENT)
    assert duty_of(doctor.id) == DutyStatus.OFF


def test_a_worker_that_starts_anew_listens_first(
    doctor: Practitioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_listening", tasks.Listening())
    late = SILENT + MOMENT
    look_each_minute(late, late + tasks.HEARD_AGAIN - MOMENT)
    assert duty_of(doctor.id) == DutyStatus.ON
    look_each_minute(late + tasks.HEARD_AGAIN, late + tasks.HEARD_AGAIN)
    assert duty_of(doctor.id) == DutyStatus.OFF


def with_patient(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """Somebody who has answered the doctor's call."""
    factories.requested(clinic, factories.PatientFactory.create())
    called = call_next(factories.doctor(practitioner), practitioner=practitioner)
    me = factories.person(called.patient_account_id)
    return answer(me, state_id=called.state_id, consultation_id=called.id)


def test_who_is_left_by_a_doctor_who_went_silent_comes_to_another(
    clinic: Clinic, doctor: Practitioner
) -> None:
    """The desk was gone before the patient answered, or they wrote: no seat could be lost."""
    held = with_patient(clinic, doctor)
    at = {"state_id": held.state_id, "id": held.id}
    with after(SILENT - MOMENT):
        end_silent_duties()
        assert Consultation.objects.get(**at).status == ConsultationStatus.IN_PROGRESS
    with after(SILENT + MOMENT):
        end_silent_duties()
        # Whoever presses to go on is not sent round in a circle.
        me = factories.person(held.patient_account_id)
        resume(me, state_id=held.state_id, consultation_id=held.id)
        assert Consultation.objects.get(**at).status == ConsultationStatus.INTERRUPTED
    with after(SILENT + MOMENT + GRACE + MOMENT):
        sweep_deadlines()
        token = Token.objects.get(state_id=held.state_id, id=held.token_id)
        assert (token.status, token.practitioner_id) == (TokenStatus.WAITING, None)
        end_silent_duties()
        assert duty_of(doctor.id) == DutyStatus.OFF


@pytest.mark.parametrize("there", ["at the desk", "in the call", "on the phone"])
def test_nobody_is_taken_from_a_doctor_who_is_there(
    clinic: Clinic, doctor: Practitioner, client: Client, there: str
) -> None:
    held = with_patient(clinic, doctor)
    room = Room.objects.filter(state_id=held.state_id, id=held.room_id)
    if there == "on the phone":
        room.update(mode=Mode.PHONE)
    elif there == "in the call":
        Presence.objects.create(
            state_id=held.state_id,
            id=uuid7(),
            room_id=held.room_id,
            seat=Seat.HOST,
            instance="page-a",
            first_joined_at=clock.now(),
            joined_at=clock.now(),
        )
    sign_in_doctor(client, doctor)
    with after(SILENT):
        if there == "at the desk":
            assert client.get(reverse("doctor:ticket")).status_code == 200
    with after(SILENT + MOMENT):
        end_silent_duties()
    status = Consultation.objects.get(state_id=held.state_id, id=held.id).status
    assert status == ConsultationStatus.IN_PROGRESS
