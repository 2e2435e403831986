"""Who is ill, what they agree to, and what the trouble is."""

import datetime
import uuid
from typing import Annotated

from django.http.response import HttpResponse, HttpResponseBase
from ninja import Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, HomeStateMissing, at_home, patient
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.reference import Term, Terms
from sanjeevani.api.replies import IdempotencyKey, nothing, once, polled, reply
from sanjeevani.api.types import Body, Code, Day, IdInPath, Line, Lines, Reply
from sanjeevani.consultation.offers import Offer, offers_for
from sanjeevani.directory.models import Clinic, Gender
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.intake.content import TEXT_LENGTH, IntakeContent
from sanjeevani.intake.queries import draft_of
from sanjeevani.intake.services import save_draft
from sanjeevani.intake.triage import PREGNANT, danger_in, questions_for
from sanjeevani.patients.models import ConsentDecision, Patient, Relation
from sanjeevani.patients.queries import age_in_months, own_patient, patients_of, valid_consent
from sanjeevani.patients.services import Profile, change_profile, decide_consent, register
from sanjeevani.terminology.danger_signs import DangerSign
from sanjeevani.terminology.queries import symptoms_for

router = Router(tags=["Patients"])

LONGEST_DURATION_DAYS = 3650


class ProfileBody(Body):
    """Whom the doctor is for."""

    relation: Annotated[Relation, Field(strict=False)]
    name: Annotated[Line, Field(max_length=100)]
    gender: Annotated[Gender, Field(strict=False)]
    birth_date: Day
    birth_date_is_estimated: bool = False
    address: Annotated[Line, Field(max_length=200)]
    district: Annotated[Line, Field(max_length=60)]

    def profile(self) -> Profile:
        """Return the profile as the registry takes it."""
        return Profile(**dict(self))


class ProfileReply(Reply):
    """A person in the account's care."""

    state_id: int
    id: uuid.UUID
    relation: str
    name: str
    gender: str
    birth_date: datetime.date
    birth_date_is_estimated: bool
    address: str
    district: str
    has_consent: bool

    @classmethod
    def of(cls, person: Patient) -> "ProfileReply":
        """Show a patient."""
        names = cls.model_fields.keys() - {"has_consent"}
        return cls(
            **{name: getattr(person, name) for name in names},
            has_consent=valid_consent(person) is not None,
        )


class Profiles(Reply):
    """The people in the account's care, in the order of their registration."""

    items: list[ProfileReply]


class Question(Reply):
    """A danger sign to ask about; yes to any means emergency care now."""

    code: str
    question: str
    first_aid: str
    call: list[str]


class Questions(Reply):
    """The danger questions of one patient, in order."""

    items: list[Question]


class IntakeBody(Body):
    """What the patient says. `answers`: the danger questions by code, and `pregnant` if known."""

    complaints: Annotated[list[Code], Field(max_length=30)] = []
    text: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    duration_days: Annotated[int, Field(ge=1, le=LONGEST_DURATION_DAYS)] | None = None
    history: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    allergies: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    medicines: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    answers: Annotated[dict[Code, bool], Field(max_length=60)] = {}


class IntakeReply(Reply):
    """The draft, with the signs in it that mean emergency care now instead of a token."""

    complaints: list[str]
    text: str
    duration_days: int | None
    history: str
    allergies: str
    medicines: str
    answers: dict[str, bool]
    danger: list[Question]


class Wait(Reply):
    """Whole minutes; eight times in ten the real wait lies inside."""

    low: int
    high: int


class ClinicReply(Reply):
    """An online OPD, wherever it is hosted."""

    state_id: int
    id: uuid.UUID
    name: str
    speciality: str
    facility: str
    district: str
    languages: list[str]
    is_open: bool
    is_full: bool
    is_recommended: bool
    expected_wait: Wait | None

    @classmethod
    def of(cls, offer: Offer) -> "ClinicReply":
        """Show an offer."""
        clinic, facility = offer.open_clinic.clinic, offer.open_clinic.facility
        return cls(
            state_id=clinic.state_id,
            id=clinic.id,
            name=clinic_name(clinic),
            speciality=clinic.speciality_code,
            facility=facility.name,
            district=facility.district,
            languages=clinic.languages,
            is_open=offer.open_clinic.is_open,
            is_full=offer.is_full,
            is_recommended=offer.is_recommended,
            expected_wait=Wait.model_validate(offer.wait) if offer.wait else None,
        )


class Clinics(Reply):
    """Recommended ones first, then those that can be asked now, then the shortest waits."""

    items: list[ClinicReply]


def clinic_name(clinic: Clinic) -> str:
    """Return a clinic's name in the reader's language."""
    return clinic.name_hi if language() == "hi" and clinic.name_hi else clinic.name


OF_PROFILE = {
    name: {"patient_id": "$response.body#/id"}
    for name in (
        "read_profile",
        "change",
        "give_consent",
        "withdraw_consent",
        "list_symptoms",
        "list_danger_questions",
        "read_intake",
        "write_intake",
        "list_clinics",
        "ask",
    )
}


@router.get(
    "/profiles", auth=patient, response=Profiles, openapi_extra=says(HomeStateMissing, polled=True)
)
def list_profiles(request: ApiRequest) -> HttpResponseBase:
    """List the people in the account's care."""
    found = patients_of(at_home(request))
    return polled(request, Profiles(items=[ProfileReply.of(person) for person in found]))


@router.post(
    "/profiles",
    auth=patient,
    response={201: ProfileReply},
    openapi_extra=says(HomeStateMissing, links=OF_PROFILE),
)
def create_profile(request: ApiRequest, body: ProfileBody, key: IdempotencyKey) -> HttpResponse:
    """Register a person under the account, in its home state."""
    actor = at_home(request)
    return once(
        request,
        key,
        lambda: ProfileReply.of(
            register(
                actor,
                state_id=actor.state_id,
                account_id=request.auth.session.account_id,
                profile=body.profile(),
            )
        ),
    )


@router.get("/profiles/{uuid:patient_id}", auth=patient, response=ProfileReply)
def read_profile(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Return one person's profile."""
    return reply(ProfileReply.of(own_patient(request.auth.actor, patient_id)))


@router.put("/profiles/{uuid:patient_id}", auth=patient, response=ProfileReply)
def change(request: ApiRequest, patient_id: IdInPath, body: ProfileBody) -> HttpResponse:
    """Correct a profile. Consultations keep the facts as they were."""
    person = own_patient(request.auth.actor, patient_id)
    change_profile(
        request.auth.actor,
        state_id=person.state_id,
        patient_id=person.id,
        profile=body.profile(),
    )
    return reply(ProfileReply.of(own_patient(request.auth.actor, patient_id)))


@router.put("/profiles/{uuid:patient_id}/consent", auth=patient, response={204: None})
def give_consent(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Agree to the current notice."""
    return _decide(request, patient_id, ConsentDecision.GIVEN)


@router.delete("/profiles/{uuid:patient_id}/consent", auth=patient, response={204: None})
def withdraw_consent(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Withdraw consent, as easily as it was given."""
    return _decide(request, patient_id, ConsentDecision.WITHDRAWN)


def _decide(request: ApiRequest, patient_id: uuid.UUID, decision: ConsentDecision) -> HttpResponse:
    person = own_patient(request.auth.actor, patient_id)
    if (valid_consent(person) is not None) is not (decision == ConsentDecision.GIVEN):
        decide_consent(request.auth.actor, patient=person, decision=decision, language=language())
    return nothing()


@router.get(
    "/profiles/{uuid:patient_id}/symptoms",
    auth=patient,
    response=Terms,
    openapi_extra=says(polled=True),
)
def list_symptoms(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the complaints that a person of this age and sex can have."""
    person = own_patient(request.auth.actor, patient_id)
    items = [Term(code=code, name=name) for code, name in _symptoms(person).items()]
    return polled(request, Terms(items=items))


def _symptoms(person: Patient) -> dict[str, str]:
    found = symptoms_for(
        age_months=age_in_months(person.birth_date, clock.today()), sex=person.gender
    )
    return {symptom.code: symptom.name_in(language()) for symptom in found}


@router.get(
    "/profiles/{uuid:patient_id}/danger-questions",
    auth=patient,
    response=Questions,
    openapi_extra=says(polled=True),
)
def list_danger_questions(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the danger questions, which come before anything else."""
    person = own_patient(request.auth.actor, patient_id)
    signs = questions_for(person.birth_date, person.gender)
    return polled(request, Questions(items=[_question(sign) for sign in signs]))


def _question(sign: DangerSign) -> Question:
    return Question(
        code=sign.code,
        question=sign.question_in(language()),
        first_aid=sign.first_aid_in(language()),
        call=list(sign.call),
    )


@router.get("/profiles/{uuid:patient_id}/intake", auth=patient, response=IntakeReply)
def read_intake(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Return what was entered so far."""
    person = own_patient(request.auth.actor, patient_id)
    return reply(_intake(person, draft_of(person)))


@router.put("/profiles/{uuid:patient_id}/intake", auth=patient, response=IntakeReply)
def write_intake(request: ApiRequest, patient_id: IdInPath, body: IntakeBody) -> HttpResponse:
    """Keep what was entered; it replaces the draft before."""
    person = own_patient(request.auth.actor, patient_id)
    content = IntakeContent(**body.model_dump())
    if set(content.complaints) - _symptoms(person).keys():
        raise Invalid(field="complaints")
    asked = {sign.code for sign in questions_for(person.birth_date, person.gender)}
    if content.answers.keys() - asked - {PREGNANT}:
        raise Invalid(field="answers")
    save_draft(request.auth.actor, patient=person, content=content)
    return reply(_intake(person, content))


def _intake(person: Patient, content: IntakeContent) -> IntakeReply:
    red = danger_in(content, birth_date=person.birth_date, gender=person.gender)
    return IntakeReply(
        **content.as_json(),
        danger=[_question(sign) for sign in red if isinstance(sign, DangerSign)],
    )


@router.get(
    "/profiles/{uuid:patient_id}/clinics",
    auth=patient,
    response=Clinics,
    openapi_extra=says(polled=True),
)
def list_clinics(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the clinics that serve the patient's state, those that fit the draft first."""
    person = own_patient(request.auth.actor, patient_id)
    offers = offers_for(person, draft_of(person))
    return polled(request, Clinics(items=[ClinicReply.of(offer) for offer in offers]))
