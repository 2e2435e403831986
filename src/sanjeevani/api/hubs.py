"""A spoke asks a hub, and shows that the patient really sits there."""

import io
import uuid
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, at_spoke
from sanjeevani.api.care import CONSULTATION, OWN, Asked, HubOf, PresenceReply, of_consultation
from sanjeevani.api.documentation import says
from sanjeevani.api.door import Challenge
from sanjeevani.api.family import Wait
from sanjeevani.api.papers import FILE_REFUSALS, PICTURES, content_of
from sanjeevani.api.replies import IdempotencyKey, key_of, once, polled, reply
from sanjeevani.api.types import Body, Id, IdInPath, Reply, StateCode, StateInPath
from sanjeevani.consultation.errors import ConsentMissing, DangerUnanswered
from sanjeevani.consultation.presence import send_presence_code, show_by_code, show_by_photo
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.consultation.spokes import (
    HubOffer,
    NotEnough,
    ask_hub,
    hub_offer,
    hub_offers,
    languages_at,
    readiness,
)
from sanjeevani.directory.models import Gender
from sanjeevani.foundation.errors import Stale, TooMany
from sanjeevani.identity.errors import CodeDead, WrongCode
from sanjeevani.intake.queries import draft_of
from sanjeevani.patients.errors import CompanionMissing
from sanjeevani.patients.queries import own_patient
from sanjeevani.queueing.errors import AlreadyWaiting, LineFull, WaitingRoomFull

router = Router(tags=["At a spoke"])

PERSON = "/spoke/patients/{uuid:patient_id}"
PRESENCE = f"/spoke{CONSULTATION}/presence"
AT_SPOKE = (*OWN, "show_photo", "send_code", "show_code")
"""What the staff of a spoke do with a consultation."""


class OnDuty(Reply):
    """A doctor on duty, who can be asked by name."""

    id: uuid.UUID
    name: str
    qualification: str
    gender: Gender
    languages: list[str]


class HubReply(HubOf):
    """A speciality of a hub that answers this spoke. `expected_wait` is null without a doctor."""

    doctors: list[OnDuty]
    expected_wait: Wait | None
    is_full: bool
    is_recommended: bool

    @classmethod
    def offered(cls, offer: HubOffer) -> "HubReply":
        """Show an offer."""
        return cls(
            **HubOf.of(offer.choice.line).model_dump(),
            doctors=[OnDuty.model_validate(one) for one in offer.doctors],
            expected_wait=Wait.model_validate(offer.wait) if offer.wait else None,
            is_full=offer.is_full,
            is_recommended=offer.is_recommended,
        )


class Lacking(Reply):
    """A part of the intake, or `vitals`, and what to add there."""

    field: str
    message: str


class Hubs(Reply):
    """The recommended speciality first, then where somebody is on duty, in the spoke's order.

    `missing`: what to add before a hub is asked. `emergency`: there is a sign of danger;
    nothing else is asked for, and a doctor sees the patient first. `companion_missing`: name a
    representative, an adult has to be with the patient. `languages`: those to ask in.
    """

    items: list[HubReply]
    missing: list[Lacking]
    emergency: bool
    companion_missing: bool
    languages: list[str]


class HubAsk(Body):
    """Which of the hubs, and whom there. What the trouble is stands in the draft.

    Whoever is free first, unless there is a `practitioner_id` of one on duty there. `in_writing`:
    answered within a day without a call, the patient need not wait; not in an emergency.
    `gender_preference`: respected while the wait allows; not in an emergency, and not for who is
    asked by name.
    `companion_id`: the adult who is with a minor, one of the profile's companions.
    """

    hub_state_id: StateCode
    hub_id: Id
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")]
    gender_preference: Annotated[Gender, Field(strict=False)] | None = None
    practitioner_id: Id | None = None
    in_writing: bool = False
    companion_id: Id | None = None


class CodeBody(Body):
    """The code that the patient reads to the staff."""

    challenge: Id
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


@router.get(f"{PERSON}/hubs", auth=at_spoke, response=Hubs, openapi_extra=says(polled=True))
def list_hubs(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the hubs that answer this spoke, who is on duty there, and the wait for who joins."""
    person = own_patient(request.auth.actor, patient_id)
    draft = draft_of(person)
    ready = readiness(person, draft)
    hubs = Hubs(
        items=[HubReply.offered(offer) for offer in hub_offers(request.auth.actor, person, draft)],
        missing=[
            Lacking(field=field, message=str(message)) for field, message in ready.missing.items()
        ],
        emergency=ready.emergency,
        companion_missing=ready.alone,
        languages=languages_at(person.state_id),
    )
    return polled(request, hubs)


@router.post(
    f"{PERSON}/consultations",
    auth=at_spoke,
    response={201: Asked},
    openapi_extra=says(
        AlreadyWaiting,
        CompanionMissing,
        ConsentMissing,
        DangerUnanswered,
        LineFull,
        NotEnough,
        WaitingRoomFull,
        links=of_consultation(*AT_SPOKE),
    ),
)
def ask_hub_doctor(
    request: ApiRequest, patient_id: IdInPath, body: HubAsk, key: IdempotencyKey
) -> HttpResponse:
    """Ask a hub, with what the draft says. The answer is a token.

    A sign of danger does not end it, as it does at home: call the ambulance, and ask.
    """
    actor = request.auth.actor
    person = own_patient(actor, patient_id)

    def make() -> Asked:
        content = draft_of(person)
        offer = hub_offer(actor, person, content, state_id=body.hub_state_id, line_id=body.hub_id)
        made = ask_hub(
            actor,
            patient=person,
            choice=offer.choice,
            content=content,
            language=body.language,
            request_key=key_of(request, key),
            gender_preference=body.gender_preference or "",
            practitioner=offer.doctor(body.practitioner_id) if body.practitioner_id else None,
            later=body.in_writing,
            companion_id=body.companion_id,
        )
        return Asked.of(made)

    return once(request, key, make, limit="requests_per_account")


@router.post(
    f"{PRESENCE}/photo",
    auth=at_spoke,
    response={201: PresenceReply},
    openapi_extra=says(*FILE_REFUSALS, body_media_types=PICTURES),
)
def show_photo(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: IdempotencyKey
) -> HttpResponse:
    """Show by a photo, taken now, that the patient is here. Once shown it stays."""
    consultation = own_consultation(request.auth.actor, state_id, consultation_id)
    content = content_of(request)

    def make() -> PresenceReply:
        show_by_photo(
            request.auth.actor,
            state_id=state_id,
            consultation_id=consultation_id,
            file=io.BytesIO(content),
        )
        return PresenceReply.of(consultation)

    return once(request, key, make, content=content, limit="uploads_per_account")


@router.post(
    f"{PRESENCE}/codes",
    auth=at_spoke,
    response={202: Challenge},
    openapi_extra=says(Stale, TooMany),
)
def send_code(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Send a code to the patient's mobile, by which they show that they are here."""
    own_consultation(request.auth.actor, state_id, consultation_id)
    challenge = send_presence_code(
        request.auth.actor, state_id=state_id, consultation_id=consultation_id
    )
    return reply(Challenge.of(challenge), 202)


@router.put(
    f"{PRESENCE}/code",
    auth=at_spoke,
    response=PresenceReply,
    openapi_extra=says(CodeDead, WrongCode),
)
def show_code(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: CodeBody
) -> HttpResponse:
    """Show by the code that the patient is here. Once shown it stays."""
    consultation = own_consultation(request.auth.actor, state_id, consultation_id)
    show_by_code(
        request.auth.actor,
        state_id=state_id,
        consultation_id=consultation_id,
        challenge=body.challenge,
        code=body.code,
    )
    return reply(PresenceReply.of(consultation))
