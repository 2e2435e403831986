"""Whom their doctor had to give up waits again, and leaves the line like everybody who waits."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.consultation import calling, interruptions, transfers
from sanjeevani.consultation.closing import close_clinic
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.services import (
    NoteContent,
    call_next,
    cancel,
    get,
    hand_back,
    token_of,
    write_note,
)
from sanjeevani.directory.models import Clinic, Facility, Practitioner, Role
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Stale
from sanjeevani.jobs.sweeper import MOVE_AFTER, sweep_lines
from sanjeevani.queueing.models import LineDay, TokenStatus
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import change_duty
from tests.consultation.test_transfers import called_by, returned
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    PostFactory,
    StaffAccountFactory,
    doctor,
    on_duty,
    person,
    requested,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

AFTER_GRACE = interruptions.GRACE + datetime.timedelta(seconds=1)


@pytest.fixture
def clinic() -> Clinic:
    """Where the patient was lost; another one of the kind has a doctor."""
    clinic: Clinic = ClinicFactory.create()
    on_duty(ClinicFactory.create())
    return clinic


@pytest.fixture
def practitioner(clinic: Clinic) -> Practitioner:
    """Who lost the patient."""
    return on_duty(clinic)


def broken_off(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """Let the line to a patient break."""
    requested(clinic, PatientFactory.create())
    talking = called_by(practitioner)
    return interruptions.interrupt(
        doctor(practitioner), state_id=talking.state_id, consultation_id=talking.id
    )


@pytest.fixture
def lost(clinic: Clinic, practitioner: Practitioner) -> Consultation:
    """A patient who did not come back within the grace."""
    case = broken_off(clinic, practitioner)
    with clock.driven_by(lambda: timezone.now() + AFTER_GRACE):
        interruptions.dropped(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    case = get(case.state_id, case.id)
    assert (case.status, token_of(case).status) == ("interrupted", "waiting")
    return case


def test_the_token_can_be_given_back(lost: Consultation) -> None:
    cancel(person(lost.patient_account_id), state_id=lost.state_id, consultation_id=lost.id)
    assert get(lost.state_id, lost.id).status == ConsultationStatus.CANCELLED
    assert token_of(lost).status == TokenStatus.CANCELLED


def test_called_again_it_rings_like_any_other(lost: Consultation, clinic: Clinic) -> None:
    """Until the patient answers, nobody writes, signs, or asks a colleague in."""
    practitioner = on_duty(clinic)
    called = call_next(doctor(practitioner), practitioner=practitioner)
    assert called.id == lost.id
    at: dict[str, Any] = {
        "practitioner": practitioner,
        "state_id": lost.state_id,
        "consultation_id": lost.id,
    }
    with pytest.raises(NotInProgress):
        write_note(doctor(practitioner), content=NoteContent(), diagnoses=[], **at)
    assert not calling.is_held(get(lost.state_id, lost.id))
    hand_back(doctor(practitioner), reason="Another language", **at)
    other = on_duty(clinic)
    began = called_by(other)
    assert began.id == lost.id
    assert (began.status, began.started_at) == (ConsultationStatus.IN_PROGRESS, lost.started_at)


def test_a_returned_request_is_given_up_with_its_place(
    clinic: Clinic, practitioner: Practitioner
) -> None:
    case = requested(clinic, PatientFactory.create())
    at = returned(case, practitioner)
    assert LineDay.objects.get(state_id=case.state_id, line_id=case.line_id).taken == 1
    cancel(person(case.patient_account_id), **at)
    assert get(case.state_id, case.id).status == ConsultationStatus.CANCELLED
    assert LineDay.objects.get(state_id=case.state_id, line_id=case.line_id).taken == 0
    with pytest.raises(Stale):
        cancel(person(case.patient_account_id), **at)


def test_a_line_that_nobody_serves_moves_them(
    lost: Consultation, practitioner: Practitioner
) -> None:
    change_duty(doctor(practitioner), practitioner=practitioner, to=DutyStatus.OFF)
    sweep_lines()
    with clock.driven_by(lambda: timezone.now() + MOVE_AFTER + datetime.timedelta(seconds=1)):
        sweep_lines()
    assert get(lost.state_id, lost.id).status == ConsultationStatus.REDIRECTED


def test_a_clinic_closes_although_they_wait(lost: Consultation, clinic: Clinic) -> None:
    account = StaffAccountFactory.create()
    post = PostFactory.create(
        facility=Facility.objects.get(state_id=clinic.state_id, id=clinic.facility_id),
        account_id=account.id,
        practitioner_id=None,
        role=Role.FACILITY_ADMIN,
    )
    admin = Actor(ActorKind.STAFF, account_id=account.id, post_id=post.id, state_id=clinic.state_id)
    settled = close_clinic(admin, state_id=clinic.state_id, clinic_id=clinic.id)
    assert (settled.moved, settled.told) == (1, 0)


def test_a_clinic_closes_although_somebody_waits_twice(clinic: Clinic) -> None:
    """Here, and where those who wait are taken: that place is kept, this one given back."""
    refuge = ClinicFactory.create()
    others = Clinic.objects.filter(state_id=clinic.state_id)
    others.exclude(id__in=[clinic.id, refuge.id]).update(closed_at=clock.now())
    on_duty(refuge)
    patient = PatientFactory.create()
    there, here = requested(refuge, patient), requested(clinic, patient)
    settled = close_clinic(SYSTEM, state_id=clinic.state_id, clinic_id=clinic.id)
    assert (settled.moved, settled.told) == (0, 1)
    assert get(here.state_id, here.id).status == ConsultationStatus.ABANDONED
    assert token_of(there).status == TokenStatus.WAITING


def test_their_doctor_cannot_send_them_on_within_the_grace(
    clinic: Clinic, practitioner: Practitioner
) -> None:
    case = broken_off(clinic, practitioner)
    other = ClinicFactory.create()
    target = clinic_serving(
        case.patient_state_id, clinic_state_id=other.state_id, clinic_id=other.id
    )
    with pytest.raises(Stale):
        transfers.redirect(
            doctor(practitioner),
            practitioner=practitioner,
            state_id=case.state_id,
            consultation_id=case.id,
            clinic=target,
            reason="Somebody else knows more",
        )
    assert token_of(case).status == TokenStatus.SERVING


def test_a_grace_given_anew_holds(clinic: Clinic, practitioner: Practitioner) -> None:
    """The sweeper has seen the old one end; meanwhile the doctor calls again."""
    case = broken_off(clinic, practitioner)
    key: dict[str, Any] = {"state_id": case.state_id, "consultation_id": case.id}
    with clock.driven_by(lambda: timezone.now() + AFTER_GRACE):
        calling.call_again(doctor(practitioner), practitioner=practitioner, **key)
        with pytest.raises(Stale):
            interruptions.dropped(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    assert token_of(case).status == TokenStatus.SERVING
