"""Who is ill, what they agree to, and what the trouble is."""

import contextlib
import dataclasses
import datetime
import uuid
from typing import Annotated

from django.http.response import HttpResponse, HttpResponseBase
from ninja import Query, Router
from pydantic import Field

from sanjeevani.api.access import ApiRequest, HomeStateMissing, at_home, carer, patient
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.following import Told
from sanjeevani.api.reference import Term, Terms
from sanjeevani.api.replies import (
    IdempotencyKey,
    key_of,
    nothing,
    once,
    page_of,
    polled,
    record_before,
    reply,
)
from sanjeevani.api.types import (
    Body,
    Code,
    Cursor,
    Day,
    Id,
    IdInPath,
    Line,
    Lines,
    OptionalLine,
    PageSize,
    Reply,
    Words,
)
from sanjeevani.consultation.follow_ups import follow_ups_due
from sanjeevani.consultation.offers import Offer, offers_for
from sanjeevani.consultation.record_accesses import Access, Act, accesses_to
from sanjeevani.consultation.services import withdraw_consent as withdraw
from sanjeevani.directory.models import Clinic, Gender, Role
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.intake.content import TEXT_LENGTH, IntakeContent
from sanjeevani.intake.following import accepted, questions_about
from sanjeevani.intake.queries import draft_of
from sanjeevani.intake.services import save_draft
from sanjeevani.intake.triage import DISABLED, PREGNANT, danger_in, questions_for
from sanjeevani.patients.companions import companions_of, needs_companion, representatives_of
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.errors import (
    AlreadyRegistered,
    InstitutionExists,
    KeptElsewhere,
    NoticeChanged,
    OffTheList,
)
from sanjeevani.patients.models import (
    Area,
    Bond,
    ConsentDecision,
    InstitutionKind,
    Patient,
    Relation,
)
from sanjeevani.patients.queries import (
    age_in_months,
    institution_of,
    may_withdraw,
    named,
    own_patient,
    own_record,
    patients_of,
    valid_consent,
    with_valid_consent,
)
from sanjeevani.patients.services import (
    Authority,
    InstitutionDetails,
    Profile,
    change_institution,
    change_profile,
    decide_consent,
    join,
    leave_care,
    name_representative,
    register,
    register_institution,
    revoke_representative,
    take_back,
)
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
    decides_alone: bool = True
    room: Annotated[OptionalLine, Field(max_length=20)] = ""

    def profile(self) -> Profile:
        """Return the profile as the registry takes it."""
        return Profile(**{name: getattr(self, name) for name in ProfileBody.model_fields})


class NewProfileBody(ProfileBody):
    """`is_another`: registered although somebody with this name and age is on the list."""

    is_another: bool = False


class ProfileReply(Reply):
    """A person in the account's care.

    Whose consultations are listed and who is not on the list any more: since `left_at` they are off
    it, or the record that is kept for them is `kept_id`. `back` puts either on the list again.
    """

    state_id: int
    id: uuid.UUID
    relation: Relation
    name: str
    gender: Gender
    birth_date: datetime.date
    birth_date_is_estimated: bool
    address: str
    district: str
    decides_alone: bool
    room: str
    needs_companion: bool
    has_consent: bool
    left_at: datetime.datetime | None
    kept_id: uuid.UUID | None

    @classmethod
    def of(cls, person: Patient, has_consent: bool | None = None) -> "ProfileReply":
        """Show a patient."""
        names = cls.model_fields.keys() - {"has_consent", "needs_companion", "kept_id"}
        if has_consent is None:
            has_consent = valid_consent(person) is not None
        return cls(
            **{name: getattr(person, name) for name in names},
            needs_companion=needs_companion(person),
            has_consent=has_consent,
            kept_id=person.same_as_id,
        )


class FollowUpReply(Reply):
    """That the doctor of a consultation wants to see somebody in care again, around a day.

    From three days before it to two weeks after, until it is asked for or put away.
    """

    state_id: int
    id: uuid.UUID
    patient_id: uuid.UUID
    patient_name: str
    practitioner: str
    day: datetime.date


class Profiles(Reply):
    """The people in the account's care, in the order of their registration.

    `follow_ups` are due with whomever, on this page of the list or not. `next` is the cursor of the
    following page, null on the last.
    """

    items: list[ProfileReply]
    follow_ups: list[FollowUpReply]
    next: str | None


class SameBody(Body):
    """The profile that is kept."""

    kept_id: Id


class InstitutionBody(Body):
    """An institution that registers its residents, and the adult who answers for them."""

    name: Annotated[Line, Field(max_length=100)]
    kind: Annotated[InstitutionKind, Field(strict=False)]
    address: Annotated[Line, Field(max_length=200)]
    district: Annotated[Line, Field(max_length=60)]
    area: Annotated[Area, Field(strict=False)]
    responsible_name: Annotated[Line, Field(max_length=100)]
    responsible_role: Annotated[Line, Field(max_length=60)]


class InstitutionReply(Reply):
    """The institution of an account."""

    name: str
    kind: InstitutionKind
    address: str
    district: str
    area: Area
    responsible_name: str
    responsible_role: str


class CompanionReply(Reply):
    """An adult who can be with the patient, and what they are to the patient."""

    id: str
    name: str
    bond: str


class Companions(Reply):
    """Whom to propose comes first. Empty where nobody is identified: name a representative."""

    items: list[CompanionReply]


class RepresentativeBody(Body):
    """Whom the patient names, and what for; `until`, the last day, is null without an end."""

    name: Annotated[Line, Field(max_length=100)]
    bond: Annotated[Bond, Field(strict=False)]
    mobile: Annotated[str, Field(max_length=16, pattern=r"^(\+91[6-9][0-9]{9})?$")] = ""
    may_collect: bool
    may_speak: bool
    until: Day | None = None


class RepresentativeReply(Reply):
    """Who may act for the patient, from `since` on."""

    id: uuid.UUID
    name: str
    bond: str
    mobile: str
    may_collect: bool
    may_speak: bool
    since: datetime.date
    until: datetime.date | None


class Representatives(Reply):
    """Those whose authority holds today."""

    items: list[RepresentativeReply]


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
    """What the patient says. `answers`: the danger questions by code, `pregnant` and `disabled`.

    The last two are no danger: whoever is, is called before others. `told`: the answers to what is
    asked about the complaints, by the question's code.
    """

    complaints: Annotated[list[Code], Field(max_length=30)] = []
    text: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    duration_days: Annotated[int, Field(ge=1, le=LONGEST_DURATION_DAYS)] | None = None
    history: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    allergies: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    medicines: Annotated[Lines, Field(max_length=TEXT_LENGTH)] = ""
    answers: Annotated[dict[Code, bool], Field(max_length=60)] = {}
    told: Told = {}


class IntakeReply(Reply):
    """The draft, with the signs in it that mean emergency care now instead of a token."""

    complaints: list[str]
    text: str
    duration_days: int | None
    history: str
    allergies: str
    medicines: str
    answers: dict[str, bool]
    told: dict[str, str]
    danger: list[Question]


class Wait(Reply):
    """Whole minutes; eight times in ten the real wait lies inside."""

    low: int
    high: int


class DutyReply(Reply):
    """The doctors on duty now: how many, how many of them women, and what they speak."""

    doctors: int
    women: int
    languages: list[str]


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
    on_duty: DutyReply

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
            on_duty=DutyReply(
                doctors=offer.on_duty.doctors,
                women=offer.on_duty.women,
                languages=list(offer.on_duty.languages),
            ),
        )


class Clinics(Reply):
    """Recommended ones first, then those that can be asked now, then the shortest waits."""

    items: list[ClinicReply]


def clinic_name(clinic: Clinic) -> str:
    """Return a clinic's name in the reader's language."""
    return clinic.name_hi if language() == "hi" and clinic.name_hi else clinic.name


def of_profile(*operations: str, at: str = "") -> dict[str, dict[str, str]]:
    """Return links from an answer that names somebody, in its part `at` if given."""
    return {name: {"patient_id": f"$response.body#{at}/id"} for name in operations}


Version = Annotated[str, Query(max_length=20, pattern="^[0-9a-z-]+$")]


CARED_FOR = (
    "read_profile",
    "change",
    "give_consent",
    "withdraw_consent",
    "list_symptoms",
    "list_danger_questions",
    "read_intake",
    "write_intake",
    "list_following_questions",
    "list_companions",
    "list_representatives",
    "name_somebody",
    "list_draft_papers",
    "add_to_draft",
)
"""What the patient's side does for somebody: the account, or the staff of a spoke."""
OF_PROFILE = of_profile(*CARED_FOR, "list_clinics", "list_follow_ups", "ask", "leave")


@router.get(
    "/profiles", auth=patient, response=Profiles, openapi_extra=says(HomeStateMissing, polled=True)
)
def list_profiles(
    request: ApiRequest,
    q: Words = "",
    cursor: Cursor = None,
    limit: PageSize = 100,
) -> HttpResponseBase:
    """List the people in the account's care, or those whose name or room has the words `q`."""
    found = named(patients_of(at_home(request)), q).order_by("id")
    after = record_before(request, cursor)
    if after is not None:
        found = found.filter(id__gt=after)
    rows = list(found[: limit + 1])
    page, following = page_of(request, rows, limit)
    agreed = with_valid_consent(request.auth.actor.state_id, [person.id for person in page])
    items = [ProfileReply.of(person, person.id in agreed) for person in page]
    follow_ups = [
        FollowUpReply(
            state_id=due.consultation.state_id,
            id=due.consultation.id,
            patient_id=due.patient.id,
            patient_name=due.patient.name,
            practitioner=due.consultation.practitioner_name,
            day=due.day,
        )
        for due in follow_ups_due(request.auth.actor)
    ]
    return polled(request, Profiles(items=items, follow_ups=follow_ups, next=following))


@router.post(
    "/profiles",
    auth=patient,
    response={201: ProfileReply},
    openapi_extra=says(HomeStateMissing, AlreadyRegistered, links=OF_PROFILE),
)
def create_profile(request: ApiRequest, body: NewProfileBody, key: IdempotencyKey) -> HttpResponse:
    """Register a person under the account, in its home state.

    Residents need an institution. AlreadyRegistered names who is on the list already.
    """
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
                key=key_of(request, key),
                is_another=body.is_another,
            )
        ),
    )


@router.get(
    "/profiles/{uuid:patient_id}",
    auth=carer,
    response=ProfileReply,
    openapi_extra=says(polled=True),
)
def read_profile(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Return one person's profile, also of one who is not on the list any more."""
    return polled(request, ProfileReply.of(own_record(request.auth.actor, patient_id)))


@router.put("/profiles/{uuid:patient_id}", auth=carer, response=ProfileReply)
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


@router.delete("/profiles/{uuid:patient_id}", auth=patient, response={204: None})
def leave(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Take a person off the list; once is enough. The record stays and can be taken back."""
    with contextlib.suppress(OffTheList):
        leave_care(request.auth.actor, patient_id=patient_id)
    return nothing()


@router.post("/profiles/{uuid:patient_id}/back", auth=patient, response={204: None})
def bring_back(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Put a person back on the list who left it, or was joined with another."""
    take_back(request.auth.actor, patient_id=patient_id)
    return nothing()


@router.post("/profiles/{uuid:patient_id}/same-as", auth=patient, response={204: None})
def same_as(request: ApiRequest, patient_id: IdInPath, body: SameBody) -> HttpResponse:
    """Say that this person is another one of the list, who is kept with both histories.

    Once is enough.
    """
    try:
        join(request.auth.actor, patient_id=patient_id, kept_id=body.kept_id)
    except KeptElsewhere as done:
        if done.kept_id != body.kept_id:
            raise
    return nothing()


@router.get(
    "/institution",
    auth=patient,
    response=InstitutionReply,
    openapi_extra=says(HomeStateMissing, NotFound, polled=True),
)
def read_institution(request: ApiRequest) -> HttpResponse:
    """Return the institution that the account belongs to."""
    found = institution_of(at_home(request))
    if found is None:
        raise NotFound
    return polled(request, InstitutionReply.model_validate(found))


@router.put(
    "/institution",
    auth=patient,
    response=InstitutionReply,
    openapi_extra=says(HomeStateMissing, InstitutionExists),
)
def write_institution(request: ApiRequest, body: InstitutionBody) -> HttpResponse:
    """Register the account's institution, or correct what is registered."""
    actor = at_home(request)
    details = InstitutionDetails(**dict(body))
    if institution_of(actor) is None:
        register_institution(
            actor,
            state_id=actor.state_id,
            account_id=request.auth.session.account_id,
            details=details,
        )
    else:
        change_institution(actor, state_id=actor.state_id, details=details)
    return reply(InstitutionReply.model_validate(institution_of(actor)))


@router.get(
    "/profiles/{uuid:patient_id}/companions",
    auth=carer,
    response=Companions,
    openapi_extra=says(polled=True),
)
def list_companions(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """List the adults who can be with a minor, or with who cannot decide alone."""
    found = companions_of(own_patient(request.auth.actor, patient_id))
    items = [CompanionReply.model_validate(one) for one in found]
    return polled(request, Companions(items=items))


class AccessReply(Reply):
    """What one member of staff did with the record on one day.

    Of a doctor `doctor` is the name; of others only `role` and facility are told. `act` `link`: all
    who opened a link that was shared, with neither.
    """

    id: uuid.UUID
    since: datetime.datetime
    until: datetime.datetime
    acts: list[Act]
    doctor: str
    role: Role | None
    facility: str
    district: str
    in_emergency: bool

    @classmethod
    def of(cls, access: Access) -> "AccessReply":
        """Show who it was."""
        post = access.post
        return cls(
            id=access.id,
            since=access.since,
            until=access.until,
            acts=access.acts,
            doctor=access.doctor,
            role=Role(post.role) if post else None,
            facility=post.facility.name if post else "",
            district=post.facility.district if post else "",
            in_emergency=access.break_glass,
        )


class Accesses(Reply):
    """The newest first. `next` is the cursor of the following page, null on the last."""

    items: list[AccessReply]
    next: str | None


@router.get("/profiles/{uuid:patient_id}/accesses", auth=patient, response=Accesses)
def list_accesses(
    request: ApiRequest, patient_id: IdInPath, cursor: Cursor = None, limit: PageSize = 20
) -> HttpResponse:
    """List who of the staff has looked at somebody's record or worked on it."""
    person = own_record(request.auth.actor, patient_id)
    before = record_before(request, cursor)
    page, following = page_of(request, accesses_to(person, limit + 1, before=before), limit)
    return reply(Accesses(items=[AccessReply.of(one) for one in page], next=following))


REPRESENTATIVES = "/profiles/{uuid:patient_id}/representatives"


@router.get(REPRESENTATIVES, auth=carer, response=Representatives, openapi_extra=says(polled=True))
def list_representatives(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """List who may collect the medicines or speak for the patient."""
    found = representatives_of(own_patient(request.auth.actor, patient_id))
    items = [RepresentativeReply.model_validate(one) for one in found]
    return polled(request, Representatives(items=items))


@router.post(
    REPRESENTATIVES,
    auth=carer,
    response={201: RepresentativeReply},
    openapi_extra=says(
        links={
            "revoke": {
                "patient_id": "$request.path.patient_id",
                "representative_id": "$response.body#/id",
            }
        }
    ),
)
def name_somebody(
    request: ApiRequest, patient_id: IdInPath, body: RepresentativeBody, key: IdempotencyKey
) -> HttpResponse:
    """Name somebody who may collect the medicines or speak for the patient."""
    person = own_patient(request.auth.actor, patient_id)
    return once(
        request,
        key,
        lambda: RepresentativeReply.model_validate(
            name_representative(
                request.auth.actor, patient=person, authority=Authority(**dict(body))
            )
        ),
    )


@router.delete(f"{REPRESENTATIVES}/{{uuid:representative_id}}", auth=carer, response={204: None})
def revoke(request: ApiRequest, patient_id: IdInPath, representative_id: IdInPath) -> HttpResponse:
    """End an authority at once."""
    revoke_representative(
        request.auth.actor,
        patient=own_patient(request.auth.actor, patient_id),
        representative_id=representative_id,
    )
    return nothing()


@router.put(
    "/profiles/{uuid:patient_id}/consent",
    auth=carer,
    response={204: None},
    openapi_extra=says(NoticeChanged),
)
def give_consent(
    request: ApiRequest, patient_id: IdInPath, notice: Version = CURRENT_NOTICE
) -> HttpResponse:
    """Agree to the notice. `notice`: the version that was shown, the current one if left out."""
    person = own_patient(request.auth.actor, patient_id)
    if valid_consent(person) is None:
        decide_consent(
            request.auth.actor,
            patient=person,
            decision=ConsentDecision.GIVEN,
            language=language(),
            read=notice,
        )
    return nothing()


@router.delete("/profiles/{uuid:patient_id}/consent", auth=carer, response={204: None})
def withdraw_consent(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Withdraw consent, as easily as it was given. A token that waits is given back."""
    person = own_patient(request.auth.actor, patient_id)
    if may_withdraw(person):
        withdraw(request.auth.actor, patient=person, language=language())
    return nothing()


@router.get(
    "/profiles/{uuid:patient_id}/symptoms",
    auth=carer,
    response=Terms,
    openapi_extra=says(polled=True),
)
def list_symptoms(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the complaints that a person of this age and sex can have."""
    person = own_record(request.auth.actor, patient_id)
    found = _symptoms(person.birth_date, person.gender)
    items = [Term(code=code, name=name) for code, name in found.items()]
    return polled(request, Terms(items=items))


def _symptoms(birth_date: datetime.date, gender: str) -> dict[str, str]:
    found = symptoms_for(age_months=age_in_months(birth_date, clock.today()), sex=gender)
    return {symptom.code: symptom.name_in(language()) for symptom in found}


@router.get(
    "/profiles/{uuid:patient_id}/danger-questions",
    auth=carer,
    response=Questions,
    openapi_extra=says(polled=True),
)
def list_danger_questions(request: ApiRequest, patient_id: IdInPath) -> HttpResponseBase:
    """List the danger questions, which come before anything else."""
    person = own_record(request.auth.actor, patient_id)
    beside = request.auth.actor.spoke_id is not None
    signs = questions_for(person.birth_date, person.gender, beside=beside)
    return polled(request, Questions(items=[_question(sign) for sign in signs]))


def _question(sign: DangerSign) -> Question:
    return Question(
        code=sign.code,
        question=sign.question_in(language()),
        first_aid=sign.first_aid_in(language()),
        call=list(sign.call),
    )


@router.get(
    "/profiles/{uuid:patient_id}/intake",
    auth=carer,
    response=IntakeReply,
    openapi_extra=says(polled=True),
)
def read_intake(request: ApiRequest, patient_id: IdInPath) -> HttpResponse:
    """Return what was entered so far.

    Also for one who is not on the list any more: what a doctor asked of them is answered by it.
    """
    person = own_record(request.auth.actor, patient_id)
    return polled(request, _intake(person, draft_of(person)))


@router.put("/profiles/{uuid:patient_id}/intake", auth=carer, response=IntakeReply)
def write_intake(request: ApiRequest, patient_id: IdInPath, body: IntakeBody) -> HttpResponse:
    """Keep what was entered; it replaces the draft before."""
    person = own_record(request.auth.actor, patient_id)
    # What a spoke has measured stays: it may be a sign of danger.
    content = said_by(
        body,
        draft_of(person).vitals,
        birth_date=person.birth_date,
        gender=person.gender,
        beside=request.auth.actor.spoke_id is not None,
    )
    save_draft(request.auth.actor, patient=person, content=content)
    return reply(_intake(person, content))


def said_by(
    body: IntakeBody,
    vitals: dict[str, float],
    *,
    birth_date: datetime.date,
    gender: str,
    beside: bool,
) -> IntakeContent:
    """Return what a patient of this age and gender says, with what was measured.

    `beside`: staff are with the patient, and have looked as well. Raises Invalid for complaints and
    answers that they cannot have.
    """
    content = IntakeContent(**body.model_dump(), vitals=vitals)
    if set(content.complaints) - _symptoms(birth_date, gender).keys():
        raise Invalid(field="complaints")
    asked = {sign.code for sign in questions_for(birth_date, gender, beside=beside)}
    if content.answers.keys() - asked - {PREGNANT, DISABLED}:
        raise Invalid(field="answers")
    questions = questions_about(content.complaints, birth_date=birth_date, gender=gender)
    return dataclasses.replace(content, told=accepted(content.told, questions))


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
