"""Consent withdrawn: nobody waits on, and nobody reads, wherever the patient stands just then."""

import datetime
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.consultation import spokes
from sanjeevani.consultation.interruptions import dropped
from sanjeevani.consultation.models import Consultation, ConsultationStatus, SpokeToDo
from sanjeevani.consultation.services import (
    call_next,
    get,
    hand_back,
    not_answered,
    token_of,
    withdraw_consent,
)
from sanjeevani.directory.models import Facility, Line, LineKind
from sanjeevani.directory.queries import hubs_for
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.models import Account
from sanjeevani.patients.models import Patient, SpokePatient
from sanjeevani.patients.queries import may_read, valid_consent
from sanjeevani.patients.services import join, take_back
from sanjeevani.queueing.errors import NobodyWaiting
from sanjeevani.queueing.models import TokenStatus
from tests.consultation.test_lost import AFTER_GRACE, broken_off
from tests.consultation.test_transfers import held, returned
from tests.factories import (
    ANDHRA_PRADESH,
    ClinicFactory,
    ConsentFactory,
    HubLinkFactory,
    LineFactory,
    PatientFactory,
    StateFactory,
    doctor,
    on_duty,
    person,
    requested,
    serving_on,
    sign_in,
    told,
    worker_at,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def withdraw(patient: Patient) -> None:
    """As the patient does at home."""
    withdraw_consent(person(patient.account_id), patient=patient, language="en")


def patient_of(case: Consultation) -> Patient:
    """Who waits or talks."""
    return Patient.objects.get(state_id=case.patient_state_id, id=case.patient_id)


def assert_given_back(case: Consultation) -> None:
    """Nobody calls this patient any more."""
    assert get(case.state_id, case.id).status == ConsultationStatus.CANCELLED
    assert token_of(get(case.state_id, case.id)).status == TokenStatus.CANCELLED


def test_while_the_doctor_calls_the_request_ends_with_the_call() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    case = requested(clinic, patient)
    practitioner, other = on_duty(clinic), on_duty(clinic)
    call_next(doctor(practitioner), practitioner=practitioner)
    withdraw(patient)
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=121)):
        not_answered(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    assert_given_back(case)
    with pytest.raises(NobodyWaiting):
        call_next(doctor(other), practitioner=other)


def test_a_call_handed_back_ends_too() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    case = requested(clinic, patient)
    practitioner = on_duty(clinic)
    call_next(doctor(practitioner), practitioner=practitioner)
    withdraw(patient)
    hand_back(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=case.state_id,
        consultation_id=case.id,
        reason="Another language",
    )
    assert_given_back(case)


def test_who_is_lost_after_withdrawing_does_not_wait_again() -> None:
    clinic = ClinicFactory.create()
    case = broken_off(clinic, on_duty(clinic))
    withdraw(patient_of(case))
    assert get(case.state_id, case.id).status == ConsultationStatus.INTERRUPTED
    with clock.driven_by(lambda: timezone.now() + AFTER_GRACE):
        dropped(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    assert_given_back(case)


def test_who_was_lost_before_gives_the_token_back() -> None:
    clinic = ClinicFactory.create()
    case = broken_off(clinic, on_duty(clinic))
    with clock.driven_by(lambda: timezone.now() + AFTER_GRACE):
        dropped(SYSTEM, state_id=case.state_id, token_id=case.token_id)
    withdraw(patient_of(case))
    assert_given_back(case)


def test_a_returned_request_ends() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    case = requested(clinic, patient)
    returned(case, on_duty(clinic))
    withdraw(patient)
    assert_given_back(case)


@pytest.fixture
def at_spoke(reference: None) -> Consultation:
    """A request that waits in a hub's line, with the patient at a spoke."""
    StateFactory.create()
    link = HubLinkFactory.create()
    hub = Facility.objects.get(state_id=ANDHRA_PRADESH, id=link.hub_id)
    spoke = Facility.objects.get(state_id=ANDHRA_PRADESH, id=link.spoke_id)
    LineFactory.create(facility=hub, kind=LineKind.HUB)
    worker = worker_at(spoke)
    assert worker.post_id
    patient = PatientFactory.create()
    ConsentFactory.create(patient=patient)
    SpokePatient.objects.create(
        state_id=patient.state_id,
        id=uuid.uuid4(),
        facility_id=spoke.id,
        patient_id=patient.id,
        by_post_id=worker.post_id,
        since=clock.now(),
    )
    [choice] = hubs_for(ANDHRA_PRADESH, spoke.id)
    return spokes.ask_hub(
        worker,
        patient=patient,
        choice=choice,
        content=told(
            patient,
            complaints=["fever"],
            text="High every evening for days",
            duration_days=3,
            vitals={"body_temperature": 38.5},
        ),
        language="en",
        request_key=uuid.uuid4(),
    )


def test_at_home_while_waiting_at_a_spoke(at_spoke: Consultation) -> None:
    withdraw(patient_of(at_spoke))
    assert_given_back(at_spoke)


def test_no_spoke_is_asked_to_ring_who_withdrew_while_the_doctor_called(
    at_spoke: Consultation,
) -> None:
    line = Line.objects.get(state_id=at_spoke.state_id, id=at_spoke.line_id)
    practitioner = serving_on(line)
    call_next(doctor(practitioner), practitioner=practitioner)
    withdraw(patient_of(at_spoke))
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(seconds=121)):
        not_answered(SYSTEM, state_id=at_spoke.state_id, token_id=at_spoke.token_id)
    assert_given_back(at_spoke)
    assert not SpokeToDo.objects.filter(state_id=ANDHRA_PRADESH, done_at__isnull=True).exists()


def test_the_records_of_one_person_are_closed_together() -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    double = PatientFactory.create(
        account_id=patient.account_id, state_id=patient.state_id, name="Meena D"
    )
    requested(clinic, patient)
    practitioner = on_duty(clinic)
    held(practitioner)
    join(person(patient.account_id), patient_id=patient.id, kept_id=double.id)
    ConsentFactory.create(patient=double)
    double.refresh_from_db()
    key = {"patient_state_id": patient.state_id, "patient_id": double.id}
    assert may_read(practitioner.id, **key)
    withdraw(double)
    assert not may_read(practitioner.id, **key)


def test_a_consent_to_an_earlier_notice_can_be_withdrawn(client: Client) -> None:
    clinic, patient = ClinicFactory.create(), PatientFactory.create()
    requested(clinic, patient)
    practitioner = on_duty(clinic)
    held(practitioner)
    ConsentFactory.create(patient=patient, notice_version="2026-11")
    sign_in(client, Account.objects.get(id=patient.account_id))
    page = f"/people/{patient.id}"
    assert f"{page}/consent/withdraw" in client.get(page).content.decode()
    client.post(f"{page}/consent/withdraw")
    key = {"patient_state_id": patient.state_id, "patient_id": patient.id}
    assert not may_read(practitioner.id, **key)
    assert f"{page}/consent/withdraw" not in client.get(page).content.decode()


def test_what_was_agreed_to_for_a_double_is_withdrawn_under_the_kept_record(client: Client) -> None:
    clinic, double = ClinicFactory.create(), PatientFactory.create()
    kept = PatientFactory.create(account_id=double.account_id, state_id=double.state_id)
    case = requested(clinic, double)
    practitioner = on_duty(clinic)
    call_next(doctor(practitioner), practitioner=practitioner)
    join(person(kept.account_id), patient_id=double.id, kept_id=kept.id)
    sign_in(client, Account.objects.get(id=kept.account_id))
    assert "for the other record" in client.get(f"/people/{kept.id}").content.decode()
    page = f"/people/{kept.id}/consent/withdraw"
    assert f"Token {case.token.number}" in client.get(page).content.decode()
    client.post(page)
    hand_back(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=case.state_id,
        consultation_id=case.id,
        reason="Another language",
    )
    assert_given_back(case)
    take_back(person(kept.account_id), patient_id=double.id)
    assert valid_consent(double) is None


def test_what_was_withdrawn_for_one_record_does_not_open_through_another() -> None:
    clinic, double = ClinicFactory.create(), PatientFactory.create()
    kept = PatientFactory.create(account_id=double.account_id, state_id=double.state_id)
    requested(clinic, double)
    practitioner = on_duty(clinic)
    held(practitioner)
    ConsentFactory.create(patient=kept)
    withdraw(kept)
    join(person(kept.account_id), patient_id=double.id, kept_id=kept.id)
    assert not may_read(practitioner.id, patient_state_id=kept.state_id, patient_id=kept.id)
    assert valid_consent(double) is None


def test_who_agreed_again_after_withdrawing_is_read_again() -> None:
    clinic, double = ClinicFactory.create(), PatientFactory.create()
    kept = PatientFactory.create(account_id=double.account_id, state_id=double.state_id)
    ConsentFactory.create(patient=kept)
    withdraw(kept)
    requested(clinic, double)
    practitioner = on_duty(clinic)
    held(practitioner)
    join(person(kept.account_id), patient_id=double.id, kept_id=kept.id)
    assert may_read(practitioner.id, patient_state_id=kept.state_id, patient_id=kept.id)
    assert valid_consent(double) is not None
