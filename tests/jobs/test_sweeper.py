"""Deadlines are kept although one of them cannot be."""

import datetime
import uuid
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from sanjeevani.consultation import services, transfers
from sanjeevani.consultation.errors import NobodyElse
from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.models import Clinic
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.jobs import sweeper
from sanjeevani.queueing.models import LineDay, Token, TokenStatus
from tests.factories import ClinicFactory, PatientFactory, doctor, on_duty, person, requested

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def break_for(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, token_id: uuid.UUID, error: Exception
) -> None:
    """Let a verb fail at one token."""
    verb = getattr(place, name)

    def broken(*actor: Any, **about: Any) -> Any:
        if about["token_id"] == token_id:
            raise error
        return verb(*actor, **about)

    monkeypatch.setattr(place, name, broken)


def called(clinic: Clinic) -> Consultation:
    """Somebody whom a doctor of their own calls."""
    practitioner = on_duty(clinic)
    asked = requested(clinic, PatientFactory.create())
    services.call_next(doctor(practitioner), practitioner=practitioner)
    return asked


def status(asked: Consultation) -> str:
    return str(Token.objects.get(state_id=asked.state_id, id=asked.token_id).status)


@pytest.fixture
def rung_out() -> tuple[Consultation, Consultation]:
    """Two calls that nobody has answered; the first comes up first."""
    first, second = called(ClinicFactory.create()), called(ClinicFactory.create())
    for seconds, one in ((20, first), (10, second)):
        Token.objects.filter(state_id=one.state_id, id=one.token_id).update(
            deadline_at=timezone.now() - datetime.timedelta(seconds=seconds)
        )
    return first, second


def test_a_call_that_cannot_be_ended_does_not_hold_up_the_others(
    rung_out: tuple[Consultation, Consultation], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = rung_out
    break_for(monkeypatch, services, "not_answered", first.token_id, KeyError("a name"))
    sweeper.sweep_deadlines()
    assert status(first) == TokenStatus.CALLED
    assert status(second) == TokenStatus.WAITING


def test_a_call_that_ended_during_an_outage_rings_once_more(
    rung_out: tuple[Consultation, Consultation],
) -> None:
    """Nobody could answer it: who was called for the second time lost the place, after hours."""
    first, second = rung_out
    late = Token.objects.filter(state_id=first.state_id, id=first.token_id)
    late.update(deadline_at=timezone.now() - 2 * sweeper.MISSED, calls=2)
    sweeper.sweep_deadlines()
    assert status(first) == TokenStatus.CALLED
    assert late.filter(deadline_at__gt=timezone.now() + sweeper.MISSED).exists()
    assert status(second) == TokenStatus.WAITING
    answered = services.answer(
        person(first.patient_account_id), state_id=first.state_id, consultation_id=first.id
    )
    assert answered.token_id == first.token_id
    assert status(first) == TokenStatus.SERVING


def test_it_rings_once_more_and_not_for_ever(rung_out: tuple[Consultation, Consultation]) -> None:
    first, _second = rung_out
    late = Token.objects.filter(state_id=first.state_id, id=first.token_id)
    late.update(deadline_at=timezone.now() - 2 * sweeper.MISSED)
    sweeper.sweep_deadlines()
    with clock.driven_by(lambda: timezone.now() + datetime.timedelta(minutes=5)):
        sweeper.sweep_deadlines()
    assert status(first) == TokenStatus.WAITING


def test_the_step_ends_when_the_database_is_away(
    rung_out: tuple[Consultation, Consultation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop around it then drops its connection."""
    first, _second = rung_out
    break_for(monkeypatch, services, "not_answered", first.token_id, OperationalError())
    with pytest.raises(OperationalError):
        sweeper.sweep_deadlines()


def test_a_token_that_cannot_be_moved_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clinics = [ClinicFactory.create() for _clinic in range(2)]
    asked = [requested(clinic, PatientFactory.create()) for clinic in clinics]
    left = timezone.now() - 2 * sweeper.MOVE_AFTER
    for clinic in clinics:
        LineDay.objects.update_or_create(
            state_id=clinic.state_id,
            line_id=clinic.line_id,
            day=clock.today(),
            defaults={"unattended_since": left},
        )
    on_duty(ClinicFactory.create())
    broken, other = asked
    break_for(monkeypatch, transfers, "move_on", broken.token_id, KeyError("a name"))
    sweeper.sweep_lines()
    assert (status(broken), status(other)) == (TokenStatus.WAITING, TokenStatus.REDIRECTED)


def test_who_waits_in_vain_costs_as_much_however_many_other_opds_there_are(
    django_assert_max_num_queries: Any,
) -> None:
    """In the evening nobody is on duty anywhere, and all who wait are looked at all the time."""
    asked = requested(ClinicFactory.create(), PatientFactory.create())
    for _number in range(12):
        ClinicFactory.create()
    with django_assert_max_num_queries(12), pytest.raises(NobodyElse):
        transfers.move_on(SYSTEM, state_id=asked.state_id, token_id=asked.token_id)
    on_duty(there := ClinicFactory.create())
    moved = transfers.move_on(SYSTEM, state_id=asked.state_id, token_id=asked.token_id)
    assert moved.line_id == there.line_id
