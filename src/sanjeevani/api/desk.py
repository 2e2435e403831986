"""The doctor's desk: duty, lines, next, notes, prescription, done."""

import datetime
import uuid
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, doctor, practitioner_of
from sanjeevani.api.care import (
    DiagnosisReply,
    HubOf,
    MessageBody,
    MessageReply,
    Messages,
    OutcomeOrNone,
    SeatReply,
    TicketReply,
    letter_pdf,
    of_consultation,
    outcome_of,
    said_in,
    seat_for,
    send,
    ticket_for,
)
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.family import CompanionReply, clinic_name
from sanjeevani.api.reference import Term
from sanjeevani.api.replies import (
    IdempotencyKey,
    MoveKey,
    moved,
    nothing,
    once,
    page_of,
    polled,
    record_before,
    reply,
)
from sanjeevani.api.types import (
    PRINTABLE,
    Amount,
    Body,
    Code,
    Cursor,
    Day,
    IdInPath,
    Line,
    Lines,
    OptionalLine,
    PageSize,
    Reference,
    Reply,
    Search,
    StateInPath,
)
from sanjeevani.api.vitals import EarlyWarning, Measured, measured_in
from sanjeevani.calls.errors import NotInCall, RoomClosed
from sanjeevani.calls.models import Mode, Seat
from sanjeevani.consultation.errors import NotInProgress, NotOnDuty
from sanjeevani.consultation.interruptions import interrupt, not_reachable, resume, ring_again
from sanjeevani.consultation.letters import LetterContent
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationStatus,
    Note,
    Outcome,
    ShownBy,
    Urgency,
)
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.consultation.presence import presence_of
from sanjeevani.consultation.queries import (
    SentOn,
    consultations_with_questions,
    for_practitioner,
    live_consultation_of,
    writing_of,
    written_on_the_way,
)
from sanjeevani.consultation.services import (
    LONGEST_FOLLOW_UP,
    REASON_LENGTH,
    NoteContent,
    call_next,
    confirm_consent,
    server_of,
    write_note,
)
from sanjeevani.consultation.services import hand_back as hand_back_call
from sanjeevani.consultation.spokes import inbox_of, take_written, topics_at_desk
from sanjeevani.consultation.transfers import return_to_patient
from sanjeevani.directory.models import Gender, Practitioner
from sanjeevani.directory.queries import (
    clinics_of_lines,
    hub_lines,
    registered_facility,
)
from sanjeevani.foundation.errors import Invalid, Stale, TooMany
from sanjeevani.foundation.problems import PROBLEM_TYPE
from sanjeevani.intake.following import told_in_words
from sanjeevani.intake.queries import intake_of
from sanjeevani.prescription import services as prescribing
from sanjeevani.prescription.earlier import Earlier, earlier_of, measured_before
from sanjeevani.prescription.errors import (
    PAPER_DIFFERS,
    MedicineRefused,
    NotSigned,
    UnsignedDraft,
)
from sanjeevani.prescription.queries import (
    DraftLine,
    body_measures,
    draft_of,
    prescription_in_force,
    seal_of_draft,
    told_and_heard,
)
from sanjeevani.prescription.rules import Finding, Weight
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.queueing.errors import AlreadyServing, NobodyWaiting
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.queueing.queries import line_heads
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import assigned_lines, duty_of
from sanjeevani.roster.services import change_duty
from sanjeevani.terminology.danger_signs import signs_told
from sanjeevani.terminology.models import Medicine
from sanjeevani.terminology.queries import (
    diagnoses_coded,
    search_diagnoses,
    search_medicines,
    symptoms_named,
)
from sanjeevani.terminology.vitals import readings

router = Router(tags=["Desk"])

CONSULTATION = "/consultations/{int:state_id}/{uuid:consultation_id}"
MOST_DIAGNOSES = 20
HELD = (
    "read_case",
    "read_doctors_call",
    "choose_doctors_mode",
    "decline_patients_mode",
    "ring_patient",
    "phone",
    "take_doctors_seat",
    "hand_back",
    "list_destinations",
    "redirect_patient",
    "list_next_hubs",
    "redirect_to_hub",
    "refer_up",
    "list_colleagues",
    "list_asks",
    "ask_colleague_in",
    "take_ask_back",
    "return_for_more",
    "ring_longer",
    "interrupt_call",
    "resume_call",
    "give_up",
    "print_letter",
    "write_notes",
    "list_case_messages",
    "write_case_message",
    "list_case_papers",
    "show_to_patient",
    "add_item",
    "read_what_is_signed",
    "sign",
    "print_signed",
    "replace_signed",
    "cancel_signed",
    "conclude",
)
"""What a doctor does with a consultation."""


class DutyBody(Body):
    """On duty, on a break, or off duty, for all lines assigned."""

    status: Annotated[DutyStatus, Field(strict=False)]


class DutyReply(Reply):
    """Whether the doctor serves at this moment."""

    status: DutyStatus


class LineReply(Reply):
    """A line served: how many wait, and since when the first whom this doctor may call.

    Of a clinic by its name, or of a `hub`.
    """

    state_id: int
    id: uuid.UUID
    clinic: str
    hub: HubOf | None
    waiting: int
    head_since: datetime.datetime | None
    head_class: int | None


class InboxReply(Reply):
    """Requests that wait to be answered in writing; `due_at` is when the first is due."""

    waiting: int
    due_at: datetime.datetime | None


class Desk(Reply):
    """Duty, the lines, what waits for a written answer, and the one live consultation."""

    duty: DutyStatus
    lines: list[LineReply]
    inbox: InboxReply
    live: Reference | None


class PatientReply(Reply):
    """The patient as the consultation keeps the facts."""

    name: str
    gender: Gender
    birth_date: datetime.date
    address: str


class AskedReply(Reply):
    """What was asked about the complaints, with the answer, in words."""

    question: str
    answer: str


class BeforeReply(Reply):
    """What it was on an earlier day, with its unit."""

    shown: str
    day: datetime.date


class MeasuredNow(Measured):
    """What was measured; `before`: the last times, newest first."""

    before: list[BeforeReply]


class Said(Reply):
    """What the patient said, and who is with them. `complaints` in words.

    `danger`: the danger signs that were answered with yes, in words; `answers`: all by code.
    `vitals`: what was measured at a spoke, with its score where NEWS2 is made for the patient.
    """

    complaints: list[Term]
    asked: list[AskedReply]
    danger: list[Term]
    text: str
    duration_days: int | None
    history: str
    allergies: str
    medicines: str
    answers: dict[str, bool]
    vitals: list[MeasuredNow]
    early_warning: EarlyWarning | None
    companion: CompanionReply | None


class NoteReply(Reply):
    """What the doctor wrote. Heights in cm, weights in kg.

    `allergies` and `medicines`: what the patient had not told before.
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


class FindingReply(Reply):
    """What speaks against a medicine. `weight`: refused, reason (say why), or a mere note."""

    code: str
    weight: Weight
    message: str


class MedicineReply(Reply):
    """A medicine of the formulary with its usual dose."""

    code: str
    generic_name: str
    form: str
    strength: str
    usual_dose: float | None
    usual_frequency: str
    usual_days: int | None
    usual_instruction: str


class ItemReply(Reply):
    """A line of the draft, with what speaks against it."""

    id: uuid.UUID
    medicine: MedicineReply
    dose: Decimal
    frequency: str
    duration_days: int
    instruction_code: str
    instructions: str
    override_reason: str
    findings: list[FindingReply]


class CourseReply(Reply):
    """A medicine of a prescription that holds; `until` is the last day it is taken."""

    code: str
    name: str
    until: datetime.date


class EarlierReply(Reply):
    """An earlier completed consultation of the patient; `allergies` as told and heard."""

    state_id: int
    id: uuid.UUID
    ended_at: datetime.datetime | None
    outcome: OutcomeOrNone
    allergies: str
    diagnoses: list[DiagnosisReply]
    courses: list[CourseReply]


class SpokeReply(Reply):
    """Where the patient sits, and how it was shown that they do; null until then."""

    facility: str
    district: str
    shown_by: ShownBy | None


class SentOnReply(Reply):
    """What the doctor wrote who sent the patient on to here, and why; read it before you ask."""

    state_id: int
    id: uuid.UUID
    doctor: str
    ended_at: datetime.datetime | None
    reason: str
    note: NoteReply
    diagnoses: list[DiagnosisReply]


class ConsentReply(Reply):
    """When the patient agreed, and who of the staff obtained it; empty where that is not known.

    `to_confirm`: the patient sits at a spoke and has not yet said so to the doctor; ask once.
    """

    agreed_at: datetime.datetime | None
    obtained_by: str
    confirmed_at: datetime.datetime | None
    to_confirm: bool


class CaseReply(Reply):
    """The whole consultation as the doctor needs it.

    `spoke`: its staff sit beside the patient. `due_at`: asked in writing, to be answered by then.
    `sent_on`: where the patient was sent on from and something was written, the newest first.
    """

    state_id: int
    id: uuid.UUID
    status: ConsultationStatus
    outcome: OutcomeOrNone
    token_number: int
    token_status: TokenStatus
    language: str
    mode: Mode
    requested_at: datetime.datetime
    due_at: datetime.datetime | None
    started_at: datetime.datetime | None
    patient: PatientReply
    spoke: SpokeReply | None
    consent: ConsentReply
    sent_on: list[SentOnReply]
    intake: Said
    note: NoteReply
    diagnoses: list[DiagnosisReply]
    draft: list[ItemReply]
    prescription_number: str | None
    earlier: list[EarlierReply]


class Texts(Body):
    """What a doctor writes in words, in a note and in a template of one."""

    history: Annotated[Lines, Field(max_length=4000)] = ""
    findings: Annotated[Lines, Field(max_length=4000)] = ""
    investigations: Annotated[Lines, Field(max_length=2000)] = ""
    advice: Annotated[Lines, Field(max_length=4000)] = ""
    come_back: Annotated[Lines, Field(max_length=1000)] = ""


class NoteBody(Texts):
    """The whole note; the newest writing stands. `diagnoses`: codes of ICD-10.

    `allergies` and `medicines` (those taken now): what the patient names in the call and had not
    told before. The rules look at both.
    """

    allergies: Annotated[Lines, Field(max_length=1000)] = ""
    medicines: Annotated[Lines, Field(max_length=1000)] = ""
    height_cm: Annotated[str, Field(pattern=r"^[1-9][0-9]{1,2}(\.[0-9])?$")] | None = None
    weight_kg: Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9])?$")] | None = None
    last_menstrual_period: Day | None = None
    diagnoses: Annotated[list[Code], Field(max_length=MOST_DIAGNOSES)] = []

    def content(self) -> NoteContent:
        """Return the note as the verb takes it."""
        values = self.model_dump(exclude={"diagnoses"})
        for name in ("height_cm", "weight_kg"):
            values[name] = Decimal(values[name]) if values[name] else None
        return NoteContent(**values)


class ItemBody(Body):
    """One medicine. A second line for the same medicine replaces the first.

    `dose` counts units of the form; `frequency` is a code (`BD`) or a pattern (`1-0-1`).
    """

    medicine_code: Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]
    dose: Amount
    frequency: Annotated[str, Field(min_length=1, max_length=20, pattern=PRINTABLE)]
    duration_days: Annotated[int, Field(ge=1, le=prescribing.LONGEST_DAYS)]
    instruction_code: Annotated[OptionalLine, Field(max_length=30)] = ""
    instructions: Annotated[OptionalLine, Field(max_length=200)] = ""
    override_reason: Annotated[OptionalLine, Field(max_length=200)] = ""


class Reading(Reply):
    """What was understood of a typed line: an item, or the medicines it could mean.

    `unread`: the words that fit none of the choices, or that nobody can be sure of.
    """

    item: "UnderstoodItem | None"
    choices: list[MedicineReply]
    unread: str


class UnderstoodItem(Reply):
    """A line as it can be put into the draft."""

    medicine_code: str
    dose: Decimal
    frequency: str
    duration_days: int
    instruction_code: str
    instructions: str


class DiagnosisFound(Reply):
    """A category of ICD-10. `name` in the reader's language."""

    code: str
    title: str
    name: str


class DiagnosesFound(Reply):
    """The most frequent first."""

    items: list[DiagnosisFound]


class MedicinesFound(Reply):
    """Exact names first."""

    items: list[MedicineReply]


class LetterBody(Body):
    """The letter that the patient takes along."""

    refer_to: Annotated[Line, Field(max_length=200)]
    urgency: Annotated[Urgency, Field(strict=False)]
    reason: Annotated[Lines, Field(min_length=1, max_length=1000)]


class Ending(Body):
    """What the consultation led to.

    `letter` is needed for referred_up, in_person and emergency, and not kept for other outcomes.
    `follow_up_days`: in so many days the doctor wants to see the patient again.
    """

    outcome: Annotated[Outcome, Field(strict=False)]
    letter: LetterBody | None = None
    follow_up_days: Annotated[int, Field(ge=1, le=LONGEST_FOLLOW_UP)] | None = None


@router.put("/duty", auth=doctor, response=DutyReply, openapi_extra=says(Stale))
def set_duty(request: ApiRequest, body: DutyBody) -> HttpResponse:
    """Go on duty, on a break, or off duty.

    Duty ends by itself twenty minutes after the app last asked for anything, unless a patient is
    there.
    """
    duty = change_duty(request.auth.actor, practitioner=practitioner_of(request), to=body.status)
    return reply(DutyReply(status=DutyStatus(duty.status)))


@router.get(
    "/desk",
    auth=doctor,
    response=Desk,
    openapi_extra=says(polled=True, links=of_consultation(*HELD, at="/live")),
)
def read_desk(request: ApiRequest) -> HttpResponseBase:
    """Return duty, the lines with their heads, and the live consultation."""
    practitioner = practitioner_of(request)
    assigned = assigned_lines(practitioner.id)
    clinics = clinics_of_lines(assigned)
    hubs = hub_lines(assigned)
    live = live_consultation_of(practitioner)
    desk = Desk(
        duty=duty_of(practitioner.id),
        lines=[
            LineReply(
                state_id=head.state_id,
                id=head.line_id,
                clinic=clinic_name(clinics[head.line_id]) if head.line_id in clinics else "",
                hub=HubOf.of(hubs[head.line_id]) if head.line_id in hubs else None,
                waiting=head.waiting,
                head_since=head.head_since,
                head_class=head.order_class,
            )
            for head in line_heads(assigned, server_of(practitioner))
        ],
        inbox=InboxReply.model_validate(inbox_of(assigned)),
        live=Reference(state_id=live[0], id=live[1]) if live else None,
    )
    return polled(request, desk)


TAKES: dict[str, Any] = {
    "auth": doctor,
    "response": {201: Reference},
    "openapi_extra": says(NotOnDuty, AlreadyServing, NobodyWaiting, links=of_consultation(*HELD)),
}


@router.post("/next", **TAKES)
def call_next_patient(request: ApiRequest, key: IdempotencyKey) -> HttpResponse:
    """Call the next patient of all lines served. The patient has two minutes to answer."""
    return _taken(request, key, call_next)


@router.post("/written", **TAKES)
def take_written_request(request: ApiRequest, key: IdempotencyKey) -> HttpResponse:
    """Take the written request that has waited longest. It is in progress at once."""
    return _taken(request, key, take_written)


def _taken(
    request: ApiRequest, key: IdempotencyKey, take: Callable[..., Consultation]
) -> HttpResponse:
    practitioner = practitioner_of(request)

    def make() -> Reference:
        return Reference.model_validate(take(request.auth.actor, practitioner=practitioner))

    return once(request, key, make)


@router.get(CONSULTATION, auth=doctor, response=CaseReply, openapi_extra=says(polled=True))
def read_case(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """Return a consultation with all that belongs to it. The reading is on the audit trail."""
    practitioner = practitioner_of(request)
    held = read_held(request, state_id, consultation_id)
    sent_on = written_on_the_way(request.auth.actor, practitioner, held)
    return polled(request, case_reply(practitioner, held, sent_on))


@router.get(f"{CONSULTATION}/seat", auth=doctor, response=SeatReply, openapi_extra=says(NotInCall))
def take_doctors_seat(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return a ticket to the doctor's seat in the call."""
    found = read_held(request, state_id, consultation_id)
    require_practitioner(request.auth.actor, practitioner_of(request), found)
    return reply(seat_for(request, found, Seat.HOST))


def read_held(request: ApiRequest, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation that the doctor may read; audited. Raises NotFound."""
    return for_practitioner(request.auth.actor, practitioner_of(request), state_id, consultation_id)


def case_reply(
    practitioner: Practitioner, consultation: Consultation, sent_on: Sequence[SentOn] = ()
) -> CaseReply:
    """Show a consultation that was read through an audited query, as was what `sent_on` says."""
    written = writing_of(consultation)
    signed = prescription_in_force(consultation)
    earlier = earlier_of(practitioner.id, consultation)
    return CaseReply(
        state_id=consultation.state_id,
        id=consultation.id,
        status=ConsultationStatus(consultation.status),
        outcome=outcome_of(consultation),
        token_number=consultation.token.number,
        token_status=consultation.token.status,
        language=consultation.language,
        mode=consultation.room.mode,
        requested_at=consultation.requested_at,
        due_at=consultation.due_at,
        started_at=consultation.started_at,
        spoke=_spoke(consultation),
        patient=PatientReply(
            name=consultation.patient_name,
            gender=Gender(consultation.patient_gender),
            birth_date=consultation.patient_birth_date,
            address=consultation.patient_address,
        ),
        consent=ConsentReply(
            agreed_at=consultation.consented_at,
            obtained_by=consultation.consent_by,
            confirmed_at=consultation.consent_confirmed_at,
            to_confirm=consultation.awaits_consent,
        ),
        sent_on=[
            SentOnReply(
                state_id=one.consultation.state_id,
                id=one.consultation.id,
                doctor=one.consultation.practitioner_name,
                ended_at=one.consultation.ended_at,
                reason=one.consultation.reason,
                note=_note(one.writing.note),
                diagnoses=[DiagnosisReply.model_validate(row) for row in one.writing.diagnoses],
            )
            for one in sent_on
        ],
        intake=_said(consultation, earlier),
        note=_note(written.note),
        diagnoses=[DiagnosisReply.model_validate(row) for row in written.diagnoses],
        draft=_draft(draft_of(consultation)),
        prescription_number=signed.number if signed else None,
        earlier=[_earlier(one) for one in earlier],
    )


def _spoke(consultation: Consultation) -> SpokeReply | None:
    if consultation.spoke_id is None:
        return None
    # It may have closed since.
    found = registered_facility(consultation.patient_state_id, consultation.spoke_id)
    shown = presence_of(consultation)
    return SpokeReply(
        facility=found.name,
        district=found.district,
        shown_by=ShownBy(shown.shown_by) if shown else None,
    )


def _earlier(earlier: Earlier) -> EarlierReply:
    held = earlier.consultation
    return EarlierReply(
        state_id=held.state_id,
        id=held.id,
        ended_at=held.ended_at,
        outcome=outcome_of(held),
        allergies=earlier.allergies,
        diagnoses=[DiagnosisReply.model_validate(one) for one in earlier.diagnoses],
        courses=[CourseReply.model_validate(one) for one in earlier.courses],
    )


def _said(consultation: Consultation, earlier: list[Earlier]) -> Said:
    intake = intake_of(consultation.state_id, consultation.id)
    danger = [
        Term(code=sign.code, name=sign.question_in(language()))
        for sign in signs_told(intake.answers)
    ]
    companion = intake.companion
    measured, score = measured_in(
        intake, birth_date=consultation.patient_birth_date, gender=consultation.patient_gender
    )
    now = [
        MeasuredNow(
            **one.model_dump(),
            before=[
                BeforeReply.model_validate(then)
                for then in measured_before(reading, consultation, earlier, language())
            ],
        )
        for one, reading in zip(measured, readings(intake.vitals, language()), strict=True)
    ]
    return Said(
        **intake.as_json()
        | {
            "complaints": in_words(intake.complaints),
            "asked": [
                AskedReply(question=question, answer=answer)
                for question, answer in told_in_words(intake, language())
            ],
            "danger": danger,
            "vitals": now,
            "early_warning": score,
            "companion": CompanionReply.model_validate(companion) if companion else None,
        }
    )


def in_words(complaints: Collection[str]) -> list[Term]:
    """Name complaints in the reader's language; what is in the list no more by its code."""
    named = symptoms_named(complaints)
    return [
        Term(code=code, name=named[code].name_in(language()) if code in named else code)
        for code in complaints
    ]


def _note(note: Note | None) -> NoteReply:
    return NoteReply.model_validate(note) if note else NoteReply()


def _draft(lines: list[DraftLine]) -> list[ItemReply]:
    return [
        ItemReply(
            id=line.item.id,
            medicine=MedicineReply.model_validate(line.medicine),
            dose=line.item.dose,
            frequency=line.item.frequency,
            duration_days=line.item.duration_days,
            instruction_code=line.item.instruction_code,
            instructions=line.item.instructions,
            override_reason=line.item.override_reason,
            findings=[_finding(finding) for finding in line.findings],
        )
        for line in lines
    ]


def _finding(finding: Finding) -> FindingReply:
    return FindingReply(code=finding.code, weight=finding.weight, message=str(finding.message))


class MissingReply(Reply):
    """What keeps a draft from being signed: signing refuses with this `type`.

    `item_id`: the line that it is about, if any.
    """

    type: str
    title: str
    item_id: uuid.UUID | None


class ToSign(Reply):
    """All that stands on a prescription once it is signed. Send `seen` along to sign just this.

    `height_cm`, `weight_kg`: as noted, or else as the spoke has measured. `allergies` and
    `medicines`: as told, and below it as noted.
    """

    note: NoteReply
    allergies: str
    medicines: str
    height_cm: Decimal | None
    weight_kg: Decimal | None
    diagnoses: list[DiagnosisReply]
    draft: list[ItemReply]
    missing: list[MissingReply]
    seen: str


@router.get(
    f"{CONSULTATION}/to-sign", auth=doctor, response=ToSign, openapi_extra=says(polled=True)
)
def read_what_is_signed(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """Return what signing now would sign, for the doctor to look at before."""
    consultation = read_held(request, state_id, consultation_id)
    written = writing_of(consultation)
    told = intake_of(state_id, consultation_id)
    lines = draft_of(consultation, intake=told, written=written)
    seen = seal_of_draft(lines, written)
    missing = [
        MissingReply(
            type=f"{PROBLEM_TYPE}{one.error.code}",
            title=str(one.error.message),
            item_id=one.line.item.id if one.line else None,
        )
        for one in prescribing.missing_for_signing(lines, written.diagnoses)
    ]
    body = body_measures(written.note, told)
    shown = ToSign(
        note=_note(written.note),
        allergies=told_and_heard("allergies", told, written.note),
        medicines=told_and_heard("medicines", told, written.note),
        height_cm=body.height_cm,
        weight_kg=body.weight_kg,
        diagnoses=[DiagnosisReply.model_validate(row) for row in written.diagnoses],
        draft=_draft(lines),
        missing=missing,
        seen=seen,
    )
    return polled(request, shown)


class ReasonBody(Body):
    """Why, in the doctor's words."""

    reason: Annotated[Line, Field(max_length=REASON_LENGTH)]


@router.post(
    f"{CONSULTATION}/hand-back", auth=doctor, response={204: None}, openapi_extra=says(Stale)
)
def hand_back(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: ReasonBody,
    key: MoveKey = None,
) -> HttpResponse:
    """Give a call that was not answered yet to another doctor, who reads the reason."""
    given = at_desk(request, state_id, consultation_id) | dict(body)
    return moved(request, key, lambda: hand_back_call(request.auth.actor, **given))


def at_desk(request: ApiRequest, state_id: int, consultation_id: uuid.UUID) -> dict[str, Any]:
    """Return what the verbs of a doctor with a patient are told."""
    return {
        "practitioner": practitioner_of(request),
        "state_id": state_id,
        "consultation_id": consultation_id,
    }


@router.post(f"{CONSULTATION}/return", auth=doctor, response={204: None}, openapi_extra=says(Stale))
def return_for_more(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: ReasonBody,
    key: MoveKey = None,
) -> HttpResponse:
    """Ask the patient for more before the call is answered; the place in the line is kept."""
    given = at_desk(request, state_id, consultation_id) | dict(body)
    return moved(request, key, lambda: return_to_patient(request.auth.actor, **given))


@router.post(
    f"{CONSULTATION}/ring-longer", auth=doctor, response={204: None}, openapi_extra=says(Stale)
)
def ring_longer(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Let a call ring for two more minutes, once."""
    given = at_desk(request, state_id, consultation_id)
    return moved(request, key, lambda: ring_again(request.auth.actor, **given))


@router.post(
    f"{CONSULTATION}/interrupt", auth=doctor, response={204: None}, openapi_extra=says(Stale)
)
def interrupt_call(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """The patient is gone: two minutes to come back, then the head of the line."""
    found = read_held(request, state_id, consultation_id)
    interrupt(request.auth.actor, state_id=state_id, consultation_id=found.id)
    return nothing()


@router.post(f"{CONSULTATION}/resume", auth=doctor, response={204: None}, openapi_extra=says(Stale))
def resume_call(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """The patient is back."""
    found = read_held(request, state_id, consultation_id)
    resume(request.auth.actor, state_id=state_id, consultation_id=found.id)
    return nothing()


@router.post(
    f"{CONSULTATION}/consent",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress),
)
def confirm_that_they_agree(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """The patient beside the staff of a spoke says to the doctor that they agree; twice is once."""
    confirm_consent(request.auth.actor, **at_desk(request, state_id, consultation_id))
    return nothing()


@router.post(
    f"{CONSULTATION}/not-reachable",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress, Stale),
)
def give_up(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Close an interrupted consultation as not held."""
    given = at_desk(request, state_id, consultation_id)
    return moved(request, key, lambda: not_reachable(request.auth.actor, **given))


class WaitingQuestion(Reply):
    """A consultation in which the patient wrote last, after its end; `answer_by`: so long one can
    write back."""

    state_id: int
    id: uuid.UUID
    patient_name: str
    ended_at: datetime.datetime | None
    answer_by: datetime.datetime | None


class WaitingQuestions(Reply):
    """The newest first. `next` is the cursor of the following page, null on the last."""

    items: list[WaitingQuestion]
    next: str | None


@router.get("/questions", auth=doctor, response=WaitingQuestions, openapi_extra=says(polled=True))
def list_questions(
    request: ApiRequest, cursor: Cursor = None, limit: PageSize = 100
) -> HttpResponse:
    """List the consultations in which a patient asks something; answer by a message."""
    practitioner = practitioner_of(request)
    found = consultations_with_questions(
        request.auth.actor,
        practitioner,
        [state_id for state_id, _line_id in assigned_lines(practitioner.id)],
        limit + 1,
        before=record_before(request, cursor),
    )
    page, following = page_of(request, found, limit)
    items = [
        WaitingQuestion(
            state_id=one.state_id,
            id=one.id,
            patient_name=one.patient_name,
            ended_at=one.ended_at,
            answer_by=one.room.questions_until,
        )
        for one in page
    ]
    return polled(request, WaitingQuestions(items=items, next=following))


@router.get(
    f"{CONSULTATION}/messages", auth=doctor, response=Messages, openapi_extra=says(polled=True)
)
def list_case_messages(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    after: Annotated[uuid.UUID | None, Query()] = None,
    limit: PageSize = 100,
) -> HttpResponseBase:
    """List what was written, in order."""
    return polled(request, said_in(read_held(request, state_id, consultation_id), after, limit))


@router.post(
    f"{CONSULTATION}/messages",
    auth=doctor,
    response={201: MessageReply},
    openapi_extra=says(RoomClosed, TooMany),
)
def write_case_message(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: MessageBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Write to the patient."""
    return send(request, read_held(request, state_id, consultation_id), body, key)


@router.put(
    f"{CONSULTATION}/note",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress),
)
def write_notes(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: NoteBody
) -> HttpResponse:
    """Keep the note and the coded diagnoses."""
    coded = diagnoses_coded(body.diagnoses)
    if set(body.diagnoses) - coded.keys():
        raise Invalid(field="diagnoses")
    write_note(
        request.auth.actor,
        practitioner=practitioner_of(request),
        state_id=state_id,
        consultation_id=consultation_id,
        content=body.content(),
        diagnoses=[(code, coded[code].title) for code in dict.fromkeys(body.diagnoses)],
    )
    return nothing()


@router.get("/diagnoses", auth=doctor, response=DiagnosesFound)
def find_diagnoses(request: ApiRequest, q: Search, limit: PageSize = 20) -> HttpResponse:
    """Search diagnoses by the beginning of a code or of words."""
    items = [
        DiagnosisFound(code=row.code, title=row.title, name=row.name_in(language()))
        for row in search_diagnoses(q, limit)
    ]
    return reply(DiagnosesFound(items=items))


@router.get("/medicines", auth=doctor, response=MedicinesFound)
def find_medicines(request: ApiRequest, q: Search, limit: PageSize = 20) -> HttpResponse:
    """Search medicines by the beginnings of names, aliases and strengths."""
    return reply(MedicinesFound(items=_medicines(search_medicines(q, limit))))


def _medicines(found: list[Medicine]) -> list[MedicineReply]:
    return [MedicineReply.model_validate(medicine) for medicine in found]


@router.get("/shorthand", auth=doctor, response=Reading)
def read_shorthand(request: ApiRequest, q: Search) -> HttpResponse:
    """Read a line as doctors type it, like `pcm 650 1-0-1 5d after food`."""
    reading = parse(q)
    item = UnderstoodItem.model_validate(reading.item) if reading.item else None
    return reply(Reading(item=item, choices=_medicines(reading.choices), unread=reading.unread))


@router.post(
    f"{CONSULTATION}/items",
    auth=doctor,
    response=ItemReply,
    openapi_extra=says(NotInProgress, MedicineRefused),
)
def add_item(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: ItemBody
) -> HttpResponse:
    """Put a medicine into the draft, or change its line. Sending it twice is once."""
    consultation = read_held(request, state_id, consultation_id)
    item = ItemContent(**body.model_dump() | {"dose": Decimal(body.dose)})
    prescribing.add_item(
        request.auth.actor,
        practitioner=practitioner_of(request),
        state_id=state_id,
        consultation_id=consultation_id,
        item=item,
    )
    return reply(
        next(
            one for one in _draft(draft_of(consultation)) if one.medicine.code == item.medicine_code
        )
    )


@router.delete(
    f"{CONSULTATION}/items/{{uuid:item_id}}",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress),
)
def remove_item(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, item_id: IdInPath
) -> HttpResponse:
    """Take a medicine out of the draft."""
    prescribing.remove_item(
        request.auth.actor,
        practitioner=practitioner_of(request),
        state_id=state_id,
        consultation_id=consultation_id,
        item_id=item_id,
    )
    return nothing()


@router.post(
    f"{CONSULTATION}/conclude",
    auth=doctor,
    response={204: None},
    openapi_extra=says(*PAPER_DIFFERS, NotInProgress, NotSigned, UnsignedDraft, Stale),
)
def conclude(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: Ending,
    key: MoveKey = None,
) -> HttpResponse:
    """Finish; the patient may still ask questions for some days."""

    def finish() -> None:
        prescribing.conclude(
            request.auth.actor,
            **at_desk(request, state_id, consultation_id),
            outcome=body.outcome,
            letter=LetterContent(**dict(body.letter)) if body.letter else None,
            follow_up_days=body.follow_up_days,
        )

    return moved(request, key, finish)


@router.get(
    f"{CONSULTATION}/letter.pdf",
    auth=doctor,
    openapi_extra=says(TooMany, media_types=["application/pdf"]),
)
def print_letter(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Return the letter of referral on paper, in the reader's language."""
    return letter_pdf(request, read_held(request, state_id, consultation_id))


@router.get("/ticket", auth=doctor, response=TicketReply)
def read_desk_ticket(request: ApiRequest) -> HttpResponse:
    """Return a ticket to listen to the lines served, to the live consultation, and to those that
    the doctor is asked into."""
    practitioner = practitioner_of(request)
    topics = topics_at_desk(practitioner, assigned_lines(practitioner.id))
    return reply(ticket_for(request, topics))
