"""A colleague is asked into a running consultation: who may be, who reads, and when it ends."""

import datetime
import uuid
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.calls.errors import ThirdSeatTaken
from sanjeevani.calls.invitations import invite_third
from sanjeevani.calls.queries import holds_third
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.asks import ask_to, asks_in, asks_to
from sanjeevani.consultation.colleagues import (
    PATIENCE,
    READS_AT_LEAST,
    advise,
    ask_in,
    colleagues_of,
    come_in,
    come_later,
    decline_ask,
    leave_ask,
    object_to_ask,
    sweep_asks,
    take_ask_back,
)
from sanjeevani.consultation.errors import (
    AlreadyAsked,
    AskOver,
    ColleagueAway,
    ConsentMissing,
    WithOwnPatient,
)
from sanjeevani.consultation.models import (
    Ask,
    AskReference,
    AskStatus,
    Block,
    Consultation,
    Outcome,
)
from sanjeevani.directory.models import LineKind, Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import AuditEvent, OutboxFact
from sanjeevani.patients.models import ConsentDecision
from sanjeevani.queueing.models import Lease
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import change_duty
from tests.factories import (
    ClinicFactory,
    ConsentFactory,
    LineFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
    serving_on,
)

pytestmark = pytest.mark.django_db


class Case:
    """A consultation in progress, and a specialist on duty in the same facility."""

    def __init__(self) -> None:
        self.clinic = ClinicFactory()
        self.patient = PatientFactory()
        self.host = on_duty(self.clinic)
        asked = requested(self.clinic, self.patient)
        consultation.call_next(doctor(self.host), practitioner=self.host)
        self.guest = person(asked.patient_account_id, asked.patient_state_id)
        self.key: dict[str, Any] = {"state_id": asked.state_id, "consultation_id": asked.id}
        consultation.answer(self.guest, **self.key)
        self.line = LineFactory(facility=self.clinic.facility, kind=LineKind.HUB)
        self.colleague = serving_on(self.line, name="Dr Kavita Rao")

    @property
    def held(self) -> Consultation:
        return consultation.get(**self.key)

    def ask(self, colleague: Practitioner | None = None) -> Ask:
        return ask_in(
            doctor(self.host),
            practitioner=self.host,
            line_id=self.line.id,
            colleague_id=(colleague or self.colleague).id,
            **self.key,
        )

    def by(self, ask: Ask, colleague: Practitioner | None = None) -> dict[str, Any]:
        chosen = colleague or self.colleague
        return {"colleague": chosen, "state_id": ask.state_id, "ask_id": ask.id}

    @property
    def me(self) -> Any:
        return doctor(self.colleague)

    def come(self) -> Ask:
        return come_in(self.me, **self.by(self.ask()))

    def finish(self) -> None:
        """Let the doctor conclude."""
        at_desk = {"practitioner": self.host, **self.key}
        consultation.write_note(
            doctor(self.host),
            content=consultation.NoteContent(advice="Rest"),
            diagnoses=[],
            **at_desk,
        )
        consultation.complete(doctor(self.host), outcome=Outcome.ADVICE, **at_desk)

    def status(self, ask: Ask) -> str:
        ask.refresh_from_db()
        return str(ask.status)


@pytest.fixture
def case() -> Case:
    return Case()


def test_asked_comes_advises_and_is_read_by_the_doctor(case: Case) -> None:
    ask = case.ask()
    topics = OutboxFact.objects.get(state_id=ask.state_id, kind="consultation.AskChanged").topics
    assert f"desk.{case.colleague.id}" in topics
    assert [one.id for one in asks_to(case.me, case.colleague)] == [ask.id]
    come_in(case.me, **case.by(ask))
    assert come_in(case.me, **case.by(ask)).status == AskStatus.PRESENT
    assert holds_third(case.held.room, case.colleague.account_id)
    advise(case.me, **case.by(ask), advice="  Take an ECG ")
    [kept] = asks_in(case.held)
    assert (kept.advice, kept.colleague_name) == ("Take an ECG", "Dr Kavita Rao")
    leave_ask(case.me, **case.by(ask))
    assert not holds_third(case.held.room, case.colleague.account_id)
    advise(case.me, **case.by(ask), advice="And a blood test")
    assert AskReference.objects.get(state_id=case.colleague.state_id).id == ask.id


def test_every_reading_is_audited_and_ends_with_the_day(case: Case) -> None:
    ask = case.come()
    reads = AuditEvent.objects.filter(
        state_id=ask.state_id, verb="consultation.read", account_id=case.colleague.account_id
    )
    before = reads.count()
    ask_to(case.me, case.colleague, ask.state_id, ask.id)
    assert reads.count() == before + 1
    case.finish()
    assert case.status(ask) == AskStatus.LEFT
    ask_to(case.me, case.colleague, ask.state_id, ask.id)
    midnight = timezone.localtime(ask.asked_at).replace(hour=0, minute=0, second=0, microsecond=0)
    over = midnight + datetime.timedelta(days=1)
    assert ask.read_until == max(over, ask.asked_at + READS_AT_LEAST)
    with clock.driven_by(lambda: ask.read_until):
        assert asks_to(case.me, case.colleague) == []
        for refused in (
            lambda: ask_to(case.me, case.colleague, ask.state_id, ask.id),
            lambda: advise(case.me, **case.by(ask), advice="Too late"),
        ):
            with pytest.raises(AskOver):
                refused()


def test_midnight_throws_nobody_out_of_a_call() -> None:
    """Asked two minutes before, the colleague would neither read nor sit in the call."""
    late = timezone.localtime().replace(hour=23, minute=58)
    with clock.driven_by(lambda: late):
        case = Case()
        ask = case.ask()
    with clock.driven_by(lambda: late + datetime.timedelta(minutes=5)):
        come_in(case.me, **case.by(ask))
        assert holds_third(case.held.room, case.colleague.account_id)
        assert ask_to(case.me, case.colleague, ask.state_id, ask.id)
        advise(case.me, **case.by(ask), advice="Take an ECG")


def test_only_the_one_who_is_asked_reads_and_answers(case: Case) -> None:
    ask = case.ask()
    other = serving_on(case.line)
    with pytest.raises(NotFound):
        ask_to(doctor(other), other, ask.state_id, ask.id)
    with pytest.raises(NotFound):
        come_in(doctor(other), **case.by(ask, other))
    with pytest.raises(NotFound):
        come_in(doctor(other), **case.by(ask))
    with pytest.raises(NotPermitted):
        take_ask_back(doctor(other), practitioner=other, **case.key)
    with pytest.raises(NotPermitted):
        object_to_ask(doctor(case.host), **case.key)
    with pytest.raises(AskOver):
        advise(case.me, **case.by(ask), advice="Before coming")


def test_who_may_be_asked(case: Case) -> None:
    busy = serving_on(case.line, name="Dr Busy")
    Lease.objects.create(
        practitioner_id=busy.id, token_state_id=28, token_id=uuid7(), taken_at=clock.now()
    )
    blocked = serving_on(case.line)
    Block.objects.create(
        state_id=case.held.patient_state_id,
        account_id=case.held.patient_account_id,
        practitioner_id=blocked.id,
        by="guest",
        consultation_state_id=case.held.state_id,
        consultation_id=case.held.id,
        made_at=clock.now(),
    )
    away = serving_on(case.line)
    change_duty(doctor(away), practitioner=away, to=DutyStatus.BREAK)
    found = [(one.practitioner.id, one.is_free) for one in colleagues_of(case.held)]
    assert found == [(case.colleague.id, True), (busy.id, False)]
    for refused in (blocked, away, case.host):
        with pytest.raises(ColleagueAway):
            case.ask(refused)
    case.ask(busy)
    with pytest.raises(AlreadyAsked):
        case.ask()


def test_not_without_consent(case: Case) -> None:
    ConsentFactory(patient=case.patient, decision=ConsentDecision.WITHDRAWN)
    with pytest.raises(ConsentMissing):
        case.ask()


def test_who_is_with_a_patient_comes_later(case: Case) -> None:
    ask = case.ask()
    Lease.objects.create(
        practitioner_id=case.colleague.id, token_state_id=28, token_id=uuid7(), taken_at=clock.now()
    )
    with pytest.raises(WithOwnPatient):
        come_in(case.me, **case.by(ask))
    with pytest.raises(Invalid):
        come_later(case.me, **case.by(ask), minutes=7)
    come_later(case.me, **case.by(ask), minutes=20)
    with clock.driven_by(lambda: timezone.now() + PATIENCE * 2):
        sweep_asks()
        assert case.status(ask) == AskStatus.LATER
        Lease.objects.all().delete()
        come_in(case.me, **case.by(ask))


def test_an_ask_lapses_without_an_answer(case: Case) -> None:
    ask = case.ask()
    sweep_asks()
    assert case.status(ask) == AskStatus.ASKED
    with clock.driven_by(lambda: timezone.now() + PATIENCE + datetime.timedelta(seconds=5)):
        sweep_asks()
        assert case.status(ask) == AskStatus.LAPSED
        with pytest.raises(AskOver):
            come_in(case.me, **case.by(ask))
        case.ask()


@pytest.mark.parametrize("comes", [False, True])
def test_it_ends_with_the_consultation_when_taken_back_and_by_an_objection(
    case: Case, comes: bool
) -> None:
    def asked() -> Ask:
        return case.come() if comes else case.ask()

    back = asked()
    for _twice in range(2):
        take_ask_back(doctor(case.host), practitioner=case.host, **case.key)
    assert case.status(back) == (AskStatus.LEFT if comes else AskStatus.WITHDRAWN)
    objected = asked()
    object_to_ask(case.guest, **case.key)
    assert case.status(objected) == AskStatus.OBJECTED
    with pytest.raises(AskOver):
        ask_to(case.me, case.colleague, objected.state_id, objected.id)
    assert not holds_third(case.held.room, case.colleague.account_id)
    ended = asked()
    case.finish()
    assert case.status(ended) == (AskStatus.LEFT if comes else AskStatus.LAPSED)
    assert not holds_third(case.held.room, case.colleague.account_id)


def test_declined_with_a_word(case: Case) -> None:
    ask = case.ask()
    with pytest.raises(Invalid):
        decline_ask(case.me, **case.by(ask), word=" ")
    decline_ask(case.me, **case.by(ask), word="In theatre")
    [kept] = asks_in(case.held)
    assert (kept.status, kept.word) == (AskStatus.DECLINED, "In theatre")
    case.ask()


def test_no_link_pushes_a_colleague_out(case: Case) -> None:
    room: dict[str, Any] = {"state_id": case.held.state_id, "room_id": case.held.room_id}
    invite_third(case.guest, **room)
    case.come()
    with pytest.raises(ThirdSeatTaken):
        invite_third(case.guest, **room)
    assert isinstance(case.held.room_id, uuid.UUID)
