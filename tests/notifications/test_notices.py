"""What the patient is told by SMS, and that it is told once."""

import pytest

from sanjeevani.consultation.services import call_next
from sanjeevani.foundation import outbox
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.queueing.models import WaitPromise
from tests.factories import (
    AccountFactory,
    ClinicFactory,
    PatientFactory,
    doctor,
    on_duty,
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
