"""The verbs of the staff at a spoke: ask a hub's doctors for the patient beside them."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.asks import readable_asks
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.offers import OnDuty, on_duty_of
from sanjeevani.consultation.queries import live_consultation_of, topics_of
from sanjeevani.consultation.services import (
    ask_line,
    begin,
    carried_wait,
    requested_before,
    require_asked,
    reserve,
    seat,
)
from sanjeevani.consultation.transfers import be_due, own_lane
from sanjeevani.directory.hubs import open_written_line
from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import HubChoice, hubs_for, practitioners, state, written_lines
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound, NotPermitted
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.triage import danger_in
from sanjeevani.patients.companions import companions_of, needs_companion
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import age_in_months, may_act_for
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.models import PriorityClass
from sanjeevani.queueing.queries import (
    expected_waits,
    line_heads,
    longest_waits,
    places_taken,
    waiting_counts,
)
from sanjeevani.roster.queries import assigned_lines, serves_now, who_is_on_duty
from sanjeevani.terminology.queries import recommended_speciality, symptoms_named
from sanjeevani.terminology.vitals import is_measured

FEWEST_WORDS = 3
"""Of the patient's story. A rule of this service, for a clinical lead to confirm."""


class NotEnough(DomainError):
    """Too little for a doctor to go on; `missing` says what to add."""

    status = 422

    def __init__(self, missing: dict[str, Promise]) -> None:
        self.missing = missing
        super().__init__(_("Before a doctor can help, add what is missing."), field="missing")

    @property
    def details(self) -> dict[str, Any]:
        """Each part of the intake that lacks something, with what to add."""
        return {
            "errors": [
                {"field": field, "message": str(message)} for field, message in self.missing.items()
            ]
        }


def missing_in(content: IntakeContent) -> dict[str, Promise]:
    """Return what a request from a spoke lacks to be answered. "Pain" alone tells nothing.

    By the part of the intake that it belongs to, in words.

    A rule of this service against requests that only fill figures, for a clinical lead to confirm.
    """
    missing: dict[str, Promise] = {}
    if not content.complaints and not content.text.strip():
        missing["complaints"] = _("what the trouble is")
    if content.duration_days is None:
        missing["duration_days"] = _("since when")
    if len(content.text.split()) < FEWEST_WORDS:
        missing["text"] = _("how it began and what makes it better or worse, in a few words")
    if not is_measured(content.vitals):
        missing["vitals"] = _("at least one measurement, for example the temperature or the pulse")
    return missing


@dataclass(frozen=True)
class Readiness:
    """What stands between a patient at a spoke and a hub's doctor.

    `emergency`: a danger sign; nothing else is asked for then. `missing`: what to add. `alone`: an
    adult has to be with the patient, and nobody is identified.
    """

    emergency: bool
    missing: dict[str, Promise]
    alone: bool


def readiness(patient: Patient, content: IntakeContent) -> Readiness:
    """Return what is to be done for a patient before a hub is asked."""
    emergency = bool(danger_in(content, birth_date=patient.birth_date, gender=patient.gender))
    return Readiness(
        emergency,
        {} if emergency else missing_in(content),
        needs_companion(patient) and not companions_of(patient),
    )


def languages_at(state_id: int) -> list[str]:
    """Return the languages in which patients of a state may be seen: its own come first."""
    spoken = list(state(state_id).languages)
    return [*spoken, *(code for code, _name in settings.LANGUAGES if code not in spoken)]


@dataclass(frozen=True)
class HubOffer:
    """A hub line that a spoke may ask: who is on duty there, and the wait for who joins now."""

    choice: HubChoice
    doctors: list[Practitioner]
    wait: WaitInterval | None
    is_full: bool
    is_recommended: bool

    @property
    def on_duty(self) -> OnDuty:
        """How many are on duty there, and what they speak."""
        return on_duty_of(self.doctors)

    def doctor(self, practitioner_id: uuid.UUID) -> Practitioner:
        """Return a doctor on duty. Raises Invalid for who is not, or not any more."""
        for one in self.doctors:
            if one.id == practitioner_id:
                return one
        raise Invalid(_("Choose one of these."), field="practitioner_id")


def hub_offers(actor: Actor, patient: Patient, content: IntakeContent) -> list[HubOffer]:
    """Return the hub lines open to the actor's spoke; the recommended speciality first, then in
    the order of the spoke's links."""
    if actor.spoke_id is None:
        raise NotPermitted
    named = symptoms_named(content.complaints)
    recommended = recommended_speciality(
        [named[code] for code in content.complaints if code in named],
        age_months=age_in_months(patient.birth_date, clock.today()),
    )
    choices = hubs_for(actor.state_id, actor.spoke_id)
    by_state: dict[int, list[uuid.UUID]] = {}
    for choice in choices:
        by_state.setdefault(choice.line.state_id, []).append(choice.line.id)
    waits: dict[uuid.UUID, WaitInterval | None] = {}
    taken: dict[uuid.UUID, int] = {}
    on_duty: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {}
    for state_id, line_ids in by_state.items():
        waits |= expected_waits(state_id, line_ids)
        taken |= places_taken(state_id, line_ids, clock.today())
        on_duty |= who_is_on_duty(state_id, line_ids)
    people = practitioners({key for keys in on_duty.values() for key in keys})
    offers = [
        HubOffer(
            choice,
            [people[one] for _state, one in on_duty[choice.line.id] if one in people],
            waits[choice.line.id],
            taken[choice.line.id] >= choice.line.places_per_day,
            choice.line.speciality_code == recommended,
        )
        for choice in choices
    ]
    return sorted(offers, key=lambda offer: (not offer.is_recommended, not offer.doctors))


def hub_offer(
    actor: Actor, patient: Patient, content: IntakeContent, *, state_id: int, line_id: uuid.UUID
) -> HubOffer:
    """Return one of `hub_offers`. Raises NotFound for a line that does not answer the spoke."""
    for offer in hub_offers(actor, patient, content):
        if (offer.choice.line.state_id, offer.choice.line.id) == (state_id, line_id):
            return offer
    raise NotFound


@verb("consultation.ask_hub")
def ask_hub(
    actor: Actor,
    *,
    patient: Patient,
    choice: HubChoice,
    content: IntakeContent,
    language: str,
    request_key: uuid.UUID,
    gender_preference: str = "",
    practitioner: Practitioner | None = None,
    later: bool = False,
    companion_id: uuid.UUID | None = None,
) -> Consultation:
    """Ask a hub's doctors of a speciality, or one of them by name while on duty there.

    `later`: in writing, to be answered within WRITTEN_HOURS without a call; not in an emergency.

    A danger sign does not end here as it does at home: the staff have called the ambulance, and a
    doctor sees the patient first, whoever is free: nobody's gender is waited for then, nor that of
    who is asked by name. The same `request_key` again returns the first consultation.
    Raises NotEnough, DangerUnanswered, ConsentMissing, CompanionMissing, LineFull, WaitingRoomFull,
    AlreadyWaiting, Invalid for a language that nobody is asked for.
    """
    if actor.spoke_id is None or not may_act_for(actor, patient):
        raise NotPermitted
    pool = choice.line
    earlier = requested_before(patient, pool.state_id, request_key)
    if earlier is not None:
        return earlier
    ready = readiness(patient, content)
    if ready.missing:
        raise NotEnough(ready.missing)
    if not ready.emergency:
        require_asked(patient, content, beside=True)
    if language not in languages_at(patient.state_id):
        raise Invalid(field="language")
    line = pool
    written = later and not ready.emergency
    if written:
        line = open_written_line(actor, parent=pool)
    elif practitioner is not None and serves_now(practitioner.id, pool.state_id, pool.id):
        line = own_lane(actor, pool, practitioner.id, practitioner.state_id)
        # It is kept for the pool where it says the same; the lane would wait in vain otherwise.
        if practitioner.gender != gender_preference:
            gender_preference = ""
    opened = ask_line(
        actor,
        patient=patient,
        line=line,
        content=content,
        language=language,
        request_key=request_key,
        # Whoever sits at a spoke has come a long way, and a place beside them is taken.
        priority_class=PriorityClass.EMERGENCY if ready.emergency else PriorityClass.PRIORITY,
        gender_preference="" if ready.emergency else gender_preference,
        companion_id=companion_id,
        waiting_since=carried_wait(patient, pool) if line.id == pool.id else None,
    )
    if written and opened.due_at is None:
        be_due(opened, clock.now() + datetime.timedelta(hours=WRITTEN_HOURS))
    concerns(opened, patient_id=patient.id)
    return opened


WRITTEN_HOURS = 24
"""A written request is answered within a day. A rule of this service, for a clinical lead."""


@dataclass(frozen=True)
class Inbox:
    """Written requests that wait in the lines a doctor serves: how many, and the first due."""

    line_ids: list[uuid.UUID]
    waiting: int
    due_at: datetime.datetime | None


def desk_topics(practitioner: Practitioner, lines: list[tuple[int, uuid.UUID]]) -> dict[str, str]:
    """Return what a desk listens to: the lines served, also those in writing, and itself."""
    topics = {f"line.{line_id}": "" for _state, line_id in [*lines, *written_lines(lines)]}
    return topics | {f"desk.{practitioner.id}": ""}


def topics_at_desk(
    practitioner: Practitioner, lines: list[tuple[int, uuid.UUID]]
) -> dict[str, str]:
    """Return what a doctor may hear now: the desk, the live consultation, and those asked into.

    Nothing of a patient is read, and no reading stands on the audit trail: what the doctor fetches
    because of a hint does.
    """
    topics = desk_topics(practitioner, lines)
    for ask in readable_asks(practitioner):
        topics |= topics_of(ask.consultation)
    live = live_consultation_of(practitioner)
    if live is None:
        return topics
    mine = {"state_id": live[0], "id": live[1], "practitioner_id": practitioner.id}
    for held in Consultation.objects.filter(**mine):
        topics |= topics_of(held) | {f"asks.{held.id}": ""}
    return topics


def inbox_of(assigned: list[tuple[int, uuid.UUID]]) -> Inbox:
    """Return what waits to be answered in writing by who serves these lines."""
    by_state: dict[int, list[uuid.UUID]] = {}
    lines = written_lines(assigned)
    for state_id, line_id in lines:
        by_state.setdefault(state_id, []).append(line_id)
    waiting = 0
    since: list[datetime.datetime] = []
    for state_id, line_ids in by_state.items():
        waiting += sum(waiting_counts(state_id, line_ids).values())
        since += longest_waits(state_id, line_ids).values()
    due_at = min(since) + datetime.timedelta(hours=WRITTEN_HOURS) if since else None
    return Inbox([line_id for _state_id, line_id in lines], waiting, due_at)


@verb("consultation.take_written")
def take_written(actor: Actor, *, practitioner: Practitioner) -> Consultation:
    """Take the written request that has waited longest, in progress at once: nobody is called.

    Raises NotOnDuty, AlreadyServing, NobodyWaiting.
    """
    server = reserve(actor, practitioner)
    heads = [
        head
        for head in line_heads(written_lines(assigned_lines(practitioner.id)), server)
        if head.head_since is not None
    ]
    heads.sort(key=lambda head: (head.order_class, head.head_since))
    token = queueing.claim_next(
        actor, server=server, lines=[(head.state_id, head.line_id) for head in heads]
    )
    return begin(actor, seat(actor, practitioner, token))
