"""Which clinic is offered first, and what is said of the wait there."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sanjeevani.consultation.offers import OnDuty, offers_for
from sanjeevani.consultation.services import call_next
from sanjeevani.directory.models import Clinic, Gender, Practitioner
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.patients.models import Patient
from sanjeevani.queueing.expected_wait import AT_ONCE, WaitInterval
from sanjeevani.queueing.queries import Serving, serving
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinics() -> tuple[Clinic, Clinic]:
    """Two of general medicine in one state, of which only their names tell which comes first."""
    return tuple(factories.ClinicFactory.create(name=name) for name in ("First", "Second"))


def offered(patient: Patient) -> list[tuple[str, WaitInterval | None]]:
    """Return names and waits as they are offered."""
    content = factories.told(patient, text="Fever")
    return [(one.open_clinic.clinic.name, one.wait) for one in offers_for(patient, content)]


def now_in(clinic: Clinic) -> Serving:
    """Return who serves the clinic's line."""
    return serving(clinic.state_id, [clinic.line_id])[clinic.line_id]


def call(doctor: Practitioner) -> None:
    """Press Next."""
    call_next(factories.doctor(doctor), practitioner=doctor)


def test_a_clinic_whose_doctor_is_free_comes_before_one_whose_doctor_has_a_patient(
    clinics: tuple[Clinic, Clinic],
) -> None:
    first, second = clinics
    busy = factories.on_duty(first)
    factories.on_duty(second)
    patient = factories.PatientFactory.create()
    assert offered(patient) == [("First", AT_ONCE), ("Second", AT_ONCE)]

    factories.requested(first, factories.PatientFactory.create())
    assert [name for name, _wait in offered(patient)] == ["Second", "First"]
    call(busy)
    names = offered(patient)
    assert names[0] == ("Second", AT_ONCE)
    assert names[1][0] == "First"
    assert names[1][1] != AT_ONCE


def test_who_serves_two_lines_is_free_for_both_until_a_patient_is_called(
    clinics: tuple[Clinic, Clinic],
) -> None:
    first, second = clinics
    doctor = factories.on_duty(first)
    assign(SYSTEM, practitioner=doctor, line=second.line)
    change_duty(factories.doctor(doctor), practitioner=doctor, to=DutyStatus.BREAK)
    assert now_in(first) == now_in(second) == Serving(0, 0)
    change_duty(factories.doctor(doctor), practitioner=doctor, to=DutyStatus.ON)
    assert now_in(first) == now_in(second) == Serving(1, 1)

    factories.requested(second, factories.PatientFactory.create())
    call(doctor)
    assert now_in(first) == now_in(second) == Serving(1, 0)


def test_each_offer_says_what_those_on_duty_speak_and_whether_a_woman_is_among_them(
    clinics: tuple[Clinic, Clinic], django_assert_num_queries: Any
) -> None:
    first, _second = clinics
    patient = factories.PatientFactory.create()
    content = factories.told(patient, text="Fever")
    factories.on_duty(first, languages=["hi"], gender=Gender.MALE)
    factories.on_duty(first, languages=["te", "hi"], gender=Gender.FEMALE)
    with CaptureQueriesContext(connection) as before:
        found = {one.open_clinic.clinic.name: one.on_duty for one in offers_for(patient, content)}
    assert found == {"First": OnDuty(2, 1, ("hi", "te")), "Second": OnDuty()}
    # However many they are.
    for name in ("Third", "Fourth"):
        factories.on_duty(factories.ClinicFactory.create(name=name))
    with django_assert_num_queries(len(before)):
        offers_for(patient, content)
