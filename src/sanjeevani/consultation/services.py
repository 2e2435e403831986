"""The verbs of a consultation, from request to feedback."""

import contextlib
import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Self

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.models import Mode
from sanjeevani.calls.services import close_room, leave_for_questions, open_room, seat_host
from sanjeevani.consultation.asks import end_asks, open_ask
from sanjeevani.consultation.errors import (
    AlreadyGiven,
    ClinicClosed,
    ConsentMissing,
    DangerSigns,
    DangerUnanswered,
    NoteChanged,
    NotOnDuty,
)
from sanjeevani.consultation.events import (
    ConsultationEnded,
    ConsultationRequested,
    ConsultationStarted,
    FeedbackGiven,
    NoteWritten,
)
from sanjeevani.consultation.letters import OUTCOMES_WITH_LETTER, LetterContent, write_letter
from sanjeevani.consultation.models import (
    Block,
    Consultation,
    ConsultationReference,
    ConsultationStatus,
    Diagnosis,
    EncounterKind,
    Feedback,
    Link,
    Note,
    Outcome,
    SpokeToDo,
    ToDoKind,
)
from sanjeevani.consultation.permissions import (
    require_in_progress,
    require_patient,
    require_practitioner,
)
from sanjeevani.consultation.presence import require_presence
from sanjeevani.consultation.states import CONSULTATION_MOVES
from sanjeevani.directory.models import Line, Practitioner
from sanjeevani.directory.queries import OpenClinic, lines_by_id, names_by_post
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept, update_where
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.services import freeze
from sanjeevani.intake.triage import danger_in, goes_first, questions_for
from sanjeevani.patients.companions import identified
from sanjeevani.patients.models import Consent, ConsentDecision, Patient
from sanjeevani.patients.queries import (
    has_withdrawn,
    may_act_for,
    records_of_person,
    valid_consent,
)
from sanjeevani.patients.services import decide_consent, end_access_by, grant_access
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.dispatch import Head, dispatch_order
from sanjeevani.queueing.errors import AlreadyWaiting, LineFull, NobodyWaiting, WaitingRoomFull
from sanjeevani.queueing.models import PriorityClass, Token, TokenStatus
from sanjeevani.queueing.queries import line_heads
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import assigned_lines, duty_of
from sanjeevani.terminology.vitals import HEIGHT, WEIGHT, vitals

QUESTIONS_DAYS = 3


@verb("consultation.request")
def request(
    actor: Actor,
    *,
    patient: Patient,
    clinic: OpenClinic,
    content: IntakeContent,
    language: str,
    request_key: uuid.UUID,
    gender_preference: str = "",
    companion_id: uuid.UUID | None = None,
) -> Consultation:
    """Ask a clinic: consultation, token, frozen intake and room in one transaction.

    `companion_id` names the adult who is with a minor (`patients/companions.py`). The same
    `request_key` again returns the first consultation. Raises DangerSigns, DangerUnanswered,
    ClinicClosed, ConsentMissing, CompanionMissing, Invalid, LineFull, WaitingRoomFull,
    AlreadyWaiting.
    """
    if not may_act_for(actor, patient):
        raise NotPermitted
    line = clinic.line
    earlier = requested_before(patient, line.state_id, request_key)
    if earlier is not None:
        return earlier
    require_safe_to_wait(patient, content)
    if language not in clinic.clinic.languages:
        raise Invalid(field="language")
    if not clinic.is_open:
        raise ClinicClosed
    return ask_line(
        actor,
        patient=patient,
        line=line,
        content=content,
        language=language,
        request_key=request_key,
        priority_class=priority_of(patient, content),
        gender_preference=gender_preference,
        companion_id=companion_id,
        waiting_since=carried_wait(patient, line),
    )


def ask_line(
    actor: Actor,
    *,
    patient: Patient,
    line: Line,
    content: IntakeContent,
    language: str,
    request_key: uuid.UUID,
    priority_class: PriorityClass,
    gender_preference: str = "",
    companion_id: uuid.UUID | None = None,
    waiting_since: datetime.datetime | None = None,
) -> Consultation:
    """Issue a token, open its consultation and freeze the intake: part of the verbs that ask.

    Raises ConsentMissing, CompanionMissing, Invalid, LineFull, WaitingRoomFull, AlreadyWaiting.
    """
    consent = valid_consent(patient)
    if consent is None:
        raise ConsentMissing
    content = replace(content, companion=identified(patient, companion_id))
    consultation_id = uuid7()
    try:
        with transaction.atomic():
            token = queueing.issue_token(
                actor,
                state_id=line.state_id,
                line_id=line.id,
                places=line.places_per_day,
                waiting_places=line.waiting_places,
                subject_id=patient.id,
                consultation_id=consultation_id,
                language=language,
                gender_preference=gender_preference,
                priority_class=priority_class,
                waiting_since=waiting_since,
            )
    except (AlreadyWaiting, LineFull, WaitingRoomFull):
        # Sent twice at the same moment: the first one, by now committed, has the place.
        earlier = requested_before(patient, line.state_id, request_key)
        if earlier is None:
            raise
        return earlier
    consultation = open_consultation(
        actor,
        token=token,
        subject=Subject.of_patient(patient, actor, language=language, consent=consent),
        request_key=request_key,
    )
    freeze(
        actor,
        state_id=line.state_id,
        consultation_id=consultation_id,
        patient=patient,
        content=content,
    )
    concerns(consultation, patient_id=patient.id)
    return consultation


def require_no_danger(patient: Patient, content: IntakeContent) -> None:
    """Let nobody with a danger sign wait at home. Raises DangerSigns."""
    if danger_in(content, birth_date=patient.birth_date, gender=patient.gender):
        raise DangerSigns


def require_safe_to_wait(patient: Patient, content: IntakeContent) -> None:
    """Let only those wait at home who were asked for danger signs and have none.

    Raises DangerSigns, DangerUnanswered.
    """
    require_no_danger(patient, content)
    require_asked(patient, content, beside=False)


def require_asked(patient: Patient, content: IntakeContent, *, beside: bool) -> None:
    """Let only those wait who were asked for danger signs. Raises DangerUnanswered.

    `beside`: staff are with the patient, and have looked as well.
    """
    asked = questions_for(patient.birth_date, patient.gender, beside=beside)
    if any(sign.code not in content.answers for sign in asked):
        raise DangerUnanswered


def priority_of(patient: Patient, content: IntakeContent) -> PriorityClass:
    """Return the class of the line that a patient waits in."""
    first = goes_first(content, birth_date=patient.birth_date)
    return PriorityClass.PRIORITY if first else PriorityClass.ORDINARY


@dataclass(frozen=True)
class Subject:
    """The facts of a patient that a consultation keeps as they were."""

    patient_state_id: int
    patient_id: uuid.UUID
    patient_account_id: uuid.UUID
    patient_name: str
    patient_gender: str
    patient_birth_date: datetime.date
    patient_address: str
    language: str
    consent_id: uuid.UUID
    consented_at: datetime.datetime | None = None
    consent_by: str = ""
    spoke_id: uuid.UUID | None = None
    asked_by_post_id: uuid.UUID | None = None

    @classmethod
    def of_patient(cls, patient: Patient, actor: Actor, *, language: str, consent: Consent) -> Self:
        """Copy them from the registry; the actor's spoke is where the patient sits."""
        return cls(
            patient_state_id=patient.state_id,
            patient_id=patient.id,
            patient_account_id=patient.account_id,
            patient_name=patient.name,
            patient_gender=patient.gender,
            patient_birth_date=patient.birth_date,
            patient_address=f"{patient.address}, {patient.district}",
            language=language,
            consent_id=consent.id,
            consented_at=consent.decided_at,
            consent_by=_obtained_by(consent),
            spoke_id=actor.spoke_id,
            asked_by_post_id=actor.post_id if actor.spoke_id else None,
        )

    @classmethod
    def of_consultation(cls, consultation: Consultation) -> Self:
        """Copy them from an earlier consultation."""
        return cls(**{item.name: getattr(consultation, item.name) for item in fields(cls)})


def _obtained_by(consent: Consent) -> str:
    """Return who of the staff obtained a consent; empty where the patient agreed by themselves."""
    post_id = consent.obtained_by_post_id
    if post_id is None:
        return ""
    return names_by_post(consent.state_id, [post_id]).get(post_id, "")


@dataclass(frozen=True)
class Following:
    """Which earlier consultation a new one is linked to, and why."""

    state_id: int
    consultation_id: uuid.UUID
    link: Link
    practitioner_id: uuid.UUID | None = None


@verb("consultation.open")
def open_consultation(
    actor: Actor,
    *,
    token: Token,
    subject: Subject,
    request_key: uuid.UUID,
    following: Following | None = None,
) -> Consultation:
    """Open the consultation that a token was issued for, with its room."""
    room = open_room(
        actor,
        state_id=token.state_id,
        guest_account_id=subject.spoke_id or subject.patient_account_id,
        mode=Mode.CHAT,
    )
    is_follow_up = following is not None and following.link == Link.FOLLOW_UP
    consultation = Consultation.objects.create(
        state_id=token.state_id,
        id=token.consultation_id,
        encounter_kind=EncounterKind.FOLLOW_UP if is_follow_up else EncounterKind.FIRST,
        line_id=token.line_id,
        token_id=token.id,
        room_id=room.id,
        follows_state_id=following.state_id if following else None,
        follows_id=following.consultation_id if following else None,
        follow_up_with_id=following.practitioner_id if following else None,
        link=following.link if following else "",
        request_key=request_key,
        requested_at=clock.now(),
        **vars(subject),
    )
    ConsultationReference.objects.create(
        state_id=subject.patient_state_id,
        id=consultation.id,
        patient_id=subject.patient_id,
        account_id=subject.patient_account_id,
        consultation_state_id=token.state_id,
        follows_id=following.consultation_id if following else None,
        spoke_id=subject.spoke_id,
    )
    if subject.spoke_id is not None:
        _here_again(consultation, subject.spoke_id)
    respect_blocks(actor, consultation)
    concerns(consultation, patient_id=subject.patient_id)
    publish(
        ConsultationRequested(
            state_id=token.state_id,
            consultation_id=consultation.id,
            patient_state_id=subject.patient_state_id,
            line_id=token.line_id,
            spoke_id=subject.spoke_id,
        )
    )
    return consultation


def _here_again(consultation: Consultation, spoke_id: uuid.UUID) -> None:
    """Who sits at the spoke again need not be called, and who comes as the doctor wanted has come.

    As the system: nobody has ticked it.
    """
    SpokeToDo.objects.filter(
        Q(kind=ToDoKind.CALL_BACK)
        | Q(kind=ToDoKind.FOLLOW_UP, consultation_id=consultation.follows_id),
        state_id=consultation.patient_state_id,
        facility_id=spoke_id,
        patient_id=consultation.patient_id,
        done_at__isnull=True,
    ).update(done_at=clock.now())


_blocked = Compiled(
    lambda: Block.objects.filter(
        state_id=given("state_id"), account_id=given("account_id")
    ).values_list("practitioner_id")
)


def blocked_for(patient_state_id: int, account_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the practitioners whom an account is never to meet again."""
    return [
        practitioner_id
        for (practitioner_id,) in _blocked.all(state_id=patient_state_id, account_id=account_id)
    ]


def respect_blocks(actor: Actor, consultation: Consultation) -> None:
    """Keep a token just issued from who is blocked; part of the verbs that issue tokens."""
    blocked = blocked_for(consultation.patient_state_id, consultation.patient_account_id)
    if blocked:
        queueing.keep_from(
            actor,
            state_id=consultation.state_id,
            token_ids=[consultation.token_id],
            practitioner_ids=blocked,
        )


CARRIED_DAYS = 3
"""So long the waiting time of who was sent home by a closing clinic counts."""


_sent_home = Compiled(
    lambda: (
        Consultation.objects.select_related("token")
        .filter(
            # Of a doctor's own lane too: the clinic's line is the lane's parent.
            Q(line_id=given("line_id")) | Q(line__parent_id=given("line_id")),
            state_id=given("state_id"),
            patient_id=given("patient_id"),
            carries_wait=True,
            ended_at__gt=given("since"),
        )
        .order_by("id")[:1]
    )
)


def carried_wait(patient: Patient, line: Line) -> datetime.datetime | None:
    """Return since when the patient waits, if the line closed before their turn or broke for good;
    once. For the verbs that ask."""
    sent_home = _sent_home.first(
        state_id=line.state_id,
        patient_id=patient.id,
        line_id=line.id,
        since=clock.now() - datetime.timedelta(days=CARRIED_DAYS),
    )
    if sent_home is None:
        return None
    Consultation.objects.filter(state_id=line.state_id, id=sent_home.id).update(carries_wait=False)
    since: datetime.datetime = sent_home.token.waiting_since
    return since


_of_request = Compiled(
    lambda: Consultation.objects.filter(
        state_id=given("state_id"),
        request_key=given("request_key"),
        patient_account_id=given("account_id"),
    )[:1]
)


def requested_before(
    patient: Patient, state_id: int, request_key: uuid.UUID
) -> Consultation | None:
    """Return the consultation that a request of this key has opened, for the verbs that ask."""
    earlier = _of_request.first(
        state_id=state_id, request_key=request_key, account_id=patient.account_id
    )
    if earlier is not None:
        concerns(earlier, patient_id=earlier.patient_id)
    return earlier


@verb("consultation.cancel")
def cancel(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> None:
    """The patient gives the token back while waiting, or up what is still to be added."""
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    _give_back(actor, consultation)


def _give_back(actor: Actor, consultation: Consultation) -> None:
    at: dict[str, Any] = {
        "state_id": consultation.state_id,
        "token_id": consultation.token_id,
    }
    if consultation.status == ConsultationStatus.RETURNED:
        # The day first, as asking again locks them.
        queueing.free_place(actor, **at)
        # Asked again at the same moment, it has another token.
        if locked(consultation.state_id, consultation.id).status != ConsultationStatus.RETURNED:
            raise Stale
    else:
        queueing.cancel(actor, **at)
    end_consultation(actor, consultation, ConsultationStatus.CANCELLED)


@verb("consultation.withdraw_consent")
def withdraw_consent(actor: Actor, *, patient: Patient, language: str) -> Consent:
    """Withdraw a patient's consent, and give back the tokens with which the patient waits.

    Also those at a spoke, and those of records that are the same person. A consultation that a
    doctor has begun goes on to its end; one that is being called ends if it would wait again
    (`wait_again`). No spoke rings them any more.
    """
    if not may_act_for(actor, patient):
        raise NotPermitted
    records = records_of_person(patient.state_id, patient.id)
    references = ConsultationReference.objects.filter(
        state_id=patient.state_id, patient_id__in=records
    ).order_by("-id")[:RECENT_REQUESTS]
    waiting = [
        consultation
        for reference in references
        for consultation in Consultation.objects.filter(
            Q(token__status=TokenStatus.WAITING) | Q(status=ConsultationStatus.RETURNED),
            state_id=reference.consultation_state_id,
            id=reference.id,
            ended_at__isnull=True,
        )
    ]
    # In one order: two who leave the same lines wait for each other's days, and neither for ever.
    for one in sorted(waiting, key=lambda one: (one.state_id, one.line_id)):
        # Whom a doctor calls at the same moment: see `wait_again`.
        with contextlib.suppress(Stale), transaction.atomic():
            _give_back(actor, one)
    consent = decide_consent(
        actor, patient=patient, decision=ConsentDecision.WITHDRAWN, language=language
    )
    SpokeToDo.objects.filter(
        state_id=patient.state_id,
        facility_id__in={one.spoke_id for one in references if one.spoke_id},
        patient_id__in=records,
        done_at__isnull=True,
    ).update(done_at=clock.now())
    concerns(consent, patient_id=patient.id)
    return consent


RECENT_REQUESTS = 20
"""More than a patient can wait with at a time."""


@verb("consultation.call_next")
def call_next(actor: Actor, *, practitioner: Practitioner) -> Consultation:
    """Claim one patient for the practitioner, by the dispatch rule over all lines served.

    Raises NotOnDuty, AlreadyServing, NobodyWaiting.
    """
    server = reserve(actor, practitioner)
    lines = assigned_lines(practitioner.id)
    targets = {key: line.target_wait_minutes for key, line in lines_by_id(lines).items()}
    while True:
        heads = [
            Head(head.state_id, head.line_id, head.order_class, head.head_since)
            for head in line_heads(lines, server)
            if head.order_class is not None and head.head_since is not None
        ]
        try:
            token = queueing.claim_next(
                actor, server=server, lines=dispatch_order(heads, targets, clock.now())
            )
        except NobodyWaiting:
            # Others were faster at every head seen; meanwhile someone may wait in another line.
            if not heads:
                raise
        else:
            break
    return seat(actor, practitioner, token)


def reserve(actor: Actor, practitioner: Practitioner) -> queueing.Server:
    """Keep the practitioner free for one claim: part of the verbs that claim.

    Raises NotPermitted, NotOnDuty, AlreadyServing.
    """
    if practitioner.account_id != actor.account_id or practitioner.verified_at is None:
        raise NotPermitted
    if duty_of(practitioner.id) != DutyStatus.ON:
        raise NotOnDuty
    queueing.take_lease(actor, practitioner_id=practitioner.id)
    return server_of(practitioner)


def seat(actor: Actor, practitioner: Practitioner, token: Token) -> Consultation:
    """Bring the practitioner to the consultation of a claimed token: part of the verbs that
    claim."""
    consultation = get(token.state_id, token.consultation_id)
    facts = {
        "practitioner_state_id": practitioner.state_id,
        "practitioner_id": practitioner.id,
        "practitioner_name": practitioner.name,
        "practitioner_qualification": practitioner.qualification,
        "practitioner_registration": (f"{practitioner.council} {practitioner.registration_number}"),
        # Guidelines: a follow-up is one with the same practitioner; with another it is a first.
        "encounter_kind": EncounterKind.FOLLOW_UP
        if consultation.follow_up_with_id == practitioner.id
        else EncounterKind.FIRST,
    }
    where = {"state_id": consultation.state_id, "id": consultation.id}
    update_where(Consultation, where, **facts)
    for name, value in facts.items():
        setattr(consultation, name, value)
    if consultation.status == ConsultationStatus.INTERRUPTED:
        # Another doctor gave the patient up: until this call is answered nothing is in progress.
        move(
            Consultation,
            CONSULTATION_MOVES,
            state_id=consultation.state_id,
            id=consultation.id,
            to=ConsultationStatus.REQUESTED,
            source=[ConsultationStatus.INTERRUPTED],
        )
        consultation.status = ConsultationStatus.REQUESTED
    seat_host(
        actor,
        state_id=consultation.state_id,
        room_id=consultation.room_id,
        account_id=practitioner.account_id,
    )
    grant_access(
        actor,
        patient_state_id=consultation.patient_state_id,
        patient_id=consultation.patient_id,
        practitioner_id=practitioner.id,
        consultation_state_id=consultation.state_id,
        consultation_id=consultation.id,
    )
    concerns(consultation, patient_id=consultation.patient_id)
    return consultation


def server_of(practitioner: Practitioner) -> queueing.Server:
    """Return what of a practitioner decides eligibility in the queue."""
    return queueing.Server(practitioner.id, practitioner.languages, practitioner.gender)


@verb("consultation.answer")
def answer(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """The patient presses CALL NOW. Pressing twice is once.

    Raises CallExpired, PresenceUnproven.
    """
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    if consultation.status == ConsultationStatus.IN_PROGRESS:
        return consultation
    require_presence(consultation)
    return begin(actor, consultation)


def begin(actor: Actor, consultation: Consultation) -> Consultation:
    """Let a claimed consultation be in progress: part of the verbs that do."""
    state_id, consultation_id = consultation.state_id, consultation.id
    queueing.answer(actor, state_id=state_id, token_id=consultation.token_id)
    now = clock.now()
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=state_id,
        id=consultation_id,
        to=ConsultationStatus.IN_PROGRESS,
        started_at=consultation.started_at or now,
    )
    consultation.status = ConsultationStatus.IN_PROGRESS
    consultation.started_at = consultation.started_at or now
    concerns(consultation, patient_id=consultation.patient_id)
    publish(ConsultationStarted(state_id=state_id, consultation_id=consultation_id))
    return consultation


@verb("consultation.not_answered")
def not_answered(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> None:
    """The 120 seconds passed: the token waits again, or expires and the consultation with it."""
    token = queueing.not_answered(actor, state_id=state_id, token_id=token_id)
    consultation = get(state_id, token.consultation_id)
    if token.status == TokenStatus.EXPIRED:
        free_of_practitioner(actor, consultation)
        end_consultation(actor, consultation, ConsultationStatus.ABANDONED)
    else:
        wait_again(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)


@verb("consultation.hand_back")
def hand_back(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    reason: str,
) -> None:
    """The doctor does not take this call: at the head again, for another doctor.

    The next doctor reads the reason. Raises Invalid, Stale.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    reason = valid_reason(reason, _("Say why you hand this patient back."), "hand_back_reason")
    queueing.hand_back(
        actor,
        state_id=state_id,
        token_id=consultation.token_id,
        practitioner_id=practitioner.id,
    )
    Consultation.objects.filter(state_id=state_id, id=consultation_id).update(reason=reason)
    wait_again(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)


REASON_LENGTH = 300


def valid_reason(reason: str, missing: Promise, field: str) -> str:
    """Return what a doctor gives as a reason, without spaces around. Raises Invalid."""
    reason = reason.strip()
    if not reason:
        raise Invalid(missing, field=field)
    if len(reason) > REASON_LENGTH:
        raise Invalid(
            _("Shorten this: %(count)d characters fit here.") % {"count": REASON_LENGTH},
            field=field,
        )
    return reason


@verb("consultation.free_of_practitioner")
def free_of_practitioner(actor: Actor, consultation: Consultation) -> None:
    """Take the practitioner off a consultation that waits again.

    Who only called reads nothing more of the patient; who has talked with them does, as after any
    consultation.
    """
    if consultation.practitioner_id and consultation.status == ConsultationStatus.REQUESTED:
        end_access_by(consultation.patient_state_id, consultation.id, consultation.practitioner_id)
    Consultation.objects.filter(state_id=consultation.state_id, id=consultation.id).update(
        practitioner_id=None,
        practitioner_state_id=None,
        practitioner_name="",
        practitioner_qualification="",
        practitioner_registration="",
    )
    seat_host(
        actor,
        state_id=consultation.state_id,
        room_id=consultation.room_id,
        account_id=None,
    )
    end_asks(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)


def wait_again(actor: Actor, consultation: Consultation) -> None:
    """Let a consultation that its doctor gave up wait for another: part of the verbs that do.

    Consent withdrawn while the doctor called: the next doctor would read without it. It ends.
    """
    free_of_practitioner(actor, consultation)
    if has_withdrawn(consultation.patient_state_id, consultation.patient_id):
        _give_back(actor, consultation)


@dataclass(frozen=True)
class NoteContent:
    """What the doctor writes. Heights in cm, weights in kg.

    `allergies` and `medicines`: what the patient names in the call and had not told before; the
    rules of prescribing look at both.
    """

    history: str = ""
    allergies: str = ""
    medicines: str = ""
    findings: str = ""
    investigations: str = ""
    advice: str = ""
    come_back: str = ""
    height_cm: Decimal | None = None
    weight_kg: Decimal | None = None
    last_menstrual_period: datetime.date | None = None


@dataclass(frozen=True)
class Seen:
    """Since when the note stands that somebody has read; None: nothing was written yet."""

    written_at: datetime.datetime | None


_note = Kept(Note, key=("state_id", "consultation_id"))
_diagnoses = Kept(Diagnosis, key=("state_id", "consultation_id", "code"))
_written_at = Compiled(
    lambda: Note.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).values_list("written_at")
)
_advice = Compiled(
    lambda: Note.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).values_list("advice")
)


@verb("consultation.write_note")
def write_note(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    content: NoteContent,
    diagnoses: Sequence[tuple[str, str]],
    seen: Seen | None = None,
) -> Seen:
    """Keep the note and its coded diagnoses `(code, title)`; the newest writing stands.

    Unless the writer says what was `seen`: then only on top of that. Returns what is seen now.
    Raises NotInProgress; Invalid for a height, a weight or a day that cannot be; NoteChanged for
    a note that is not the one that was seen.
    """
    # A late writing meets the end here: what was concluded does not change.
    consultation = locked(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    if seen is not None:
        row = _written_at.first(state_id=state_id, consultation_id=consultation_id)
        if seen.written_at != (row[0] if row else None):
            raise NoteChanged
    _check_measures(content)
    note = Note(
        state_id=state_id,
        consultation_id=consultation_id,
        written_at=clock.now(),
        **vars(content),
    )
    _note.replace(note)
    _code(state_id, consultation_id, dict(diagnoses))
    ask = open_ask(consultation)
    if ask is not None:
        publish(NoteWritten(state_id=state_id, colleague_id=ask.colleague_id))
    concerns(consultation, patient_id=consultation.patient_id)
    return Seen(note.written_at)


def _check_measures(content: NoteContent) -> None:
    """Refuse what would stand on the prescription, and what doses are checked by."""
    day = content.last_menstrual_period
    if not _is_plausible(HEIGHT, content.height_cm):
        raise Invalid(_("Write the height in centimetres, from 20 to 250"), field="height_cm")
    if not _is_plausible(WEIGHT, content.weight_kg):
        raise Invalid(_("Write the weight in kilograms, from 0.3 to 400"), field="weight_kg")
    if day is not None and day > clock.today():
        raise Invalid(_("This day has not come yet."), field="last_menstrual_period")


def _is_plausible(vital: str, value: Decimal | None) -> bool:
    known = vitals()[vital]
    return value is None or known.minimum <= float(value) <= known.maximum


_coded = Compiled(
    lambda: Diagnosis.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).values_list("code")
)


def _code(state_id: int, consultation_id: uuid.UUID, diagnoses: dict[str, str]) -> None:
    """Let these diagnoses, title by code, be all that the note has."""
    kept = {code for (code,) in _coded.all(state_id=state_id, consultation_id=consultation_id)}
    if gone := kept - diagnoses.keys():
        Diagnosis.objects.filter(
            state_id=state_id, consultation_id=consultation_id, code__in=gone
        ).delete()
    for code, title in diagnoses.items():
        if code not in kept:
            _diagnoses.add(
                Diagnosis(
                    state_id=state_id, consultation_id=consultation_id, code=code, title=title
                )
            )


@verb("consultation.confirm_consent")
def confirm_consent(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> Consultation:
    """The patient says to the doctor what the staff of a spoke have written down: they agree.

    Twice is once. Raises NotInProgress; Invalid where the patient has agreed by themselves, or
    where nobody is called.
    """
    consultation = locked(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    if consultation.spoke_id is None:
        raise Invalid(_("The patient has agreed by themselves."))
    if consultation.due_at is not None:
        raise Invalid(_("This is asked in writing: nobody is there to confirm it."))
    if consultation.consent_confirmed_at is None:
        consultation.consent_confirmed_at = clock.now()
        consultation.save(update_fields=["consent_confirmed_at"])
    return consultation


@verb("consultation.complete")
def complete(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    outcome: Outcome,
    letter: LetterContent | None = None,
    follow_up_days: int | None = None,
) -> Consultation:
    """Done: the practitioner is free, the room stays for questions. Raises NotInProgress, Invalid.

    A note without advice and without a diagnosis is not a consultation. An outcome that sends the
    patient to somebody in person needs the `letter` to take along; others take none.
    `follow_up_days`: in so many days the doctor wants to see the patient again.
    """
    consultation = get(state_id, consultation_id)
    require_concludable(actor, practitioner, consultation)
    if outcome in OUTCOMES_WITH_LETTER:
        write_letter(actor, practitioner=practitioner, consultation=consultation, content=letter)
    if follow_up_days is not None:
        if not 1 <= follow_up_days <= LONGEST_FOLLOW_UP:
            raise Invalid(_("Say in how many days, from 1 to 180."), field="follow_up_days")
        consultation.follow_up_on = clock.today() + datetime.timedelta(days=follow_up_days)
    conclude(actor, consultation, outcome)
    if follow_up_days is not None:
        # Only now: the token is locked before the consultation, here as elsewhere.
        consultation.save(update_fields=["follow_up_on"])
        ConsultationReference.objects.filter(
            state_id=consultation.patient_state_id, id=consultation.id
        ).update(follow_up_on=consultation.follow_up_on)
    return consultation


LONGEST_FOLLOW_UP = 180
"""Days: later it is no follow-up any more (`FOLLOW_UP_PERIOD`)."""


def require_concludable(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> None:
    """Let the practitioner conclude who has both patient and something written.

    Also while the patient is lost: what was said and written holds, and they are told to read it.
    Raises NotInProgress, Invalid.
    """
    require_in_progress(actor, practitioner, consultation)
    state_id, consultation_id = consultation.state_id, consultation.id
    note = _advice.first(state_id=state_id, consultation_id=consultation_id)
    coded = _coded.all(state_id=state_id, consultation_id=consultation_id)
    if note is None or not (note[0].strip() or coded):
        raise Invalid(_("Write your advice or a diagnosis before you finish."), field="advice")


def conclude(
    actor: Actor, consultation: Consultation, outcome: Outcome, *, reason: str = ""
) -> None:
    """Free the practitioner, leave the room for questions and end: part of the verbs that do."""
    queueing.finish(actor, state_id=consultation.state_id, token_id=consultation.token_id)
    leave_for_questions(
        actor,
        state_id=consultation.state_id,
        room_id=consultation.room_id,
        until=clock.now() + datetime.timedelta(days=QUESTIONS_DAYS),
    )
    end_consultation(
        actor, consultation, ConsultationStatus.COMPLETED, outcome=outcome, reason=reason
    )


_feedback = Kept(Feedback, key=("state_id", "consultation_id"))


@verb("consultation.give_feedback")
def give_feedback(
    actor: Actor, *, state_id: int, consultation_id: uuid.UUID, rating: int, comment: str
) -> Feedback:
    """The patient's word, once; the same word again is the first. Raises AlreadyGiven, Invalid."""
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    if consultation.status != ConsultationStatus.COMPLETED:
        raise Invalid(_("This consultation is not finished yet."))
    if not 1 <= rating <= 5:
        raise Invalid(_("Choose one of the five faces."), field="rating")
    feedback = Feedback(
        state_id=state_id,
        consultation_id=consultation_id,
        rating=rating,
        comment=comment,
        given_at=clock.now(),
    )
    concerns(feedback, patient_id=consultation.patient_id)
    if not _feedback.add(feedback):
        given = Feedback.objects.get(state_id=state_id, consultation_id=consultation_id)
        concerns(given, patient_id=consultation.patient_id)
        if (given.rating, given.comment) != (rating, comment):
            raise AlreadyGiven
        return given
    publish(FeedbackGiven(state_id=state_id, consultation_id=consultation_id, rating=rating))
    return feedback


_by_id = Compiled(
    lambda: Consultation.objects.filter(state_id=given("state_id"), id=given("consultation_id"))
)


_by_id_locked = Compiled(
    lambda: Consultation.objects.select_for_update(no_key=True).filter(
        state_id=given("state_id"), id=given("consultation_id")
    )
)


def get(state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation, for verbs. Screens read through `queries`. Raises NotFound."""
    consultation = _by_id.first(state_id=state_id, consultation_id=consultation_id)
    if consultation is None:
        raise NotFound
    return consultation


def locked(state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation, held until the verb is done: nobody ends it, signs or writes in it
    meanwhile. Raises NotFound."""
    consultation = _by_id_locked.first(state_id=state_id, consultation_id=consultation_id)
    if consultation is None:
        raise NotFound
    return consultation


def held(state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation, held with its token, for verbs that check what is written before they
    end it. Raises NotFound."""
    # The token first, here as elsewhere: whoever ends a call or loses it locks it before the rest.
    queueing.hold(state_id, get(state_id, consultation_id).token_id)
    return locked(state_id, consultation_id)


@verb("consultation.end")
def end_consultation(
    actor: Actor,
    consultation: Consultation,
    status: ConsultationStatus,
    outcome: str = "",
    reason: str = "",
    carries_wait: bool = False,
) -> None:
    """Move a consultation to its end, and its room with it."""
    now = clock.now()
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=consultation.state_id,
        id=consultation.id,
        to=status,
        outcome=outcome,
        ended_at=now,
        reason=reason,
        carries_wait=carries_wait,
    )
    consultation.status, consultation.outcome, consultation.ended_at = status, outcome, now
    if status != ConsultationStatus.COMPLETED:
        close_room(actor, state_id=consultation.state_id, room_id=consultation.room_id)
    if consultation.spoke_id is not None:
        _leave_to_spoke(consultation, consultation.spoke_id)
    end_asks(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    publish(
        ConsultationEnded(
            state_id=consultation.state_id, consultation_id=consultation.id, status=status
        )
    )


def _leave_to_spoke(consultation: Consultation, spoke_id: uuid.UUID) -> None:
    """Note what the staff of the spoke still have to do for the patient."""
    today = clock.today()
    due: dict[ToDoKind, datetime.date] = {}
    not_held = consultation.status in (ConsultationStatus.ABANDONED, ConsultationStatus.CANCELLED)
    # Whoever withdrew consent while the doctor called is not rung either.
    if not_held and not has_withdrawn(consultation.patient_state_id, consultation.patient_id):
        due[ToDoKind.CALL_BACK] = today
    if consultation.status == ConsultationStatus.COMPLETED and consultation.due_at is not None:
        due[ToDoKind.ANSWER] = today
    if consultation.follow_up_on is not None:
        due[ToDoKind.FOLLOW_UP] = consultation.follow_up_on
    SpokeToDo.objects.bulk_create(
        SpokeToDo(
            state_id=consultation.patient_state_id,
            id=uuid7(),
            facility_id=spoke_id,
            kind=kind,
            consultation_state_id=consultation.state_id,
            consultation_id=consultation.id,
            patient_id=consultation.patient_id,
            due_on=day,
        )
        for kind, day in due.items()
    )


def token_of(consultation: Consultation) -> Token:
    """Return the consultation's token."""
    return Token.objects.get(state_id=consultation.state_id, id=consultation.token_id)
