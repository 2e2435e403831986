"""A figure can be recomputed from the consultations, and a repeated fact counts once."""

import datetime
import statistics
import uuid
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.transfers import redirect, send_home
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.models import ListenerCursor, OutboxFact
from sanjeevani.foundation.outbox import deliver, number_facts
from sanjeevani.foundation.sharding import across_states
from sanjeevani.queueing.models import Token
from sanjeevani.reporting.histograms import class_of, percentile
from sanjeevani.reporting.models import (
    CountedConsultation,
    LineFigures,
    Scope,
    StateFigures,
    StateTotals,
)
from sanjeevani.reporting.queries import by_line, by_state, completed_by_home, daily, nation_ever
from sanjeevani.reporting.rollups import LISTENER, rebuild
from sanjeevani.reporting.tallies import COLUMNS, Tally
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime.datetime(2026, 6, 22, 9, 0, tzinfo=datetime.UTC)


class Day:
    """A clinic of a state and the National one on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = START
        for code in (0, 28, 33):
            factories.StateFactory.create(lgd_code=code)
        self.clinic = factories.ClinicFactory.create(serves=[28, 33])
        national = factories.LineFactory.create(facility=factories.FacilityFactory(state_id=0))
        self.national = factories.ClinicFactory.create(line=national, serves=[28, 33])
        self.doctor = factories.on_duty(self.clinic)
        self.veteran = factories.on_duty(self.national, state_id=0)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += datetime.timedelta(**time)

    def ask(self, home: int = 28) -> Consultation:
        """A patient of a state asks the state's clinic."""
        account = factories.AccountFactory.create(home_state_id=home)
        return factories.requested(self.clinic, factories.PatientFactory.create(account=account))

    def answer(self, asked: Consultation, doctor: Any = None) -> Consultation:
        """The doctor calls the next patient, who answers after ten seconds."""
        doctor = doctor or self.doctor
        called = consultation.call_next(factories.doctor(doctor), practitioner=doctor)
        assert called.id == asked.id
        self.wait(seconds=10)
        person = factories.person(asked.patient_account_id, asked.patient_state_id)
        return consultation.answer(person, state_id=asked.state_id, consultation_id=asked.id)

    def hold(
        self, asked: Consultation, *, minutes: float, rating: int = 0, doctor: Any = None
    ) -> None:
        """The consultation is held and completed, and perhaps rated."""
        doctor = doctor or self.doctor
        self.answer(asked, doctor)
        desk = {
            "practitioner": doctor,
            "state_id": asked.state_id,
            "consultation_id": asked.id,
        }
        actor = factories.doctor(doctor)
        note = consultation.NoteContent(advice="Rest")
        consultation.write_note(actor, **desk, content=note, diagnoses=[])
        self.wait(minutes=minutes)
        consultation.complete(actor, **desk, outcome=Outcome.ADVICE)
        if rating:
            consultation.give_feedback(
                factories.person(asked.patient_account_id, asked.patient_state_id),
                state_id=asked.state_id,
                consultation_id=asked.id,
                rating=rating,
                comment="",
            )


@pytest.fixture
def day() -> Iterator[Day]:
    """A working day that begins at nine."""
    made = Day()
    with clock.driven_by(lambda: made.now):
        yield made


def relay() -> None:
    """Bring the listener up to date."""
    number_facts()
    deliver(LISTENER)


def everything() -> dict[str, Any]:
    """All rows of all roll-ups."""
    found: dict[str, Any] = {}
    for model in (LineFigures, StateFigures, StateTotals):
        for row in model.objects.all():
            found[f"{model.__name__} {row.pk}"] = vars(row.tally())
    with across_states():
        found["counted"] = sorted(CountedConsultation.objects.values_list())
    return found


def live_through(day: Day) -> None:
    """Every way in which a consultation can end, over two days and two tenants."""
    for minutes, rating, home in ((4, 5, 28), (7, 3, 33), (12, 0, 28)):
        asked = day.ask(home)
        day.wait(minutes=minutes)
        day.hold(asked, minutes=minutes, rating=rating)
        relay()

    given_back = day.ask()
    consultation.cancel(
        factories.person(given_back.patient_account_id),
        state_id=28,
        consultation_id=given_back.id,
    )

    unanswered = day.ask()
    for _call in range(2):
        consultation.call_next(factories.doctor(day.doctor), practitioner=day.doctor)
        day.wait(seconds=121)
        consultation.not_answered(SYSTEM, state_id=28, token_id=unanswered.token_id)

    sent_on = day.ask(33)
    day.wait(minutes=20)
    day.answer(sent_on)
    arrived = redirect(
        factories.doctor(day.doctor),
        practitioner=day.doctor,
        state_id=28,
        consultation_id=sent_on.id,
        clinic=clinic_serving(33, clinic_state_id=0, clinic_id=day.national.id),
        reason="Heart",
    )
    relay()
    day.wait(minutes=10)
    day.hold(arrived, minutes=9, rating=4, doctor=day.veteran)

    day.wait(hours=2)
    left = day.ask()
    send_home(SYSTEM, state_id=28, token_id=left.token_id)

    day.wait(days=1)
    day.hold(day.ask(), minutes=5)
    day.ask(33)
    relay()


def test_the_figures_say_what_happened(day: Day) -> None:
    live_through(day)
    ever = nation_ever()
    assert {name: getattr(ever, name) for name in COLUMNS[:7]} == {
        "requested": 9,
        "completed": 5,
        "cancelled": 1,
        "not_answered": 1,
        "sent_home": 1,
        "lost": 0,
        "redirected": 1,
    }
    assert (ever.abandoned, ever.open) == (3, 1)
    assert (ever.ratings, ever.rated) == ([0, 0, 1, 1, 1], 3)
    # Two who waited 20 minutes until the redirect, one of them 30 with the wait at the other OPD.
    assert [number for number, count in enumerate(ever.waits) if count] == sorted(
        {class_of(60 * minutes + 10) for minutes in (4, 7, 12, 20)}
        | {class_of(60 * 30 + 20), class_of(10)}
    )
    assert completed_by_home() == [(28, 3), (33, 2)]

    first, last = START.date(), START.date() + datetime.timedelta(days=1)
    by_host = by_state(Scope.HOST, first, last)
    assert (by_host[28].completed, by_host[0].completed) == (4, 1)
    by_day = daily(Scope.NATION, 0, first, last + datetime.timedelta(days=1))
    assert [tally.requested for tally in by_day.values()] == [7, 2, 0]
    lines = by_line(28, first, last)
    assert {line: tally.requested for line, tally in lines.items()} == {day.clinic.line_id: 8}


def test_whoever_is_sent_on_has_asked_once(day: Day) -> None:
    asked = day.ask()
    relay()
    assert by_line(28, START.date(), START.date())[day.clinic.line_id].requested == 1
    day.answer(asked)
    arrived = redirect(
        factories.doctor(day.doctor),
        practitioner=day.doctor,
        state_id=28,
        consultation_id=asked.id,
        clinic=clinic_serving(28, clinic_state_id=0, clinic_id=day.national.id),
        reason="Heart",
    )
    for completed in (0, 1):
        if completed:
            day.hold(arrived, minutes=5, doctor=day.veteran)
        relay()
        by_host = by_state(Scope.HOST, START.date(), START.date())
        by_home = by_state(Scope.HOME, START.date(), START.date())
        for tally in (nation_ever(), by_home[28]):
            assert (tally.requested, tally.completed, tally.redirected) == (1, completed, 1)
            assert tally.open == 1 - completed
        assert (by_host[28].requested, by_host[28].redirected, by_host[28].open) == (0, 1, 0)
        assert (by_host[0].requested, by_host[0].redirected) == (1, 0)


def test_a_figure_can_be_recomputed_from_the_consultations(day: Day) -> None:
    live_through(day)
    by_facts = everything()
    assert rebuild() == 10
    assert everything() == by_facts

    # And by hand, straight from the rows.
    with across_states():
        held = list(
            Consultation.objects.select_related("token").filter(status=ConsultationStatus.COMPLETED)
        )
        started = list(Consultation.objects.select_related("token").exclude(started_at=None))
    ever = nation_ever()
    assert ever.completed == len(held)
    waits = [(one.started_at - one.token.waiting_since).total_seconds() for one in started]
    assert sum(ever.waits) == len(waits)
    assert percentile(ever.waits, 0.5) == pytest.approx(statistics.median(waits), abs=240)


def test_a_repeated_fact_counts_once(day: Day) -> None:
    live_through(day)
    once = everything()
    ListenerCursor.objects.filter(listener=LISTENER).update(position=0)
    deliver(LISTENER)
    assert everything() == once


def test_facts_in_any_order_lead_to_the_same_figures(day: Day) -> None:
    live_through(day)
    in_order = everything()
    rebuild()
    with across_states():
        facts = list(OutboxFact.objects.order_by("position").values_list("position", flat=True))
        OutboxFact.objects.update(position=None)
        for number, position in enumerate(reversed(facts), start=1):
            fact = OutboxFact.objects.order_by("id")[number - 1]
            OutboxFact.objects.filter(state_id=fact.state_id, id=fact.id).update(position=position)
    for model in (LineFigures, StateFigures, StateTotals):
        model.objects.all().delete()
    with across_states():
        CountedConsultation.objects.all().delete()
    ListenerCursor.objects.filter(listener=LISTENER).update(position=0)
    deliver(LISTENER)
    assert everything() == in_order


def test_what_was_lost_comes_back_by_the_command(day: Day) -> None:
    live_through(day)
    true = everything()
    StateTotals.objects.update(completed=1_000_000)
    LineFigures.objects.all().delete()
    said = StringIO()
    call_command("rebuild_rollups", stdout=said)
    assert "10 consultations" in said.getvalue()
    assert everything() == true


def test_whoever_was_sent_home_has_not_waited_through_the_night(day: Day) -> None:
    asked = day.ask()
    send_home(SYSTEM, state_id=28, token_id=asked.token_id)
    day.wait(hours=22)
    patient = factories.PatientFactory._meta.model.objects.get(state_id=28, id=asked.patient_id)
    again = factories.requested(day.clinic, patient)
    token = Token.objects.get(state_id=28, id=again.token_id)
    assert token.waiting_since < day.now - datetime.timedelta(hours=20)
    day.wait(minutes=3)
    day.hold(again, minutes=5)
    relay()
    assert percentile(nation_ever().waits, 0.5) == pytest.approx(190, abs=60)


def test_nor_has_who_was_then_sent_on(day: Day) -> None:
    asked = day.ask()
    send_home(SYSTEM, state_id=28, token_id=asked.token_id)
    day.wait(hours=22)
    patient = factories.PatientFactory._meta.model.objects.get(state_id=28, id=asked.patient_id)
    again = factories.requested(day.clinic, patient)
    day.wait(minutes=3)
    consultation.call_next(factories.doctor(day.doctor), practitioner=day.doctor)
    moved = redirect(
        factories.doctor(day.doctor),
        practitioner=day.doctor,
        state_id=28,
        consultation_id=again.id,
        clinic=clinic_serving(28, clinic_state_id=0, clinic_id=day.national.id),
        reason="Heart",
    )
    day.wait(minutes=4)
    day.hold(moved, minutes=5, doctor=day.veteran)
    relay()
    assert percentile(nation_ever().waits, 0.5) == pytest.approx(430, abs=60)


def test_a_request_in_writing_counts_without_a_wait_or_a_length(day: Day) -> None:
    """Nobody waits in a line for what is answered within a day, nor talks."""
    asked = day.ask()
    Consultation.objects.filter(state_id=28, id=asked.id).update(
        due_at=day.now + datetime.timedelta(hours=24)
    )
    day.wait(hours=20)
    day.hold(asked, minutes=90, rating=5)
    relay()
    ever = nation_ever()
    assert (ever.requested, ever.completed, ever.rated) == (1, 1, 1)
    assert (sum(ever.waits), sum(ever.durations)) == (0, 0)


def test_follow_ups_count_with_their_opd(day: Day) -> None:
    lane = factories.LineFactory.create(
        facility=factories.FacilityFactory.create(),
        kind="follow_up",
        parent_id=day.clinic.line_id,
        practitioner_id=day.doctor.id,
    )
    asked = day.ask()
    Consultation.objects.filter(state_id=28, id=asked.id).update(line_id=lane.id)
    relay()
    assert set(by_line(28, START.date(), START.date())) == {day.clinic.line_id}


def test_a_national_sum_is_one_small_read(day: Day, django_assert_num_queries: Any) -> None:
    live_through(day)
    with django_assert_num_queries(1) as asked:
        assert nation_ever().completed == 5
    assert "reporting_statetotals" in asked.captured_queries[0]["sql"]


def test_counting_costs_the_same_for_one_and_for_many(
    day: Day, django_assert_max_num_queries: Any
) -> None:
    for _patient in range(6):
        day.ask()
    number_facts()
    with django_assert_max_num_queries(20):
        deliver(LISTENER)
    assert nation_ever().requested == 6


def test_nothing_is_nothing() -> None:
    assert nation_ever() == Tally()
    assert rebuild() == 0
    assert everything() == {"counted": []}
    assert by_line(28, START.date(), START.date()) == {}
    assert uuid.UUID(int=0) not in by_line(28, START.date(), START.date())
