"""What must hold when many press at the same moment, each case held ten times.

The order of a line, checked without asking what the database did inside: every round lets sixteen
doctors press Next at the same moment and waits for all of them. A claim may skip a token only
because another claim has it, and all claims of a round succeed; so after every round the tokens
taken from a line are the first ones of its order, without a hole. Within a round, a claim that
began after another one had returned has the later place.
"""

import datetime
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import pytest
from django.db import connections, transaction

from sanjeevani.calls.models import Message
from sanjeevani.calls.services import send_message
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.errors import AlreadyGiven
from sanjeevani.consultation.models import Consultation, Feedback, Outcome
from sanjeevani.consultation.transfers import request_follow_up
from sanjeevani.directory.models import Clinic, Practitioner
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.patients.models import Patient
from sanjeevani.queueing.errors import (
    AlreadyServing,
    AlreadyWaiting,
    CallExpired,
    LineFull,
    NobodyWaiting,
)
from sanjeevani.queueing.models import Lease, LineDay, Token
from sanjeevani.queueing.services import tell_near
from sanjeevani.roster.services import assign
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    ClinicFactory,
    ConsentFactory,
    PatientFactory,
    doctor,
    on_duty,
    person,
    requested,
    told,
)
from tests.races.conftest import at_once

pytestmark = pytest.mark.usefixtures("committed")

THREADS = 16


def ask(clinic: Clinic, patient: Patient, request_key: uuid.UUID | None = None) -> Consultation:
    """Request a consultation as the screens do."""
    return consultation.request(
        person(patient.account_id, patient.state_id),
        patient=patient,
        clinic=clinic_serving(
            patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
        ),
        content=told(patient, text="Fever for three days"),
        language="en",
        request_key=request_key or uuid.uuid4(),
    )


def willing_patient(state_id: int = ANDHRA_PRADESH) -> Patient:
    """A patient who has agreed to the notice."""
    patient: Patient = PatientFactory(account__home_state_id=state_id)
    ConsentFactory(patient=patient)
    return patient


def finish(practitioner: Practitioner, held: Consultation) -> None:
    """Let the patient answer and the doctor complete."""
    key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
    consultation.answer(person(held.patient_account_id), **key)
    consultation.write_note(
        doctor(practitioner),
        practitioner=practitioner,
        content=consultation.NoteContent(advice="Rest"),
        diagnoses=[],
        **key,
    )
    consultation.complete(
        doctor(practitioner), practitioner=practitioner, outcome=Outcome.ADVICE, **key
    )


def test_forty_requests_for_five_places() -> None:
    clinic = ClinicFactory(line__places_per_day=5, line__waiting_places=100)
    patients = [willing_patient() for _ in range(40)]
    results = at_once([partial(ask, clinic, patient) for patient in patients], THREADS, LineFull)
    assert Counter(type(result) for result in results) == {Consultation: 5, LineFull: 35}
    numbers = Token.objects.filter(state_id=clinic.state_id).values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    day = LineDay.objects.get(state_id=clinic.state_id, line_id=clinic.line_id)
    assert (day.issued, day.taken) == (5, 5)


def test_forty_tokens_have_consecutive_numbers() -> None:
    clinic = ClinicFactory()
    patients = [willing_patient() for _ in range(40)]
    at_once([partial(ask, clinic, patient) for patient in patients], THREADS)
    numbers = Token.objects.filter(state_id=clinic.state_id).values_list("number", flat=True)
    assert sorted(numbers) == list(range(1, 41))


@dataclass(frozen=True)
class Claim:
    """What a Next gave, and when it had returned."""

    practitioner: Practitioner
    consultation: Consultation
    returned_at: datetime.datetime


def test_sixty_four_next_by_sixteen_doctors_over_four_lines() -> None:
    clinics: list[Clinic] = [
        ClinicFactory(line__facility__state_id=state_id, serves=[ANDHRA_PRADESH, TAMIL_NADU])
        for state_id in (ANDHRA_PRADESH, ANDHRA_PRADESH, TAMIL_NADU, TAMIL_NADU)
    ]
    doctors = []
    for _ in range(THREADS):
        practitioner = on_duty(clinics[0])
        for clinic in clinics[1:]:
            assign(SYSTEM, practitioner=practitioner, line=clinic.line)
        doctors.append(practitioner)
    patients = [willing_patient() for _ in range(64)]
    for number, patient in enumerate(patients):
        ask(clinics[number % 4], patient)

    def next_patient(practitioner: Practitioner, before: Claim | None) -> Claim:
        if before is not None:
            finish(practitioner, before.consultation)
        called = consultation.call_next(doctor(practitioner), practitioner=practitioner)
        return Claim(practitioner, called, clock.now())

    claims: list[Claim] = []
    latest: dict[uuid.UUID, Claim] = {}
    for _round in range(4):
        results = at_once(
            [
                partial(next_patient, practitioner, latest.get(practitioner.id))
                for practitioner in doctors
            ],
            THREADS,
        )
        for result in results:
            assert isinstance(result, Claim), "refused while someone waits"
            claims.append(result)
            latest[result.practitioner.id] = result
        assert_order_kept(clinics)
        assert_one_live_each(doctors)

    assert len({claim.consultation.id for claim in claims}) == 64
    assert_no_later_claim_before_an_earlier(claims)
    calls = [
        AuditEvent.objects.filter(state_id=state_id, verb="consultation.call_next").count()
        for state_id in (ANDHRA_PRADESH, TAMIL_NADU)
    ]
    assert sum(calls) == 64


def assert_order_kept(clinics: list[Clinic]) -> None:
    """The tokens taken from a line are the first ones of its order."""
    for clinic in clinics:
        waits = [
            token.status == "waiting"
            for token in Token.objects.filter(
                state_id=clinic.state_id, line_id=clinic.line_id
            ).order_by("order_class", "order_at", "number")
        ]
        assert waits == sorted(waits), "a token was passed over"


def assert_one_live_each(doctors: list[Practitioner]) -> None:
    """Nobody has two patients, counted over both states."""
    live = [
        str(practitioner_id)
        for state_id in (ANDHRA_PRADESH, TAMIL_NADU)
        for practitioner_id in Token.objects.filter(
            state_id=state_id, status__in=["called", "serving"]
        ).values_list("practitioner_id", flat=True)
    ]
    assert sorted(live) == sorted(str(practitioner.id) for practitioner in doctors)
    assert Lease.objects.filter(token_id__isnull=False).count() == len(doctors)


def assert_no_later_claim_before_an_earlier(claims: list[Claim]) -> None:
    """A claim that began after another of its line had returned has the later place."""
    by_line: dict[uuid.UUID, list[tuple[Claim, Token]]] = {}
    for claim in claims:
        token = Token.objects.get(
            state_id=claim.consultation.state_id, id=claim.consultation.token_id
        )
        by_line.setdefault(token.line_id, []).append((claim, token))
    for taken in by_line.values():
        for (one_claim, one), (other_claim, other) in combinations(taken, 2):
            assert one.called_at is not None
            assert other.called_at is not None
            if one_claim.returned_at < other.called_at:
                assert one.number < other.number
            elif other_claim.returned_at < one.called_at:
                assert other.number < one.number


def test_who_is_told_of_the_turn_is_not_passed_over() -> None:
    """The relay tells the next few, its batch not yet committed: Next sees them all the same."""
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    asked = [ask(clinic, willing_patient()) for _ in range(4)]
    telling, called = threading.Event(), threading.Event()

    def tell() -> int:
        with transaction.atomic():
            told = tell_near(SYSTEM, state_id=clinic.state_id, line_id=clinic.line_id)
            telling.set()
            called.wait(10)
        return len(told)

    def next_patient() -> Consultation:
        telling.wait(10)
        try:
            return consultation.call_next(doctor(practitioner), practitioner=practitioner)
        finally:
            called.set()

    both: list[Callable[[], Any]] = [tell, next_patient]
    told, first = at_once(both, 2)
    assert isinstance(first, Consultation)
    assert told == 3
    assert first.id == asked[0].id
    assert tell_near(SYSTEM, state_id=clinic.state_id, line_id=clinic.line_id) == [
        consultation.token_of(asked[3])
    ]


def test_a_follow_up_sent_many_times_is_one() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    patient = willing_patient()
    first = ask(clinic, patient)
    finish(practitioner, consultation.call_next(doctor(practitioner), practitioner=practitioner))
    first.refresh_from_db()
    send = partial(
        request_follow_up,
        person(patient.account_id),
        patient=patient,
        clinic=clinic_serving(
            patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
        ),
        earlier=first,
        content=told(patient, text="The fever is back"),
        language="en",
        request_key=uuid.uuid4(),
    )
    results = at_once([send] * 8, 8)
    assert len({result.id for result in results if isinstance(result, Consultation)}) == 1
    assert len(results) == 8
    assert Consultation.objects.filter(state_id=clinic.state_id).count() == 2


def test_two_next_of_one_doctor_call_one_patient() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    for _ in range(4):
        ask(clinic, willing_patient())
    press = partial(consultation.call_next, doctor(practitioner), practitioner=practitioner)
    results = at_once([press] * 4, 4, AlreadyServing)
    assert Counter(type(result) for result in results) == {Consultation: 1, AlreadyServing: 3}
    assert Token.objects.filter(state_id=clinic.state_id, status="called").count() == 1


def test_one_next_more_than_patients_is_refused_once() -> None:
    clinic = ClinicFactory()
    doctors = [on_duty(clinic) for _ in range(8)]
    for _ in range(7):
        ask(clinic, willing_patient())
    results = at_once(
        [
            partial(consultation.call_next, doctor(practitioner), practitioner=practitioner)
            for practitioner in doctors
        ],
        8,
        NobodyWaiting,
    )
    assert Counter(type(result) for result in results) == {Consultation: 7, NobodyWaiting: 1}
    assert Lease.objects.count() == 7


def test_an_answer_meets_the_sweeper() -> None:
    """The patient presses just before the deadline while the sweeper comes just after it."""
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    consultation.call_next(doctor(practitioner), practitioner=practitioner)
    token = consultation.token_of(held)
    deadline = token.deadline_at
    assert deadline is not None
    moment = threading.local()

    def answer() -> str:
        moment.now = deadline - datetime.timedelta(milliseconds=1)
        consultation.answer(
            person(held.patient_account_id), state_id=held.state_id, consultation_id=held.id
        )
        return "answered"

    def sweep() -> str:
        moment.now = deadline + datetime.timedelta(milliseconds=1)
        consultation.not_answered(SYSTEM, state_id=held.state_id, token_id=token.id)
        return "swept"

    with clock.driven_by(lambda: moment.now):
        results = at_once([answer, sweep], 2, (CallExpired, Stale), shaken=True)
    outcome = [result if isinstance(result, str) else type(result) for result in results]
    held.refresh_from_db()
    token.refresh_from_db()
    assert (outcome, token.status, held.status, Lease.objects.count()) in (
        (["answered", Stale], "serving", "in_progress", 1),
        ([CallExpired, "swept"], "waiting", "requested", 0),
    )


def test_a_cancellation_meets_a_claim() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())

    def cancel() -> str:
        consultation.cancel(
            person(held.patient_account_id), state_id=held.state_id, consultation_id=held.id
        )
        return "cancelled"

    def claim() -> str:
        consultation.call_next(doctor(practitioner), practitioner=practitioner)
        return "called"

    results = at_once([cancel, claim], 2, (NobodyWaiting, Stale), shaken=True)
    outcome = [result if isinstance(result, str) else type(result) for result in results]
    held.refresh_from_db()
    token = consultation.token_of(held)
    taken = LineDay.objects.get(state_id=clinic.state_id, line_id=clinic.line_id).taken
    assert (outcome, token.status, held.status, taken, Lease.objects.count()) in (
        (["cancelled", NobodyWaiting], "cancelled", "cancelled", 0, 0),
        ([Stale, "called"], "called", "requested", 1, 1),
    )


def test_a_cancellation_meets_a_new_request_of_the_same_patient() -> None:
    """Two phones of a family: no deadlock, and never two tokens."""
    clinic = ClinicFactory()
    patient = willing_patient()
    held = ask(clinic, patient)

    def cancel() -> None:
        consultation.cancel(
            person(held.patient_account_id), state_id=held.state_id, consultation_id=held.id
        )

    both: list[Callable[[], Any]] = [cancel, partial(ask, clinic, patient)]
    _cancelled, again = at_once(both, 2, AlreadyWaiting, shaken=True)
    waiting = Token.objects.filter(state_id=clinic.state_id, status="waiting").count()
    taken = LineDay.objects.get(state_id=clinic.state_id, line_id=clinic.line_id).taken
    assert waiting == taken == (0 if isinstance(again, AlreadyWaiting) else 1)


def test_a_hand_back_comes_too_late() -> None:
    """The call has run out and another doctor has it: the first one's button does nothing."""
    clinic = ClinicFactory()
    first, second = on_duty(clinic), on_duty(clinic)
    held = requested(clinic, PatientFactory())
    consultation.call_next(doctor(first), practitioner=first)
    token = consultation.token_of(held)
    assert token.deadline_at is not None
    later = token.deadline_at + datetime.timedelta(seconds=1)

    def hand_back() -> None:
        consultation.hand_back(
            doctor(first),
            practitioner=first,
            state_id=held.state_id,
            consultation_id=held.id,
            reason="Not my field",
        )

    def sweep_and_claim() -> None:
        consultation.not_answered(SYSTEM, state_id=held.state_id, token_id=token.id)
        consultation.call_next(doctor(second), practitioner=second)

    with clock.driven_by(lambda: later):
        handed, swept = at_once([hand_back, sweep_and_claim], 2, (Stale, NotPermitted), shaken=True)
    token.refresh_from_db()
    if swept is None:
        assert isinstance(handed, Exception)
        assert (token.status, token.practitioner_id) == ("called", second.id)
    else:
        assert handed is None
        assert (token.status, token.not_for) == ("waiting", [first.id])


def test_feedback_is_given_once() -> None:
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    held = requested(clinic, PatientFactory())
    finish(practitioner, consultation.call_next(doctor(practitioner), practitioner=practitioner))
    give = partial(
        consultation.give_feedback,
        person(held.patient_account_id),
        state_id=held.state_id,
        consultation_id=held.id,
        comment="",
    )
    gives = [partial(give, rating=rating) for rating in (3, 4) * 4]
    results = at_once(gives, 8, AlreadyGiven)
    # The first word stands, and is the answer to all who say the same.
    assert Counter(type(result) for result in results) == {Feedback: 4, AlreadyGiven: 4}
    assert len({result.id for result in results if isinstance(result, Feedback)}) == 1
    assert Feedback.objects.filter(state_id=held.state_id).count() == 1


@pytest.mark.parametrize("places", [1, 100])
def test_a_request_sent_twenty_times_is_one(places: int) -> None:
    """Also when it takes the last place."""
    clinic = ClinicFactory(line__places_per_day=places)
    patient = willing_patient()
    send = partial(ask, clinic, patient, uuid.uuid4())
    results = at_once([send] * 20, THREADS)
    assert len({result.id for result in results if isinstance(result, Consultation)}) == 1
    assert not [result for result in results if isinstance(result, Exception)]
    assert Consultation.objects.filter(state_id=clinic.state_id).count() == 1
    day = LineDay.objects.get(state_id=clinic.state_id, line_id=clinic.line_id)
    assert (day.issued, day.taken) == (1, 1)


def test_messages_are_seen_in_the_order_of_their_ids() -> None:
    """Who reads on after the newest message misses none that was made before it."""
    clinic = ClinicFactory()
    practitioner = on_duty(clinic)
    ask(clinic, willing_patient())
    held = consultation.call_next(doctor(practitioner), practitioner=practitioner)

    def say(text: str) -> Message:
        return send_message(
            doctor(practitioner),
            state_id=held.state_id,
            room_id=held.room_id,
            text=text,
            client_key=uuid.uuid4(),
        )

    def say_later() -> Message:
        try:
            return say("Second")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            first = say("First")
            later = other.submit(say_later)
            with pytest.raises(TimeoutError):
                later.result(0.3)
        second = later.result(10)
    assert first.id < second.id
