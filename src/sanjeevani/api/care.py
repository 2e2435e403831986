"""A consultation as the patient sees it, from the request to the feedback."""

import datetime
import uuid
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, at_home, carer, patient
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.family import ClinicReply, Wait, clinic_name
from sanjeevani.api.replies import (
    IdempotencyKey,
    MoveKey,
    key_of,
    moved,
    nothing,
    once,
    page_of,
    polled,
    record_before,
    reply,
)
from sanjeevani.api.types import (
    Body,
    Cursor,
    Id,
    IdInPath,
    Lines,
    PageSize,
    Reply,
    StateCode,
    StateInPath,
)
from sanjeevani.calls.errors import NotInCall, RoomClosed
from sanjeevani.calls.models import Message, Seat
from sanjeevani.calls.queries import messages_in
from sanjeevani.calls.services import MESSAGE_LENGTH, send_message
from sanjeevani.consultation.asks import advice_in, open_ask
from sanjeevani.consultation.calling import seat_in
from sanjeevani.consultation.colleagues import object_to_ask
from sanjeevani.consultation.endings import NotHeld, goes_first, why_not_held
from sanjeevani.consultation.errors import (
    AlreadyGiven,
    ClinicClosed,
    ConsentMissing,
    DangerSigns,
    DangerUnanswered,
    KeptApart,
    NobodyElse,
    NotFollowUp,
    PresenceUnproven,
)
from sanjeevani.consultation.follow_ups import put_follow_up_away
from sanjeevani.consultation.interruptions import resume
from sanjeevani.consultation.letters import letter_of
from sanjeevani.consultation.models import (
    AskStatus,
    Consultation,
    ConsultationStatus,
    Outcome,
    ShownBy,
    Urgency,
)
from sanjeevani.consultation.offers import offers_for
from sanjeevani.consultation.presence import presence_of, proofs_for
from sanjeevani.consultation.queries import (
    feedback_of,
    follow_ups_possible,
    own_consultation,
    own_consultations,
    referred_to,
    successor_of,
    topics_of,
    went_unanswered,
    writing_of,
)
from sanjeevani.consultation.services import answer, cancel, give_feedback
from sanjeevani.consultation.services import request as request_consultation
from sanjeevani.consultation.transfers import ask_again, move_on, request_follow_up
from sanjeevani.directory.models import Clinic, Gender, Line
from sanjeevani.directory.queries import clinic_serving, clinics_of_lines, hub_lines, lines_by_id
from sanjeevani.foundation.errors import Invalid, NotFound, Stale, TooMany
from sanjeevani.foundation.live import TICKET_SECONDS, issue_ticket
from sanjeevani.identity.limits import count_attempt
from sanjeevani.intake.queries import draft_of, still_told
from sanjeevani.patients.errors import CompanionMissing
from sanjeevani.patients.queries import own_patient, own_record
from sanjeevani.prescription.letters import render_letter
from sanjeevani.prescription.queries import issued
from sanjeevani.queueing.errors import AlreadyWaiting, CallExpired, LineFull, WaitingRoomFull
from sanjeevani.queueing.models import Token, TokenStatus
from sanjeevani.queueing.queries import place_of, wait_of

router = Router(tags=["Consultations"])

CONSULTATION = "/consultations/{int:state_id}/{uuid:consultation_id}"

OutcomeOrNone = Outcome | Literal[""]
"""What a consultation led to; empty until it has ended, and where nothing was decided."""


def outcome_of(consultation: Consultation) -> OutcomeOrNone:
    """Return what a consultation led to."""
    return Outcome(consultation.outcome) if consultation.outcome else ""


class Earlier(Body):
    """An earlier consultation of the patient."""

    state_id: StateCode
    id: Id


class Ask(Body):
    """Which clinic, and how the doctor should speak. What the trouble is stands in the draft.

    `companion_id`: the adult who is with a minor, one of the profile's companions. `follows`: an
    earlier consultation, to see its doctor again; nobody else's gender is asked for then.
    """

    clinic_state_id: StateCode
    clinic_id: Id
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")]
    gender_preference: Annotated[Gender, Field(strict=False)] | None = None
    companion_id: Id | None = None
    follows: Earlier | None = None


class FollowUp(Reply):
    """An earlier consultation whose doctor can be asked again, at a clinic that is open."""

    state_id: int
    id: uuid.UUID
    practitioner: str
    ended_at: datetime.datetime
    clinic: ClinicReply


class FollowUps(Reply):
    """The newest with each doctor. Send one as `follows` when you ask its clinic."""

    items: list[FollowUp]


class Asked(Reply):
    """The token: its number in the line of today."""

    state_id: int
    id: uuid.UUID
    number: int

    @classmethod
    def of(cls, consultation: Consultation) -> "Asked":
        """Show what was asked just now."""
        number = Token.objects.values_list("number", flat=True).get(
            state_id=consultation.state_id, id=consultation.token_id
        )
        return cls(state_id=consultation.state_id, id=consultation.id, number=number)


class TokenReply(Reply):
    """The place in the line. `place` (1 is next) and `expected_wait` only while waiting.

    `answer_by`: the doctor calls; answer before this moment.
    """

    number: int
    status: TokenStatus
    place: int | None
    expected_wait: Wait | None
    answer_by: datetime.datetime | None


class ClinicOf(Reply):
    """The clinic that was asked."""

    state_id: int
    id: uuid.UUID
    name: str
    facility: str
    district: str


class HubOf(Reply):
    """The speciality of a hub that a spoke has asked."""

    state_id: int
    id: uuid.UUID
    speciality: str
    facility: str
    district: str

    @classmethod
    def of(cls, line: Line) -> "HubOf":
        """Show a hub's line."""
        return cls(
            state_id=line.state_id,
            id=line.id,
            speciality=line.speciality_code,
            facility=line.facility.name,
            district=line.facility.district,
        )


class PresenceReply(Reply):
    """How to show that the patient sits at the spoke, before the call is answered.

    `ways`: by any one of these, empty where nothing is asked. `shown_by` is null until then.
    """

    ways: list[ShownBy]
    shown_by: ShownBy | None

    @classmethod
    def of(cls, consultation: Consultation) -> "PresenceReply":
        """Show how presence stands."""
        shown = presence_of(consultation)
        return cls(
            ways=proofs_for(consultation), shown_by=ShownBy(shown.shown_by) if shown else None
        )


class PractitionerReply(Reply):
    """The doctor, once there is one."""

    name: str
    qualification: str
    registration: str


class DiagnosisReply(Reply):
    """A coded diagnosis (ICD-10)."""

    code: str
    title: str
    provisional: bool


class LetterReply(Reply):
    """The letter to take along: where to go, how soon, and why."""

    refer_to: str
    urgency: Urgency
    reason: str


class ColleagueReply(Reply):
    """What a specialist advised whom the doctor had asked in."""

    name: str
    speciality: str
    advice: str


class AskedColleague(Reply):
    """Whom the doctor asks into the call; the patient may object."""

    name: str
    qualification: str
    speciality: str
    has_come: bool


class Findings(Reply):
    """What the doctor wrote for the patient, once the consultation is completed.

    `follow_up_on`: around this day the doctor wants to see the patient again.
    """

    diagnoses: list[DiagnosisReply]
    investigations: str
    advice: str
    come_back: str
    colleagues: list[ColleagueReply]
    letter: LetterReply | None
    follow_up_on: datetime.date | None


class ConsultationSummary(Reply):
    """One of a list. `hub`: what a spoke has asked; `due_at`: in writing, answered by then.

    `follow_up_on`: around this day the doctor wants to see the patient again.
    """

    state_id: int
    id: uuid.UUID
    patient_id: uuid.UUID
    patient_name: str
    status: ConsultationStatus
    outcome: OutcomeOrNone
    token_number: int
    token_status: TokenStatus
    hub: HubOf | None
    practitioner_name: str
    requested_at: datetime.datetime
    due_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    follow_up_on: datetime.date | None


class ConsultationPage(Reply):
    """Newest first. `next` is the cursor of the following page, null on the last."""

    items: list[ConsultationSummary]
    next: str | None


class Successor(Reply):
    """The consultation that goes on from this one."""

    state_id: int
    id: uuid.UUID


class MovedTo(Successor):
    """Where a redirected patient goes on; `reason`: what the doctor writes, empty without one."""

    reason: str


class ConsultationReply(Reply):
    """Where a consultation stands.

    `status`: `returned` waits for what the doctor asks for (`again`), `interrupted` for the patient
    (`resume`); completed, cancelled, abandoned (not held) and redirected ones are over.
    `not_held`: why an abandoned one did not take place: the doctor ended it, the line was lost for
    good, nobody answered two calls, or the clinic closed before. With `goes_first` the next request
    to this clinic within three days stands before others.

    `missing`: what the doctor asks for while it is returned. `moved_to`: where a redirected one
    goes on. `questions_until`: so long the patient may write after the end;
    `question_unanswered`: the last word was the patient's when that ended. `prescription_holds`:
    false once the doctor has cancelled it: tell the patient not to take medicines on it.
    `colleague`: whom the doctor asks into the call now; may read, until the patient objects.

    Of a spoke's request: `hub` in place of a clinic, `presence`, for one in writing `due_at`, by
    when it is answered, and `referred_to`, where the patient waits for the specialist.
    """

    state_id: int
    id: uuid.UUID
    patient_id: uuid.UUID
    patient_name: str
    status: ConsultationStatus
    outcome: OutcomeOrNone
    requested_at: datetime.datetime
    due_at: datetime.datetime | None
    started_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    token: TokenReply
    clinic: ClinicOf | None
    hub: HubOf | None
    presence: PresenceReply | None
    practitioner: PractitionerReply | None
    colleague: AskedColleague | None
    findings: Findings | None
    prescription_number: str | None
    prescription_holds: bool | None
    rating: int | None
    not_held: NotHeld | None
    goes_first: bool
    missing: str
    moved_to: MovedTo | None
    referred_to: Successor | None
    questions_until: datetime.datetime | None
    question_unanswered: bool


class MessageBody(Body):
    """One message."""

    text: Annotated[Lines, Field(min_length=1, max_length=MESSAGE_LENGTH)]


class MessageReply(Reply):
    """What was written; `seat` guest is the patient, host the doctor."""

    id: uuid.UUID
    seat: Seat
    text: str
    sent_at: datetime.datetime


class Messages(Reply):
    """In order. Ask again with `after` the last id."""

    items: list[MessageReply]


class FeedbackBody(Body):
    """From 1 (very bad) to 5 (very good)."""

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[Lines, Field(max_length=1000)] = ""


class TicketReply(Reply):
    """A ticket for the event stream (server-sent events) at `url`, as its parameter `ticket`.

    Open the stream first and read afterwards what is shown, or what changes in between is missed.
    At `look` read again what belongs to its topic, at `hello` and `resync` everything; at `lost`,
    and without a stream, poll. Ask for another ticket before this one expires.
    """

    ticket: str
    url: str
    expires_in_seconds: int


class SeatReply(TicketReply):
    """A ticket for the signalling socket at `url`, as its parameter `ticket`, beside `instance`.

    `instance` is a name that the client makes up for each time it opens the call. `ice` is an
    RTCConfiguration with the relays. What is said on the socket stands in `src/gateway/README.md`
    of the source; send a `ping` every few seconds. Closed with 4003, ask for another ticket.
    """

    ice: dict[str, Any]


def of_consultation(*operations: str, at: str = "") -> dict[str, dict[str, str]]:
    """Return links from an answer that names a consultation, in its part `at` if given."""
    parameters = {
        "state_id": f"$response.body#{at}/state_id",
        "consultation_id": f"$response.body#{at}/id",
    }
    return dict.fromkeys(operations, parameters)


OWN = (
    "read_consultation",
    "list_messages",
    "write_message",
    "read_ticket",
    "read_call",
    "choose_mode",
    "decline",
    "take_seat",
    "answer_call",
    "object_to_colleague",
    "give_token_back",
    "seek_doctor",
    "answer_return",
    "come_back",
    "print_own_letter",
    "rate",
    "read_prescription",
    "print_prescription",
    "list_links",
    "make_link",
)
"""What a patient does with a consultation."""


@router.post(
    "/profiles/{uuid:patient_id}/consultations",
    auth=patient,
    response={201: Asked},
    openapi_extra=says(
        AlreadyWaiting,
        ClinicClosed,
        CompanionMissing,
        ConsentMissing,
        DangerSigns,
        DangerUnanswered,
        KeptApart,
        LineFull,
        NotFollowUp,
        WaitingRoomFull,
        TooMany,
        links=of_consultation(*OWN),
    ),
)
def ask(request: ApiRequest, patient_id: IdInPath, body: Ask, key: IdempotencyKey) -> HttpResponse:
    """Ask a clinic, with what the draft says. The answer is a token."""
    actor = at_home(request)
    person = own_patient(actor, patient_id)

    def make() -> Asked:
        clinic = clinic_serving(
            person.state_id, clinic_state_id=body.clinic_state_id, clinic_id=body.clinic_id
        )
        said: dict[str, Any] = {
            "patient": person,
            "clinic": clinic,
            "content": draft_of(person),
            "language": body.language,
            "request_key": key_of(request, key),
            "companion_id": body.companion_id,
        }
        if body.follows:
            earlier = own_consultation(actor, body.follows.state_id, body.follows.id)
            made = request_follow_up(actor, **said, earlier=earlier)
        else:
            preference = body.gender_preference or ""
            made = request_consultation(actor, **said, gender_preference=preference)
        return Asked.of(made)

    return once(request, key, make, limit="requests_per_account")


@router.get(
    "/profiles/{uuid:patient_id}/follow-ups",
    auth=patient,
    response=FollowUps,
    openapi_extra=says(polled=True),
)
def list_follow_ups(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """List the doctors whom the patient has seen and can ask again now."""
    person = own_patient(request.auth.actor, patient_id)
    offers = {
        offer.open_clinic.line.id: offer
        for offer in offers_for(person, draft_of(person))
        if offer.open_clinic.is_open
    }
    found = follow_ups_possible(person)
    lines = lines_by_id((one.state_id, one.line_id) for one in found)
    items = [
        FollowUp(
            state_id=one.state_id,
            id=one.id,
            practitioner=one.practitioner_name,
            ended_at=one.ended_at,
            clinic=ClinicReply.of(offers[line_id]),
        )
        for one in found
        if (line_id := lines[one.line_id].parent_id or one.line_id) in offers and one.ended_at
    ]
    return polled(request, FollowUps(items=items))


@router.get(
    "/consultations",
    auth=carer,
    response=ConsultationPage,
    openapi_extra=says(NotFound, polled=True, links=of_consultation(*OWN, at="/items/0")),
)
def list_consultations(
    request: ApiRequest,
    cursor: Cursor = None,
    limit: PageSize = 20,
    patient_id: Annotated[uuid.UUID | None, Query()] = None,
) -> HttpResponse:
    """List the account's consultations, or the spoke's; with `patient_id` those of one person.

    Newest first.
    """
    person = own_record(request.auth.actor, patient_id) if patient_id else None
    before = record_before(request, cursor)
    found = own_consultations(request.auth.actor, limit + 1, before=before, patient=person)
    page, following = page_of(request, found, limit)
    hubs = hub_lines((one.state_id, one.line_id) for one in page)
    items = [_summary(one, hubs.get(one.line_id)) for one in page]
    return polled(request, ConsultationPage(items=items, next=following))


def _summary(consultation: Consultation, hub: Line | None) -> ConsultationSummary:
    names = ConsultationSummary.model_fields.keys() - {"token_number", "token_status", "hub"}
    return ConsultationSummary(
        **{name: getattr(consultation, name) for name in names},
        token_number=consultation.token.number,
        token_status=consultation.token.status,
        hub=HubOf.of(hub) if hub else None,
    )


@router.get(CONSULTATION, auth=carer, response=ConsultationReply, openapi_extra=says(polled=True))
def read_consultation(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """Say where a consultation stands. Poll with If-None-Match, or listen with a ticket."""
    return polled(request, _state(_own(request, state_id, consultation_id)))


def _own(request: ApiRequest, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    return own_consultation(request.auth.actor, state_id, consultation_id)


def _state(consultation: Consultation) -> ConsultationReply:
    clinic = _asked(consultation)
    hub = None if clinic else _hub(consultation)
    done = consultation.status == ConsultationStatus.COMPLETED
    newest = issued(consultation) if done else None
    feedback = feedback_of(consultation) if done else None
    copied: dict[str, Any] = {
        name: getattr(consultation, name)
        for name in ConsultationReply.model_fields.keys() - COMPUTED
    }
    return ConsultationReply(
        **copied,
        token=_token(consultation.token),
        clinic=_clinic(clinic) if clinic else None,
        hub=HubOf.of(hub) if hub else None,
        presence=PresenceReply.of(consultation) if consultation.spoke_id else None,
        practitioner=practitioner_in(consultation),
        colleague=_colleague(consultation),
        findings=_findings(consultation) if done else None,
        prescription_number=newest.prescription.number if newest else None,
        prescription_holds=newest.ending is None if newest else None,
        rating=feedback.rating if feedback else None,
        not_held=why_not_held(consultation),
        goes_first=goes_first(consultation),
        missing=consultation.reason if consultation.status == ConsultationStatus.RETURNED else "",
        moved_to=_moved_to(consultation),
        referred_to=_referred_to(consultation),
        questions_until=consultation.room.questions_until,
        question_unanswered=went_unanswered(consultation),
    )


def _asked(consultation: Consultation) -> Clinic | None:
    """Return the clinic that was asked; a doctor's own lane belongs to the line of one."""
    state_id, line_id = consultation.state_id, consultation.line_id
    if consultation.follow_up_with_id is not None:
        line_id = lines_by_id([(state_id, line_id)])[line_id].parent_id or line_id
    return clinics_of_lines([(state_id, line_id)]).get(line_id)


def _hub(consultation: Consultation) -> Line | None:
    lines = hub_lines([(consultation.state_id, consultation.line_id)])
    return lines.get(consultation.line_id)


def _moved_to(consultation: Consultation) -> MovedTo | None:
    if consultation.status != ConsultationStatus.REDIRECTED:
        return None
    found = successor_of(consultation)
    return MovedTo(state_id=found[0], id=found[1], reason=consultation.reason) if found else None


def _referred_to(consultation: Consultation) -> Successor | None:
    found = referred_to(consultation)
    return Successor(state_id=found[0], id=found[1]) if found else None


COMPUTED = frozenset(
    {
        "token",
        "clinic",
        "hub",
        "presence",
        "practitioner",
        "colleague",
        "findings",
        "prescription_number",
        "prescription_holds",
        "rating",
        "not_held",
        "goes_first",
        "missing",
        "moved_to",
        "referred_to",
        "questions_until",
        "question_unanswered",
    }
)


def _token(token: Token) -> TokenReply:
    place = place_of(token) if token.status == TokenStatus.WAITING else None
    wait = wait_of(token, place) if place else None
    return TokenReply(
        number=token.number,
        status=TokenStatus(token.status),
        place=place,
        expected_wait=Wait.model_validate(wait) if wait else None,
        answer_by=token.deadline_at if token.status == TokenStatus.CALLED else None,
    )


def _clinic(clinic: Clinic) -> ClinicOf:
    return ClinicOf(
        state_id=clinic.state_id,
        id=clinic.id,
        name=clinic_name(clinic),
        facility=clinic.facility.name,
        district=clinic.facility.district,
    )


def practitioner_in(consultation: Consultation) -> PractitionerReply | None:
    """Return the doctor's facts as the consultation keeps them."""
    if consultation.practitioner_id is None:
        return None
    return PractitionerReply(
        name=consultation.practitioner_name,
        qualification=consultation.practitioner_qualification,
        registration=consultation.practitioner_registration,
    )


def _colleague(consultation: Consultation) -> AskedColleague | None:
    if consultation.status != ConsultationStatus.IN_PROGRESS:
        return None
    ask = open_ask(consultation)
    if ask is None:
        return None
    return AskedColleague(
        name=ask.colleague_name,
        qualification=ask.colleague_qualification,
        speciality=ask.speciality_code,
        has_come=ask.status == AskStatus.PRESENT,
    )


def _findings(consultation: Consultation) -> Findings:
    written = writing_of(consultation)
    note = written.note
    letter = letter_of(consultation)
    return Findings(
        diagnoses=[DiagnosisReply.model_validate(row) for row in written.diagnoses],
        investigations=note.investigations if note else "",
        advice=note.advice if note else "",
        come_back=note.come_back if note else "",
        colleagues=[
            ColleagueReply(
                name=ask.colleague_name, speciality=ask.speciality_code, advice=ask.advice
            )
            for ask in advice_in(consultation)
        ],
        letter=LetterReply.model_validate(letter) if letter else None,
        follow_up_on=consultation.follow_up_on,
    )


@router.post(
    f"{CONSULTATION}/answer",
    auth=carer,
    response=ConsultationReply,
    openapi_extra=says(CallExpired, PresenceUnproven, Stale),
)
def answer_call(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Answer the doctor's call. Answering twice is once."""
    _own(request, state_id, consultation_id)
    answer(request.auth.actor, state_id=state_id, consultation_id=consultation_id)
    return reply(_state(_own(request, state_id, consultation_id)))


@router.post(f"{CONSULTATION}/object-to-colleague", auth=carer, response={204: None})
def object_to_colleague(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Want no colleague here: who was asked in leaves, and reads nothing more."""
    _own(request, state_id, consultation_id)
    return moved(
        request,
        key,
        lambda: object_to_ask(
            request.auth.actor, state_id=state_id, consultation_id=consultation_id
        ),
    )


@router.post(
    f"{CONSULTATION}/cancel", auth=carer, response=ConsultationReply, openapi_extra=says(Stale)
)
def give_token_back(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Give the token back while waiting; once is enough."""
    found = _own(request, state_id, consultation_id)
    if found.status != ConsultationStatus.CANCELLED:
        cancel(request.auth.actor, state_id=state_id, consultation_id=consultation_id)
        found = _own(request, state_id, consultation_id)
    return reply(_state(found))


@router.post(
    f"{CONSULTATION}/seek-doctor",
    auth=carer,
    response={201: Successor},
    openapi_extra=says(NobodyElse, Stale, links=of_consultation(*OWN)),
)
def seek_doctor(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: IdempotencyKey
) -> HttpResponse:
    """Go on in another clinic of this kind that has a doctor, with the time waited.

    For who waits where no doctor is on duty (`expected_wait` is null).
    """
    found = _own(request, state_id, consultation_id)

    def make() -> Successor:
        going = move_on(request.auth.actor, state_id=state_id, token_id=found.token_id)
        return Successor.model_validate(going)

    return once(request, key, make)


@router.post(
    f"{CONSULTATION}/again",
    auth=carer,
    response=ConsultationReply,
    openapi_extra=says(
        AlreadyWaiting,
        ClinicClosed,
        ConsentMissing,
        DangerSigns,
        DangerUnanswered,
        Invalid,
        Stale,
    ),
)
def answer_return(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Answer what the doctor asked for, with what the draft adds; the time waited is kept.

    What was told before stays: allergies, medicines, answers about danger signs. Once is enough;
    after a day the danger signs are asked anew and stand in the draft.
    """
    actor = at_home(request)
    found = _own(request, state_id, consultation_id)
    if found.status == ConsultationStatus.REQUESTED:
        return reply(_state(found))
    # Off the list, or joined with another, since they asked: the doctor waits for the answer.
    person = own_record(actor, found.patient_id)
    # The request took the draft away, so that a new one holds what is added only.
    said = still_told(state_id, consultation_id)
    ask_again(
        actor,
        patient=person,
        state_id=state_id,
        consultation_id=consultation_id,
        content=draft_of(person).with_earlier(said),
    )
    return reply(_state(_own(request, state_id, consultation_id)))


@router.post(
    f"{CONSULTATION}/resume", auth=carer, response=ConsultationReply, openapi_extra=says(Stale)
)
def come_back(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Say that the patient is back after a break.

    While it is the doctor who is lost it stays `interrupted`, and then waits for another doctor.
    """
    _own(request, state_id, consultation_id)
    resume(request.auth.actor, state_id=state_id, consultation_id=consultation_id)
    return reply(_state(_own(request, state_id, consultation_id)))


@router.get(
    f"{CONSULTATION}/letter.pdf",
    auth=carer,
    openapi_extra=says(TooMany, media_types=["application/pdf"]),
)
def print_own_letter(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return the letter of referral on paper, in the reader's language."""
    return letter_pdf(request, _own(request, state_id, consultation_id))


def letter_pdf(request: ApiRequest, consultation: Consultation) -> HttpResponse:
    """Return the letter of a consultation that the caller may read. Raises NotFound."""
    letter = letter_of(consultation)
    if letter is None:
        raise NotFound
    count_attempt("documents_per_account", str(request.auth.session.account_id))
    return HttpResponse(
        render_letter(consultation, letter, language()), content_type="application/pdf"
    )


@router.get(
    f"{CONSULTATION}/messages", auth=carer, response=Messages, openapi_extra=says(polled=True)
)
def list_messages(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    after: Annotated[uuid.UUID | None, Query()] = None,
    limit: PageSize = 100,
) -> HttpResponseBase:
    """List what was written, in order."""
    return polled(request, said_in(_own(request, state_id, consultation_id), after, limit))


def said_in(consultation: Consultation, after: uuid.UUID | None, limit: int) -> Messages:
    """Return the messages of a consultation that the caller may read."""
    found = messages_in(consultation.state_id, consultation.room_id, after=after, limit=limit)
    return Messages(items=[MessageReply.model_validate(message) for message in found])


@router.post(
    f"{CONSULTATION}/messages",
    auth=carer,
    response={201: MessageReply},
    openapi_extra=says(RoomClosed, TooMany),
)
def write_message(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: MessageBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Write to the clinic or the doctor."""
    return send(request, _own(request, state_id, consultation_id), body, key)


def send(
    request: ApiRequest, consultation: Consultation, body: MessageBody, key: str
) -> HttpResponse:
    """Send a message in a consultation that the caller may read."""

    def make() -> MessageReply:
        message: Message = send_message(
            request.auth.actor,
            state_id=consultation.state_id,
            room_id=consultation.room_id,
            text=body.text,
            client_key=key_of(request, key),
        )
        return MessageReply.model_validate(message)

    return once(request, key, make, limit="messages_per_account")


@router.put(
    f"{CONSULTATION}/feedback", auth=patient, response={204: None}, openapi_extra=says(AlreadyGiven)
)
def rate(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: FeedbackBody
) -> HttpResponse:
    """Say how it was, once."""
    _own(request, state_id, consultation_id)
    give_feedback(
        request.auth.actor,
        state_id=state_id,
        consultation_id=consultation_id,
        rating=body.rating,
        comment=body.comment,
    )
    return nothing()


@router.put(f"{CONSULTATION}/follow-up/put-away", auth=patient, response={204: None})
def put_away(request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath) -> HttpResponse:
    """Take a follow-up off the list of those that are due: the family wants no word of it."""
    found = _own(request, state_id, consultation_id)
    put_follow_up_away(request.auth.actor, state_id=found.state_id, consultation_id=found.id)
    return nothing()


@router.get(f"{CONSULTATION}/ticket", auth=carer, response=TicketReply)
def read_ticket(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return a ticket to listen to the line, the consultation and its messages."""
    found = _own(request, state_id, consultation_id)
    return reply(
        ticket_for(
            request,
            {f"line.{found.line_id}": str(found.token_id), **topics_of(found)},
        )
    )


@router.get(f"{CONSULTATION}/seat", auth=carer, response=SeatReply, openapi_extra=says(NotInCall))
def take_seat(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return a ticket to the patient's seat in the call."""
    return reply(seat_for(request, _own(request, state_id, consultation_id), Seat.GUEST))


def seat_for(request: ApiRequest, consultation: Consultation, seat: Seat) -> SeatReply:
    """Return a ticket to a seat that is the caller's. Raises NotInCall."""
    given = seat_in(consultation, seat, request.auth.session.account_id)
    return SeatReply(
        ticket=given["ticket"],
        url=f"{settings.GATEWAY_URL.replace('http', 'ws', 1)}/live/room",
        expires_in_seconds=given["expires"],
        ice=given["ice"],
    )


def ticket_for(request: ApiRequest, topics: dict[str, str]) -> TicketReply:
    """Return a ticket for topics that the caller may hear."""
    return TicketReply(
        ticket=issue_ticket(request.auth.session.account_id, topics),
        url=f"{settings.GATEWAY_URL}/live/events",
        expires_in_seconds=TICKET_SECONDS,
    )
