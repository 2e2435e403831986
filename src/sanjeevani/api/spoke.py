"""Patients at a spoke: found or registered by its staff, who then act for them.

What the patients' own operations do, consent, danger questions, papers, the call, the staff do by
these as well, for whom they have registered or taken in (`carer` of `access.py`).
"""

import datetime
import uuid
from typing import Annotated, Self

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Router
from pydantic import Field, model_validator

from sanjeevani.api.access import ApiRequest, at_spoke
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.family import (
    CARED_FOR,
    IntakeBody,
    NewProfileBody,
    ProfileReply,
    of_profile,
    said_by,
)
from sanjeevani.api.replies import IdempotencyKey, key_of, nothing, once, polled, reply
from sanjeevani.api.types import Body, Code, Id, IdInPath, Line, Moment, Reference, Reply
from sanjeevani.api.vitals import accepted
from sanjeevani.consultation.models import ToDoKind
from sanjeevani.consultation.to_do import tick
from sanjeevani.directory.models import Gender
from sanjeevani.foundation.errors import NotFound
from sanjeevani.identity.limits import count_attempt
from sanjeevani.identity.mobiles import LONGEST_INPUT, parse_mobile
from sanjeevani.intake.visits import Visit, enter_visit, visits_to_continue
from sanjeevani.patients.errors import AlreadyRegistered
from sanjeevani.patients.services import require_possible
from sanjeevani.patients.spokes import (
    Sought,
    find_patients,
    parse_abha,
    recent_patients,
    register_at_spoke,
    take_in,
)
from sanjeevani.prescription.to_do import ToDo, to_dos_at

router = Router(tags=["At a spoke"])

PATIENTS = "/spoke/patients"
BESIDE = (*CARED_FOR, "read_vitals", "write_vitals", "list_hubs", "ask_hub_doctor", "read_mobile")
"""What the staff of a spoke do for somebody whom they have registered or taken in."""
LANGUAGES = "|".join(code for code, _name in settings.LANGUAGES)

Mobile = Annotated[str, Field(min_length=1, max_length=LONGEST_INPUT)]
AbhaNumber = Annotated[str, Field(pattern=r"^[0-9]{2}(-?[0-9]{4}){3}$")]


class SearchBody(Body):
    """What a patient brings: a mobile, an ABHA number, or a name, which one of them.

    `birth_year` goes with a name; a year off is found, too.
    """

    mobile: Mobile | None = None
    abha_number: AbhaNumber | None = None
    name: Annotated[Line, Field(max_length=100)] | None = None
    birth_year: Annotated[int, Field(ge=1880, le=2200)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.mobile, self.abha_number, self.name)) != 1:
            raise ValueError("send one of mobile, abha_number and name")
        return self

    def sought(self) -> Sought:
        """Return what is searched for. Raises Invalid."""
        return Sought(
            mobile=parse_mobile(self.mobile) if self.mobile else "",
            abha_number=parse_abha(self.abha_number) if self.abha_number else "",
            name=self.name or "",
            birth_year=self.birth_year,
        )


class FoundReply(Reply):
    """Somebody who is registered. Take them in to act for them."""

    id: uuid.UUID
    name: str
    gender: Gender
    birth_date: datetime.date
    birth_date_is_estimated: bool
    address: str
    district: str


class Found(Reply):
    """Who was found, or was here."""

    items: list[FoundReply]


class RegistrationBody(NewProfileBody):
    """A patient who sits before the staff. `relation`: whose mobile it is, seen from its owner.

    With a mobile the patient reads the prescription at home; without one nobody signs in. One that
    others use already is kept as told: see the patient's `mobile`.
    `language` is that of the messages.
    """

    mobile: Mobile | None = None
    language: Annotated[str, Field(pattern=f"^({LANGUAGES})$")] | None = None
    abha_number: AbhaNumber | None = None

    def parsed_mobile(self) -> str:
        """Return the mobile in E.164, empty without one. Raises Invalid."""
        return parse_mobile(self.mobile) if self.mobile else ""

    def parsed_number(self) -> str:
        """Return the digits of the ABHA number, empty without one."""
        return parse_abha(self.abha_number) if self.abha_number else ""


class VisitBody(Body):
    """What was entered without a link: who came, what was told and measured, and when.

    `same`: the patient is somebody who is registered already.
    """

    patient: RegistrationBody
    intake: IntakeBody
    vitals: Annotated[dict[Code, float], Field(max_length=30)] = {}
    entered_at: Moment
    same: Id | None = None

    def visit(self, key: uuid.UUID) -> Visit:
        """Return the visit as the verb takes it. Raises Invalid."""
        profile = self.patient.profile()
        # What is told and measured is read by the age.
        require_possible(profile)
        return Visit(
            key=key,
            entered_at=self.entered_at,
            profile=profile,
            content=said_by(
                self.intake,
                accepted(self.vitals),
                birth_date=profile.birth_date,
                gender=profile.gender,
                beside=True,
            ),
            mobile=self.patient.parsed_mobile(),
            abha_number=self.patient.parsed_number(),
        )


class VisitReply(Reply):
    """A visit for which nobody has asked a doctor yet: go on with consent."""

    patient_id: uuid.UUID
    patient_name: str
    entered_at: datetime.datetime


class Visits(Reply):
    """The newest first; of several visits of one patient, the newest."""

    items: list[VisitReply]


class ToDoReply(Reply):
    """One thing to do for a patient, by its day. `medicines` are in stock again.

    `mobile` is empty for who has none.
    """

    kind: ToDoKind
    consultation: Reference
    patient_name: str
    mobile: str
    due_on: datetime.date
    medicines: list[str]

    @classmethod
    def of(cls, to_do: ToDo) -> Self:
        """Show what is to be done."""
        held = to_do.consultation
        return cls(
            kind=to_do.kind,
            consultation=Reference(state_id=held.state_id, id=held.id),
            patient_name=held.patient_name,
            mobile=to_do.mobile,
            due_on=to_do.due_on,
            medicines=to_do.medicines,
        )


class ToDos(Reply):
    """What is to be done, and what was done since yesterday."""

    open: list[ToDoReply]
    done: list[ToDoReply]


class TickBody(Body):
    """One thing of the list: done, or not after all."""

    consultation_id: Id
    kind: Annotated[ToDoKind, Field(strict=False)]
    done: bool


@router.post(f"{PATIENTS}/search", auth=at_spoke, response=Found)
def search_patients(request: ApiRequest, body: SearchBody) -> HttpResponse:
    """Find a patient. What is searched for stands in no address, and who is found is audited.

    A whole number finds people of the state; a name those who have been here.
    """
    # A program that tries numbers could read the state's register.
    count_attempt("searches_per_account", str(request.auth.session.account_id))
    return reply(_found(find_patients(request.auth.actor, body.sought())))


@router.get(PATIENTS, auth=at_spoke, response=Found, openapi_extra=says(polled=True))
def list_recent_patients(request: ApiRequest) -> HttpResponseBase:
    """List who was at the spoke last."""
    return polled(request, _found(recent_patients(request.auth.actor)))


def _found(people: object) -> Found:
    return Found.model_validate({"items": people})


@router.post(
    PATIENTS,
    auth=at_spoke,
    response={201: ProfileReply},
    openapi_extra=says(AlreadyRegistered, links=of_profile(*BESIDE, "take_patient_in")),
)
def register_patient(
    request: ApiRequest, body: RegistrationBody, key: IdempotencyKey
) -> HttpResponse:
    """Register a patient, in the spoke's state. Go on with consent.

    AlreadyRegistered names who is registered under the mobile already: take them in.
    """

    def make() -> ProfileReply:
        person = register_at_spoke(
            request.auth.actor,
            profile=body.profile(),
            language=body.language or language(),
            key=key_of(request, key),
            mobile=body.parsed_mobile(),
            abha_number=body.parsed_number(),
            is_another=body.is_another,
        )
        return ProfileReply.of(person)

    return once(request, key, make)


@router.put(f"{PATIENTS}/{{uuid:patient_id}}", auth=at_spoke, response=ProfileReply)
def take_patient_in(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Say that the patient who was found sits here: the staff act for them from now on."""
    return reply(ProfileReply.of(take_in(request.auth.actor, patient_id=patient_id)))


@router.post(
    "/spoke/visits",
    auth=at_spoke,
    response={201: ProfileReply},
    openapi_extra=says(AlreadyRegistered, NotFound, links=of_profile(*BESIDE)),
)
def enter_kept_visit(request: ApiRequest, body: VisitBody, key: IdempotencyKey) -> HttpResponse:
    """Enter a visit that was kept without a link: patient, complaint and measurements in one.

    AlreadyRegistered also names who has been at the spoke under this name and age; send the visit
    again with that `same`, or with `is_another`.
    """

    def make() -> ProfileReply:
        person = enter_visit(
            request.auth.actor,
            visit=body.visit(key_of(request, key)),
            language=body.patient.language or language(),
            patient_id=body.same,
            is_another=body.patient.is_another,
        )
        return ProfileReply.of(person)

    return once(request, key, make)


@router.get("/spoke/visits", auth=at_spoke, response=Visits, openapi_extra=says(polled=True))
def list_visits(request: ApiRequest) -> HttpResponseBase:
    """List the visits that wait to be gone on with."""
    items = [
        VisitReply(
            patient_id=one.patient_id,
            patient_name=one.patient.name,
            entered_at=one.entered_at,
        )
        for one in visits_to_continue(request.auth.actor)
    ]
    return polled(request, Visits(items=items))


@router.get("/spoke/to-dos", auth=at_spoke, response=ToDos, openapi_extra=says(polled=True))
def list_to_dos(request: ApiRequest) -> HttpResponseBase:
    """List for whom something is to be done: ring back, tell an answer, a follow-up, a medicine."""
    post = request.auth.post
    assert post is not None
    to_do, done = to_dos_at(post.state_id, post.facility_id)
    listed = ToDos(
        open=[ToDoReply.of(one) for one in to_do], done=[ToDoReply.of(one) for one in done]
    )
    return polled(request, listed)


@router.put("/spoke/to-dos", auth=at_spoke, response={204: None}, openapi_extra=says(NotFound))
def tick_to_do(request: ApiRequest, body: TickBody) -> HttpResponse:
    """Say that something is done for a patient, or that it is not after all."""
    tick(request.auth.actor, **dict(body))
    return nothing()
