"""A doctor asks a colleague into a call; the colleague comes, reads and advises."""

import datetime
import uuid
from typing import Annotated, Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, doctor, practitioner_of
from sanjeevani.api.care import HubOf, SeatReply, seat_for
from sanjeevani.api.desk import (
    CONSULTATION,
    CaseReply,
    at_desk,
    case_reply,
    in_words,
    read_held,
)
from sanjeevani.api.documentation import says
from sanjeevani.api.papers import KEPT, Papers, listed, send_paper
from sanjeevani.api.reference import Term
from sanjeevani.api.replies import IdempotencyKey, MoveKey, moved, once, polled, reply
from sanjeevani.api.types import Body, Id, IdInPath, Line, Lines, Reply, StateInPath
from sanjeevani.calls.errors import NotInCall
from sanjeevani.calls.models import Seat
from sanjeevani.calls.queries import holds_third
from sanjeevani.consultation import colleagues
from sanjeevani.consultation.asks import ask_to, asks_in, asks_to
from sanjeevani.consultation.calling import is_held
from sanjeevani.consultation.errors import (
    AlreadyAsked,
    AskOver,
    ColleagueAway,
    ConsentMissing,
    NotInProgress,
    WithOwnPatient,
)
from sanjeevani.consultation.models import Ask, AskStatus
from sanjeevani.consultation.papers import paper_for_colleague
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.consultation.services import REASON_LENGTH
from sanjeevani.directory.models import Gender
from sanjeevani.intake.queries import intake_of

router = Router(tags=["Colleagues"])

ASK = "/asks/{int:state_id}/{uuid:ask_id}"
TO_ASK = (
    "read_ask",
    "come_in",
    "come_later",
    "decline_ask",
    "take_colleagues_seat",
    "leave_ask",
    "advise",
    "list_asked_papers",
)
"""What a colleague does who is asked in."""


class ColleagueOnDuty(Reply):
    """A doctor on duty who may be asked in, in the speciality of a hub."""

    id: uuid.UUID
    name: str
    qualification: str
    hub: HubOf
    is_free: bool


class ColleaguesOnDuty(Reply):
    """By speciality, who has no patient first."""

    items: list[ColleagueOnDuty]


class AskReply(Reply):
    """An ask. `word`: why who declined does; `answer_by`: then it lapses without an answer.

    `comes_at`: when who comes later wants to. `advice` stands in the record; empty without one.
    """

    state_id: int
    id: uuid.UUID
    consultation_id: uuid.UUID
    status: AskStatus
    speciality: Annotated[str, Field(validation_alias="speciality_code")]
    colleague_name: str
    colleague_qualification: str
    colleague_registration: str
    asked_at: datetime.datetime
    answer_by: datetime.datetime
    comes_at: datetime.datetime | None
    word: str
    read_until: datetime.datetime
    advice: str
    advised_at: datetime.datetime | None


class Asks(Reply):
    """In order. `may_ask`: a call is held, to which a colleague can be asked."""

    items: list[AskReply]
    may_ask: bool


class AskBody(Body):
    """Whom of the colleagues on duty, and in which speciality."""

    hub_id: Id
    colleague_id: Id


class AskedIn(Reply):
    """An ask to the caller: who asks, as much of the patient as decides whether to come.

    `text`: the trouble in the patient's words.
    """

    ask: AskReply
    asked_by: str
    patient_birth_date: datetime.date
    patient_gender: Gender
    complaints: list[Term]
    text: str


class AskedInto(Reply):
    """What the caller may read now: each until the call is over or the day ends."""

    items: list[AskedIn]


class AskedCase(Reply):
    """The consultation as the treating doctor has it, for who is asked."""

    ask: AskReply
    case: CaseReply


OFFERED = ", ".join(str(minutes) for minutes in colleagues.LATER_MINUTES)


class LaterBody(Body):
    """In how many minutes the colleague comes."""

    minutes: Annotated[int, Field(description=f"One of {OFFERED}.", ge=1, le=60)]


class WordBody(Body):
    """Why the colleague cannot come, in a word."""

    word: Annotated[Line, Field(max_length=REASON_LENGTH)]


class AdviceBody(Body):
    """What the colleague advises, whole; the patient can read it too."""

    advice: Annotated[Lines, Field(min_length=1, max_length=colleagues.ADVICE_LENGTH)]


def _of_ask_at(at: str) -> dict[str, dict[str, str]]:
    parameters = {
        "state_id": f"$response.body#{at}/state_id",
        "ask_id": f"$response.body#{at}/id",
    }
    return dict.fromkeys(TO_ASK, parameters)


# Who asks ---------------------------------------------------------------------------------------


@router.get(
    f"{CONSULTATION}/colleagues",
    auth=doctor,
    response=ColleaguesOnDuty,
    openapi_extra=says(polled=True),
)
def list_colleagues(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """List who is on duty here and where this facility refers to, and may meet this patient."""
    found = colleagues.colleagues_of(read_held(request, state_id, consultation_id))
    items = [
        ColleagueOnDuty(
            id=one.practitioner.id,
            name=one.practitioner.name,
            qualification=one.practitioner.qualification,
            hub=HubOf.of(one.line),
            is_free=one.is_free,
        )
        for one in found
    ]
    return polled(request, ColleaguesOnDuty(items=items))


@router.get(f"{CONSULTATION}/asks", auth=doctor, response=Asks, openapi_extra=says(polled=True))
def list_asks(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """List who was asked in, whether they come, and what they advise."""
    found = read_held(request, state_id, consultation_id)
    require_practitioner(request.auth.actor, practitioner_of(request), found)
    items = [AskReply.model_validate(one) for one in asks_in(found)]
    return polled(request, Asks(items=items, may_ask=is_held(found)))


@router.post(
    f"{CONSULTATION}/asks",
    auth=doctor,
    response={201: AskReply},
    openapi_extra=says(AlreadyAsked, ColleagueAway, ConsentMissing, NotInProgress),
)
def ask_colleague_in(
    request: ApiRequest,
    state_id: StateInPath,
    consultation_id: IdInPath,
    body: AskBody,
    key: IdempotencyKey,
) -> HttpResponse:
    """Ask a colleague on duty into the call, one at a time. From now on the colleague may read."""
    read_held(request, state_id, consultation_id)

    def make() -> AskReply:
        made = colleagues.ask_in(
            request.auth.actor,
            **at_desk(request, state_id, consultation_id),
            line_id=body.hub_id,
            colleague_id=body.colleague_id,
        )
        return AskReply.model_validate(made)

    return once(request, key, make)


@router.post(f"{CONSULTATION}/asks/take-back", auth=doctor, response={204: None})
def take_ask_back(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Ask nobody in any more, or let go who came, who may finish the advice."""
    read_held(request, state_id, consultation_id)
    given = at_desk(request, state_id, consultation_id)
    return moved(request, key, lambda: colleagues.take_ask_back(request.auth.actor, **given))


# Who is asked -----------------------------------------------------------------------------------


@router.get(
    "/asks",
    auth=doctor,
    response=AskedInto,
    openapi_extra=says(polled=True, links=_of_ask_at("/items/0/ask")),
)
def list_asked_in(request: ApiRequest) -> HttpResponseBase:
    """List the calls into which the caller is asked, or was today."""
    found = asks_to(request.auth.actor, practitioner_of(request))
    return polled(request, AskedInto(items=[_asked_in(one) for one in found]))


def _asked_in(ask: Ask) -> AskedIn:
    held = ask.consultation
    intake = intake_of(held.state_id, held.id)
    return AskedIn(
        ask=AskReply.model_validate(ask),
        asked_by=held.practitioner_name,
        patient_birth_date=held.patient_birth_date,
        patient_gender=held.patient_gender,
        complaints=in_words(intake.complaints),
        text=intake.text,
    )


@router.get(ASK, auth=doctor, response=AskedCase, openapi_extra=says(AskOver, polled=True))
def read_ask(request: ApiRequest, state_id: StateInPath, ask_id: IdInPath) -> HttpResponseBase:
    """Return the consultation that the caller is asked into. The reading is on the audit trail."""
    practitioner = practitioner_of(request)
    ask = ask_to(request.auth.actor, practitioner, state_id, ask_id)
    case = case_reply(practitioner, ask.consultation)
    return polled(request, AskedCase(ask=AskReply.model_validate(ask), case=case))


@router.post(
    f"{ASK}/come",
    auth=doctor,
    response={204: None},
    openapi_extra=says(AskOver, WithOwnPatient),
)
def come_in(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Come in: the third seat of the call is the caller's."""
    given = _of_ask(request, state_id, ask_id)
    return moved(request, key, lambda: colleagues.come_in(request.auth.actor, **given))


@router.post(f"{ASK}/later", auth=doctor, response={204: None}, openapi_extra=says(AskOver))
def come_later(
    request: ApiRequest,
    state_id: StateInPath,
    ask_id: IdInPath,
    body: LaterBody,
    key: MoveKey = None,
) -> HttpResponse:
    """Say in how many minutes the caller comes."""
    given = _of_ask(request, state_id, ask_id) | dict(body)
    return moved(request, key, lambda: colleagues.come_later(request.auth.actor, **given))


@router.post(f"{ASK}/decline", auth=doctor, response={204: None}, openapi_extra=says(AskOver))
def decline_ask(
    request: ApiRequest,
    state_id: StateInPath,
    ask_id: IdInPath,
    body: WordBody,
    key: MoveKey = None,
) -> HttpResponse:
    """Do not come."""
    given = _of_ask(request, state_id, ask_id) | dict(body)
    return moved(request, key, lambda: colleagues.decline_ask(request.auth.actor, **given))


@router.get(f"{ASK}/seat", auth=doctor, response=SeatReply, openapi_extra=says(AskOver, NotInCall))
def take_colleagues_seat(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath
) -> HttpResponse:
    """Return a ticket to the third seat, for who has come in."""
    ask = ask_to(request.auth.actor, practitioner_of(request), state_id, ask_id)
    if not holds_third(ask.consultation.room, request.auth.actor.account_id):
        raise NotInCall
    return reply(seat_for(request, ask.consultation, Seat.THIRD))


@router.post(f"{ASK}/leave", auth=doctor, response={204: None}, openapi_extra=says(AskOver))
def leave_ask(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath, key: MoveKey = None
) -> HttpResponse:
    """Leave the call; the advice may be finished."""
    given = _of_ask(request, state_id, ask_id)
    return moved(request, key, lambda: colleagues.leave_ask(request.auth.actor, **given))


@router.put(f"{ASK}/advice", auth=doctor, response=AskReply, openapi_extra=says(AskOver))
def advise(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath, body: AdviceBody
) -> HttpResponse:
    """Keep what the caller advises; the newest writing stands, until the day ends."""
    given = _of_ask(request, state_id, ask_id) | dict(body)
    return reply(AskReply.model_validate(colleagues.advise(request.auth.actor, **given)))


def _of_ask(request: ApiRequest, state_id: int, ask_id: uuid.UUID) -> dict[str, Any]:
    return {"colleague": practitioner_of(request), "state_id": state_id, "ask_id": ask_id}


@router.get(
    f"{ASK}/patient-papers", auth=doctor, response=Papers, openapi_extra=says(AskOver, polled=True)
)
def list_asked_papers(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath
) -> HttpResponseBase:
    """List the photos and papers of the consultation."""
    ask = ask_to(request.auth.actor, practitioner_of(request), state_id, ask_id)
    return polled(request, listed(ask.consultation))


@router.get(
    f"{ASK}/patient-papers/{{uuid:paper_id}}",
    auth=doctor,
    response={200: None},
    openapi_extra=says(AskOver, media_types=KEPT),
)
def read_asked_paper(
    request: ApiRequest, state_id: StateInPath, ask_id: IdInPath, paper_id: IdInPath
) -> HttpResponse:
    """Return a file of the consultation. The reading is on the audit trail."""
    return send_paper(
        paper_for_colleague(
            request.auth.actor,
            practitioner_of(request),
            state_id=state_id,
            ask_id=ask_id,
            upload_id=paper_id,
        )
    )
