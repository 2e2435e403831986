"""The mobile on which a spoke's patient reads: staff find it out, its owner agrees."""

from typing import Annotated, Self

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, at_spoke
from sanjeevani.api.documentation import says
from sanjeevani.api.door import Challenge
from sanjeevani.api.family import ProfileReply
from sanjeevani.api.hubs import CodeBody
from sanjeevani.api.replies import polled, reply
from sanjeevani.api.types import Body, IdInPath, Reply
from sanjeevani.consultation.mobiles import give_mobile
from sanjeevani.foundation.errors import TooMany
from sanjeevani.identity.errors import AccountInactive, CodeDead, WrongCode
from sanjeevani.identity.mobiles import LONGEST_INPUT, parse_mobile
from sanjeevani.patients.mobiles import MobileOf, mobile_of, send_mobile_code
from sanjeevani.patients.queries import own_patient

router = Router(tags=["At a spoke"])

MOBILE = "/spoke/patients/{uuid:patient_id}/mobile"


class MobileReply(Reply):
    """Where a patient's messages go; `mobile` is empty for nowhere.

    `told`: what the patient says is their mobile. Others use it already, so that its owner has to
    agree, by a code, before the patient's consultations are read on it. `may_change`: nobody signs
    in yet.
    """

    mobile: str
    told: str
    may_change: bool

    @classmethod
    def of(cls, held: MobileOf) -> Self:
        """Show where messages go."""
        return cls(mobile=held.mobile, told=held.told, may_change=held.may_change)


class MobileBody(Body):
    """The mobile that a patient says is theirs."""

    mobile: Annotated[str, Field(min_length=1, max_length=LONGEST_INPUT)]


@router.get(MOBILE, auth=at_spoke, response=MobileReply, openapi_extra=says(polled=True))
def read_mobile(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """Say where a patient's messages go, and which mobile was only told."""
    person = own_patient(request.auth.actor, patient_id)
    return polled(request, MobileReply.of(mobile_of(request.auth.actor, person)))


@router.post(
    f"{MOBILE}/codes", auth=at_spoke, response={202: Challenge}, openapi_extra=says(TooMany)
)
def send_code_to_mobile(
    request: ApiRequest, patient_id: IdInPath, body: MobileBody
) -> HttpResponse:
    """Send a code to what the patient says is their mobile: its owner reads it to the staff."""
    challenge = send_mobile_code(
        request.auth.actor, patient_id=patient_id, mobile=parse_mobile(body.mobile)
    )
    return reply(Challenge.of(challenge), 202)


@router.put(
    f"{MOBILE}",
    auth=at_spoke,
    response=ProfileReply,
    openapi_extra=says(AccountInactive, CodeDead, WrongCode),
)
def give_patient_mobile(request: ApiRequest, patient_id: IdInPath, body: CodeBody) -> HttpResponse:
    """Join a patient to the mobile whose code was told: who signs in there reads all of it."""
    person = give_mobile(
        request.auth.actor, patient_id=patient_id, challenge=body.challenge, code=body.code
    )
    return reply(ProfileReply.of(person))
