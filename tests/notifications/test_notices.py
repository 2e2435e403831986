"""What the patient is told by SMS, and that it is told once."""

import datetime
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.consultation.conduct import report_conduct
from sanjeevani.consultation.letters import LetterContent
from sanjeevani.consultation.models import Outcome, Urgency
from sanjeevani.consultation.services import (
    NoteContent,
    answer,
    call_next,
    cancel,
    complete,
    not_answered,
    write_note,
)
from sanjeevani.foundation import clock, outbox
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.messaging.services import send_queued
from sanjeevani.queueing.models import WaitPromise
from tests.factories import (
    AccountFactory,
    ClinicFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
)

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def purposes(mobile: str) -> list[str]:
    """What was sent to a mobile, in order."""
    messages = OutgoingMessage.objects.filter(mobile=mobile).order_by("queued_at")
    return list(messages.values_list("purpose", flat=True))


def test_token_near_and_call_are_told_once_each_in_the_language_of_the_account() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    accounts = [AccountFactory(language="hi") for _ in range(5)]
    for account in accounts:
        requested(clinic, PatientFactory(account=account))
    for _round in range(2):
        outbox.number_facts()
        outbox.deliver_all()
    assert [purposes(account.mobile) for account in accounts] == [["token"]] * 5

    call_next(doctor(practitioner), practitioner=practitioner)
    for _round in range(2):
        outbox.number_facts()
        outbox.deliver_all()

    assert purposes(accounts[0].mobile) == ["token", "called"]
    for account in accounts[1:4]:
        assert purposes(account.mobile) == ["token", "near"]
    assert purposes(accounts[4].mobile) == ["token"]
    languages = OutgoingMessage.objects.values_list("language", flat=True).distinct()
    assert list(languages) == ["hi"]


def test_what_was_promised_is_kept_once_for_each_token() -> None:
    clinic = ClinicFactory()
    on_duty(clinic)
    for _patient in range(3):
        requested(clinic, PatientFactory())
    for _round in range(2):
        outbox.number_facts()
        outbox.deliver_all()
    promises = WaitPromise.objects.filter(state_id=clinic.state_id, line_id=clinic.line_id)
    assert sorted(promises.values_list("place", flat=True)) == [1, 2, 3]
    assert all(promise.low_minutes < promise.high_minutes for promise in promises)


def tell() -> None:
    """Let the worker come to what happened."""
    outbox.number_facts()
    outbox.deliver_all()


def later(**by: int) -> AbstractContextManager[None]:
    """A clock that is so much later."""
    moment = timezone.now() + datetime.timedelta(**by)
    return clock.driven_by(lambda: moment)


def left_unsent() -> dict[str, str]:
    """Why messages were given up, by purpose."""
    given_up = OutgoingMessage.objects.filter(status="failed")
    return dict(given_up.values_list("purpose", "failure"))


def test_a_call_that_is_over_is_not_announced_any_more() -> None:
    clinic, account = ClinicFactory(), AccountFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    with later(seconds=121):
        not_answered(SYSTEM, state_id=held.state_id, token_id=held.token_id)
        tell()
    assert "called" not in purposes(account.mobile)


def test_a_call_is_answered_on_the_page_and_not_by_a_telephone_that_never_rings() -> None:
    clinic, account = ClinicFactory(), AccountFactory()
    practitioner = on_duty(clinic)
    requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    tell()
    told = OutgoingMessage.objects.get(mobile=account.mobile, purpose="called").text
    assert told.startswith("Token 1: your turn. Open this page and answer within 2 minutes: http")


def test_a_call_answered_before_the_worker_came_to_it_is_not_announced() -> None:
    clinic, account = ClinicFactory(), AccountFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    answer(person(account.id), state_id=held.state_id, consultation_id=held.id)
    tell()
    assert "called" not in purposes(account.mobile)


def test_what_the_gateway_takes_too_late_is_given_up() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    accounts = [AccountFactory() for _ in range(3)]
    for account in accounts:
        requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    tell()
    with later(minutes=3):
        send_queued()
    assert left_unsent() == {"called": "expired"}


def test_a_request_given_back_is_not_announced() -> None:
    clinic, account = ClinicFactory(), AccountFactory()
    on_duty(clinic)
    held = requested(clinic, PatientFactory(account=account))
    cancel(person(account.id), state_id=held.state_id, consultation_id=held.id)
    tell()
    assert purposes(account.mobile) == []


def test_whom_a_doctor_parted_from_is_not_told_that_nobody_answered() -> None:
    clinic, account = ClinicFactory(), AccountFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    answer(person(account.id), state_id=held.state_id, consultation_id=held.id)
    report_conduct(
        doctor(practitioner),
        practitioner=practitioner,
        state_id=held.state_id,
        consultation_id=held.id,
    )
    tell()
    told = OutgoingMessage.objects.get(mobile=account.mobile, purpose="not_held")
    assert "doctor has ended this consultation" in told.text


@pytest.mark.parametrize(
    ("outcome", "announced"),
    [
        (Outcome.ADVICE, "What the doctor said is here"),
        (Outcome.IN_PERSON, "the letter to take along"),
        (Outcome.EMERGENCY, "the letter to take along"),
    ],
)
def test_nobody_looks_for_a_prescription_that_there_is_not(
    outcome: Outcome, announced: str
) -> None:
    clinic, account = ClinicFactory(), AccountFactory(language="en")
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory(account=account))
    call_next(doctor(practitioner), practitioner=practitioner)
    place: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
    answer(person(account.id), **place)
    by_doctor: dict[str, Any] = {"practitioner": practitioner, **place}
    content = NoteContent(advice="Rest")
    write_note(doctor(practitioner), content=content, diagnoses=[], **by_doctor)
    letter = None if outcome == Outcome.ADVICE else LetterContent("Clinic", Urgency.ROUTINE, "Weak")
    complete(doctor(practitioner), outcome=outcome, letter=letter, **by_doctor)
    tell()
    told = OutgoingMessage.objects.get(mobile=account.mobile, purpose="completed")
    assert announced in told.text
    assert "prescription" not in told.text
