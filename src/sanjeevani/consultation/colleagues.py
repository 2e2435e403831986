"""The verbs by which a doctor asks a colleague in, and by which the colleague comes and advises."""

import datetime
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.invitations import seat_third
from sanjeevani.calls.models import Room
from sanjeevani.consultation.asks import ADVISING, open_ask, settle, tell
from sanjeevani.consultation.calling import is_held
from sanjeevani.consultation.errors import (
    AlreadyAsked,
    AskOver,
    ColleagueAway,
    ConsentMissing,
    NotInProgress,
    WithOwnPatient,
)
from sanjeevani.consultation.models import OPEN_ASKS, Ask, AskReference, AskStatus, Consultation
from sanjeevani.consultation.permissions import require_patient, require_practitioner
from sanjeevani.consultation.services import blocked_for, get, valid_reason
from sanjeevani.consultation.transfers import hubs_beyond
from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.queries import hub_lines_at, hubs_for, practitioners
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.patients.queries import with_valid_consent
from sanjeevani.queueing.queries import live_token_of, with_patient
from sanjeevani.roster.queries import who_is_on_duty

PATIENCE = datetime.timedelta(minutes=10)
"""So long an ask waits for an answer, and a colleague who comes later is waited for."""

READS_AT_LEAST = datetime.timedelta(hours=2)
"""So long a colleague may read, also where the day ends sooner: not under a call near midnight. A
rule of this service, for a clinical lead to confirm."""

LATER_MINUTES = (5, 10, 15, 20, 30)
"""In how many minutes a colleague may say to come."""

ADVICE_LENGTH = 4000


@dataclass(frozen=True)
class Colleague:
    """Somebody on duty who may be asked in, in a speciality of a facility."""

    line: Line
    practitioner: Practitioner
    is_free: bool


def colleagues_of(consultation: Consultation) -> list[Colleague]:
    """Return who is on duty in the own facility and where it can refer to; the free ones first."""
    here = Line.objects.get(state_id=consultation.state_id, id=consultation.line_id)
    lines = {
        line.id: line
        for line in [
            *hub_lines_at(here.state_id, here.facility_id),
            *(choice.line for choice in hubs_for(here.state_id, here.facility_id)),
            *(choice.line for choice in hubs_beyond(consultation)),
        ]
    }
    by_state: dict[int, list[uuid.UUID]] = {}
    for line in lines.values():
        by_state.setdefault(line.state_id, []).append(line.id)
    on_duty: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {}
    for state_id, line_ids in by_state.items():
        on_duty |= who_is_on_duty(state_id, line_ids)
    kept_apart = {
        consultation.practitioner_id,
        *blocked_for(consultation.patient_state_id, consultation.patient_account_id),
    }
    people = practitioners(
        {key for keys in on_duty.values() for key in keys if key[1] not in kept_apart}
    )
    busy = with_patient(people)
    found = [
        Colleague(lines[line_id], people[one], one not in busy)
        for line_id, keys in on_duty.items()
        for _state, one in keys
        if one in people
    ]
    return sorted(
        found,
        key=lambda one: (one.line.speciality_code, not one.is_free, one.practitioner.name),
    )


@verb("consultation.ask_in")
def ask_in(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    line_id: uuid.UUID,
    colleague_id: uuid.UUID,
) -> Ask:
    """Ask a colleague on duty into a running call, one at a time.

    From now to the day's end, and READS_AT_LEAST, the colleague may read this consultation. Raises
    NotInProgress, NotPermitted, ConsentMissing, ColleagueAway, AlreadyAsked.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    _hold(consultation)
    consultation.refresh_from_db()
    if not is_held(consultation):
        raise NotInProgress
    if not with_valid_consent(consultation.patient_state_id, [consultation.patient_id]):
        raise ConsentMissing(_("The patient has withdrawn the consent: nobody else may read this."))
    if open_ask(consultation) is not None:
        raise AlreadyAsked
    chosen = next(
        (
            one
            for one in colleagues_of(consultation)
            if (one.line.id, one.practitioner.id) == (line_id, colleague_id)
        ),
        None,
    )
    if chosen is None:
        raise ColleagueAway
    now = clock.now()
    colleague = chosen.practitioner
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    ask = Ask(
        state_id=state_id,
        id=uuid7(),
        consultation_id=consultation_id,
        speciality_code=chosen.line.speciality_code,
        colleague_state_id=colleague.state_id,
        colleague_id=colleague.id,
        colleague_name=colleague.name,
        colleague_qualification=colleague.qualification,
        colleague_registration=f"{colleague.council} {colleague.registration_number}",
        asked_at=now,
        answer_by=now + PATIENCE,
        read_until=max(midnight + datetime.timedelta(days=1), now + READS_AT_LEAST),
    )
    try:
        with transaction.atomic():
            ask.save(force_insert=True)
    except IntegrityError as error:
        if "ask_one_open" in str(error):
            raise AlreadyAsked from None
        raise
    AskReference.objects.create(
        state_id=colleague.state_id,
        id=ask.id,
        colleague_id=colleague.id,
        ask_state_id=state_id,
        read_until=ask.read_until,
    )
    concerns(ask, patient_id=consultation.patient_id)
    tell(ask)
    return ask


@verb("consultation.take_ask_back")
def take_ask_back(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> None:
    """Ask nobody in any more, or let go who came; twice is once.

    Who was there may finish the advice. Raises NotPermitted.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    _hold(consultation)
    ask = open_ask(consultation)
    if ask is not None:
        present = ask.status == AskStatus.PRESENT
        settle(actor, ask, AskStatus.LEFT if present else AskStatus.WITHDRAWN)


@verb("consultation.object_to_ask")
def object_to_ask(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> None:
    """The patient's side does not want a colleague here: out, and nothing more to read.

    Twice is once. Raises NotPermitted.
    """
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    _hold(consultation)
    ask = open_ask(consultation)
    if ask is not None:
        settle(actor, ask, AskStatus.OBJECTED)


@verb("consultation.come_in")
def come_in(actor: Actor, *, colleague: Practitioner, state_id: int, ask_id: uuid.UUID) -> Ask:
    """Accept, and hold the third seat of the call; pressing twice is once.

    Raises AskOver, WithOwnPatient.
    """
    ask = _held_by_colleague(actor, colleague, state_id, ask_id)
    concerns(ask, patient_id=ask.consultation.patient_id)
    if ask.status == AskStatus.PRESENT:
        return ask
    if live_token_of(colleague.id) is not None:
        raise WithOwnPatient
    _answer(actor, ask, AskStatus.PRESENT)
    seat_third(
        actor,
        state_id=state_id,
        room_id=ask.consultation.room_id,
        account_id=colleague.account_id,
        name=ask.colleague_name,
        until=ask.read_until,
    )
    concerns(ask, patient_id=ask.consultation.patient_id)
    return ask


@verb("consultation.come_later")
def come_later(
    actor: Actor, *, colleague: Practitioner, state_id: int, ask_id: uuid.UUID, minutes: int
) -> Ask:
    """Say in how many minutes one comes. Raises AskOver, Invalid."""
    if minutes not in LATER_MINUTES:
        raise Invalid(_("Choose one of these."), field="minutes")
    ask = _held_by_colleague(actor, colleague, state_id, ask_id)
    comes_at = clock.now() + datetime.timedelta(minutes=minutes)
    _answer(actor, ask, AskStatus.LATER, comes_at=comes_at, answer_by=comes_at + PATIENCE)
    return ask


@verb("consultation.decline_ask")
def decline_ask(
    actor: Actor, *, colleague: Practitioner, state_id: int, ask_id: uuid.UUID, word: str
) -> None:
    """Do not come, with a word to the doctor who asked. Raises AskOver, Invalid."""
    word = valid_reason(word, _("Say in a word why you cannot come."), "word")
    ask = _held_by_colleague(actor, colleague, state_id, ask_id)
    _answer(actor, ask, AskStatus.DECLINED, word=word)


@verb("consultation.leave_ask")
def leave_ask(actor: Actor, *, colleague: Practitioner, state_id: int, ask_id: uuid.UUID) -> None:
    """Leave the call; the advice may be finished. Twice is once. Raises AskOver."""
    ask = _held_by_colleague(actor, colleague, state_id, ask_id)
    concerns(ask, patient_id=ask.consultation.patient_id)
    if ask.status == AskStatus.PRESENT:
        settle(actor, ask, AskStatus.LEFT)


@verb("consultation.advise")
def advise(
    actor: Actor, *, colleague: Practitioner, state_id: int, ask_id: uuid.UUID, advice: str
) -> Ask:
    """Keep what the colleague advises, under the colleague's name; the newest writing stands.

    Until the day's end, by whoever has come in. Raises AskOver, Invalid.
    """
    ask = _held_by_colleague(actor, colleague, state_id, ask_id)
    if ask.status not in ADVISING or ask.read_until <= clock.now():
        raise AskOver
    advice = advice.strip()
    if not advice:
        raise Invalid(_("Write your advice first."), field="advice")
    if len(advice) > ADVICE_LENGTH:
        raise Invalid(
            _("Shorten this: %(count)d characters fit here.") % {"count": ADVICE_LENGTH},
            field="advice",
        )
    ask.advice, ask.advised_at = advice, clock.now()
    Ask.objects.filter(state_id=state_id, id=ask_id).update(
        advice=ask.advice, advised_at=ask.advised_at
    )
    concerns(ask, patient_id=ask.consultation.patient_id)
    tell(ask)
    return ask


@verb("consultation.lapse_ask")
def lapse_ask(actor: Actor, *, state_id: int, ask_id: uuid.UUID) -> None:
    """Nobody answered in time, or whoever wanted to come later has not. Raises AskOver."""
    ask = _held(state_id, ask_id)
    if ask.answer_by > clock.now():
        raise AskOver
    _answer(actor, ask, AskStatus.LAPSED)


def sweep_asks() -> None:
    """Let asks lapse that nobody answered in time, over all states."""
    with across_states():
        overdue = list(
            Ask.objects.filter(
                answer_by__lt=clock.now(), status__in=[AskStatus.ASKED, AskStatus.LATER]
            )
            .order_by("answer_by")
            .values_list("state_id", "id")[:200]
        )
    to_each(overdue, lambda ask: lapse_ask(SYSTEM, state_id=ask[0], ask_id=ask[1]), "lapse_ask")


def _hold(consultation: Consultation) -> None:
    """Let what is done to a consultation's third seat wait for each other, room first."""
    Room.objects.select_for_update().get(state_id=consultation.state_id, id=consultation.room_id)


def _held(state_id: int, ask_id: uuid.UUID) -> Ask:
    asks = Ask.objects.select_related("consultation").filter(state_id=state_id, id=ask_id)
    ask = asks.first()
    if ask is None:
        raise NotFound
    _hold(ask.consultation)
    return asks.get()


def _held_by_colleague(
    actor: Actor, colleague: Practitioner, state_id: int, ask_id: uuid.UUID
) -> Ask:
    ask = _held(state_id, ask_id)
    if ask.colleague_id != colleague.id or colleague.account_id != actor.account_id:
        raise NotFound
    return ask


def _answer(actor: Actor, ask: Ask, to: AskStatus, **changes: object) -> None:
    if ask.status not in OPEN_ASKS or ask.status == AskStatus.PRESENT:
        raise AskOver
    settle(actor, ask, to, changes)
    for name, value in changes.items():
        setattr(ask, name, value)
