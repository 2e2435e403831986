"""How patient and doctor talk: what both allow, who asks for more, who rings."""

import datetime
import uuid
from typing import Annotated

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, carer, doctor, practitioner_of
from sanjeevani.api.care import CONSULTATION
from sanjeevani.api.desk import at_desk, read_held
from sanjeevani.api.documentation import says
from sanjeevani.api.replies import IdempotencyKey, key_of, nothing, once, polled, reply
from sanjeevani.api.types import Body, IdInPath, Reply, StateInPath
from sanjeevani.calls.errors import NoPhoneBridge, RoomClosed, ThirdSeatTaken
from sanjeevani.calls.invitations import invite_third, revoke_third, third_secret
from sanjeevani.calls.ladder import change_mode, decline_mode
from sanjeevani.calls.models import Mode, PhoneCallStatus, Room, RoomStatus, Seat
from sanjeevani.calls.phone import phone_call_of
from sanjeevani.calls.queries import invitation_to, is_ringing, presences
from sanjeevani.consultation.calling import call_again, is_held, phone_patient
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.consultation.queries import own_consultation

router = Router(tags=["Calls"])

CALL = f"{CONSULTATION}/call"
AT_DESK = f"/staff{CALL}"


class CallReply(Reply):
    """How the two talk now. While it is not `held` there is nobody to talk to.

    `mode` is what is really used, `allowed` the most that both allow: send no picture when it is
    audio, and no sound when it is chat or phone. `asked`: one of the two asks for this mode; the
    other agrees by choosing it, or declines. `ringing`: the doctor has just called a patient who is
    away; the patient comes back by `resume`. `other_here`: whether the other is in the call.
    `third`: the name of who else is. `invited_until`: so long the newest link for a relative works.
    `phone`: what became of the call by phone.
    """

    held: bool
    mode: Mode
    allowed: Mode
    asked: Mode | None
    asked_by_me: bool
    ringing: bool
    other_here: bool
    third: str | None
    invited_until: datetime.datetime | None
    phone: PhoneCallStatus | None


class ModeBody(Body):
    """How to talk from now on. Less holds at once; more, and the phone, the other has to want."""

    mode: Annotated[Mode, Field(strict=False)]


def _state(consultation: Consultation, seat: Seat) -> CallReply:
    room: Room = consultation.room
    held = is_held(consultation) and room.status == RoomStatus.OPEN
    other = Seat.HOST if seat == Seat.GUEST else Seat.GUEST
    there = presences(room.state_id, room.id).get(other)
    third = invitation_to(room.state_id, room.id) if held else None
    phone = phone_call_of(room) if held else None
    return CallReply(
        held=held,
        mode=Mode(room.mode),
        allowed=Mode(room.ceiling),
        asked=Mode(room.asked_mode) if held and room.asked_mode else None,
        asked_by_me=held and room.asked_seat == seat,
        ringing=held and is_ringing(room),
        other_here=held and there is not None and there.left_at is None,
        third=third.name if third is not None and third.joined_at is not None else None,
        invited_until=third.expires_at if third is not None and not third.account_id else None,
        phone=PhoneCallStatus(phone.status) if phone else None,
    )


def _own(request: ApiRequest, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    return own_consultation(request.auth.actor, state_id, consultation_id)


def _held(request: ApiRequest, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    found = read_held(request, state_id, consultation_id)
    require_practitioner(request.auth.actor, practitioner_of(request), found)
    return found


@router.get(CALL, auth=carer, response=CallReply, openapi_extra=says(polled=True))
def read_call(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """Say how patient and doctor talk. A hint on the consultation's room means: look again."""
    return polled(request, _state(_own(request, state_id, consultation_id), Seat.GUEST))


@router.put(f"{CALL}/mode", auth=carer, response=CallReply, openapi_extra=says(RoomClosed))
def choose_mode(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: ModeBody
) -> HttpResponse:
    """Talk by less, ask the doctor for more, or agree to what the doctor asks for."""
    found = _own(request, state_id, consultation_id)
    change_mode(request.auth.actor, state_id=state_id, room_id=found.room_id, mode=body.mode)
    return reply(_state(_own(request, state_id, consultation_id), Seat.GUEST))


@router.post(f"{CALL}/decline", auth=carer, response=CallReply, openapi_extra=says(RoomClosed))
def decline(request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath) -> HttpResponse:
    """Say no to what the doctor asks for, or take the own question back. Twice is once."""
    found = _own(request, state_id, consultation_id)
    decline_mode(request.auth.actor, state_id=state_id, room_id=found.room_id)
    return reply(_state(_own(request, state_id, consultation_id), Seat.GUEST))


@router.get(AT_DESK, auth=doctor, response=CallReply, openapi_extra=says(polled=True))
def read_doctors_call(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponseBase:
    """Say how doctor and patient talk. A hint on the consultation's room means: look again."""
    return polled(request, _state(_held(request, state_id, consultation_id), Seat.HOST))


@router.put(f"{AT_DESK}/mode", auth=doctor, response=CallReply, openapi_extra=says(RoomClosed))
def choose_doctors_mode(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, body: ModeBody
) -> HttpResponse:
    """Talk by less, ask the patient for more, or agree to what the patient asks for."""
    found = _held(request, state_id, consultation_id)
    change_mode(request.auth.actor, state_id=state_id, room_id=found.room_id, mode=body.mode)
    return reply(_state(_held(request, state_id, consultation_id), Seat.HOST))


@router.post(f"{AT_DESK}/decline", auth=doctor, response=CallReply, openapi_extra=says(RoomClosed))
def decline_patients_mode(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Say no to what the patient asks for, or take the own question back. Twice is once."""
    found = _held(request, state_id, consultation_id)
    decline_mode(request.auth.actor, state_id=state_id, room_id=found.room_id)
    return reply(_state(_held(request, state_id, consultation_id), Seat.HOST))


@router.post(
    f"{AT_DESK}/ring",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NotInProgress, RoomClosed),
)
def ring_patient(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """Ring a patient who is away from the call, also by SMS. Twice while it rings is once."""
    call_again(request.auth.actor, **at_desk(request, state_id, consultation_id))
    return nothing()


@router.post(
    f"{AT_DESK}/phone",
    auth=doctor,
    response={204: None},
    openapi_extra=says(NoPhoneBridge, NotInProgress, RoomClosed),
)
def phone(request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath) -> HttpResponse:
    """Let the service ring both phones. Twice while they may still ring is once."""
    phone_patient(request.auth.actor, **at_desk(request, state_id, consultation_id))
    return nothing()


class Relative(Reply):
    """A link that works until then, or until another is made."""

    expires_at: datetime.datetime


class NewRelative(Relative):
    """The link, which no later answer holds: only a retry is told it again."""

    address: str


def _invite(request: ApiRequest, found: Consultation, key: str) -> HttpResponse:
    request_key = key_of(request, key)

    def make() -> Relative:
        invite_third(
            request.auth.actor,
            state_id=found.state_id,
            room_id=found.room_id,
            request_key=request_key,
        )
        made = invitation_to(found.state_id, found.room_id)
        assert made is not None
        return Relative(expires_at=made.expires_at)

    response = once(request, key, make)
    # Whoever has the address sits in the call: it is not in the answer kept for retries.
    made = Relative.model_validate_json(response.content)
    secret = third_secret(found.room_id, request_key)
    path = reverse("calls:join", args=[found.state_id, secret])
    told = NewRelative(**dict(made), address=f"{settings.PUBLIC_URL}{path}")
    response.content = told.model_dump_json().encode()
    return response


@router.post(
    f"{CALL}/relative",
    auth=carer,
    response={201: NewRelative},
    openapi_extra=says(RoomClosed, ThirdSeatTaken),
)
def invite_relative(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: IdempotencyKey
) -> HttpResponse:
    """Make a link by which one more person comes into the call, and ends an earlier one.

    Whoever opens it says a name that both others see, and sees nothing of the record.
    """
    return _invite(request, _own(request, state_id, consultation_id), key)


@router.delete(f"{CALL}/relative", auth=carer, response={204: None})
def take_relatives_link_back(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """End the link, and let whoever came by it go. Twice is once."""
    found = _own(request, state_id, consultation_id)
    revoke_third(request.auth.actor, state_id=state_id, room_id=found.room_id)
    return nothing()


@router.post(
    f"{AT_DESK}/relative",
    auth=doctor,
    response={201: NewRelative},
    openapi_extra=says(RoomClosed, ThirdSeatTaken),
)
def invite_patients_relative(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath, key: IdempotencyKey
) -> HttpResponse:
    """Make a link by which one more person comes into the call, as the patient's side can."""
    return _invite(request, _held(request, state_id, consultation_id), key)


@router.delete(f"{AT_DESK}/relative", auth=doctor, response={204: None})
def let_relative_go(
    request: ApiRequest, state_id: StateInPath, consultation_id: IdInPath
) -> HttpResponse:
    """End the link, and let whoever came by it go. Twice is once."""
    found = _held(request, state_id, consultation_id)
    revoke_third(request.auth.actor, state_id=state_id, room_id=found.room_id)
    return nothing()
