"""The rows that tests stand on: a state with an OPD, its doctor, an account and a patient.

Sharded rows take their state from what they belong to. Ids are set, never relations: assigning a
relation overwrites `state_id`.
"""

import datetime
import secrets
import uuid
from typing import Any

import factory
from django.test import Client
from django.utils import timezone
from factory.django import DjangoModelFactory

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.services import request as request_consultation
from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    Gender,
    HubLink,
    Line,
    LineKind,
    Post,
    Practitioner,
    Role,
    ServedState,
    State,
)
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.ids import uuid7
from sanjeevani.grievance.models import Grievance, GrievanceKind
from sanjeevani.grievance.numbers import new_number
from sanjeevani.identity.models import Account, AccountKind, Login, Session
from sanjeevani.identity.queries import digest_of
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.triage import questions_for
from sanjeevani.patients.companions import companions_of, needs_companion
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.models import (
    Area,
    Bond,
    Consent,
    ConsentDecision,
    Institution,
    InstitutionKind,
    Patient,
    Relation,
    Representative,
)
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from sanjeevani.terminology.data_files import read_document
from sanjeevani.terminology.models import (
    FollowOnQuestion,
    Speciality,
    SpecialitySystem,
    Symptom,
)
from sanjeevani.web.access import SESSION_COOKIE

ANDHRA_PRADESH = 28
TAMIL_NADU = 33

ALWAYS = ((datetime.time.min, datetime.time.max),)
"""Opening hours for a test that must not depend on the time of day."""


class StateFactory(DjangoModelFactory):
    """A state; the same code again is the same row."""

    class Meta:
        model = State
        django_get_or_create = ("lgd_code",)

    lgd_code = ANDHRA_PRADESH
    iso_3166_2 = factory.LazyAttribute(lambda state: f"IN-{state.lgd_code:02}")
    name = factory.LazyAttribute(lambda state: f"State {state.lgd_code}")
    name_hi = factory.LazyAttribute(lambda state: f"राज्य {state.lgd_code}")
    kind = "state"
    languages = ["en", "hi"]


class SpecialityFactory(DjangoModelFactory):
    """General medicine; the same code again is the same row."""

    class Meta:
        model = Speciality
        django_get_or_create = ("code",)

    code = "general_medicine"
    names = {"en": "General medicine", "hi": "सामान्य चिकित्सा"}
    system = SpecialitySystem.ALLOPATHY
    icon = "stethoscope"
    position = 0


class SymptomFactory(DjangoModelFactory):
    """Fever, a complaint for general medicine."""

    class Meta:
        model = Symptom
        django_get_or_create = ("code",)

    code = "fever"
    names = {"en": "Fever", "hi": "बुखार"}
    icon = "thermometer"
    body_area = "whole_body"
    speciality = factory.SubFactory(SpecialityFactory)
    question_codes = factory.LazyFunction(list)
    search_words = ["fever"]
    position = 0


def ask_about_fever() -> None:
    """Let a question of each kind be asked of who has a fever."""
    codes = ["duration", "temperature", "chills", "phlegm", "stools_per_day", "last_period"]
    asked = [*codes, "skin_where"]
    texts = read_document("questions")["questions"]
    for code in asked:
        values = {
            "names": texts[code]["text"],
            "kind": texts[code]["kind"],
            "options": texts[code].get("options", []),
            "minimum": texts[code].get("minimum"),
            "maximum": texts[code].get("maximum"),
        }
        FollowOnQuestion.objects.update_or_create(code=code, defaults=values)
    fever = SymptomFactory.create()
    fever.question_codes = asked
    fever.save()


class FacilityFactory(DjangoModelFactory):
    """A district hospital that hosts OPDs."""

    class Meta:
        model = Facility

    state_id = ANDHRA_PRADESH
    id = factory.LazyFunction(uuid7)
    name = factory.Sequence(lambda number: f"District Hospital {number}")
    name_hi = "ज़िला अस्पताल"
    kind = "district_hospital"
    address = "Hospital Road"
    district = "Guntur"
    is_opd_host = True


class AccountFactory(DjangoModelFactory):
    """A patient's account, at home in a state, with the login that finds it."""

    class Meta:
        model = Account
        skip_postgeneration_save = True

    id = factory.LazyFunction(uuid7)
    kind = AccountKind.PATIENT
    mobile = factory.Sequence(lambda number: f"+9198{number:08}")
    login = factory.LazyAttribute(lambda account: account.mobile)
    language = "en"
    home_state_id = ANDHRA_PRADESH
    created_at = factory.LazyFunction(timezone.now)
    last_entered_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def with_login(account: Account, create: bool, given: Any, **_: Any) -> None:  # noqa: N805
        if create:
            Login.objects.create(key=f"{account.kind}:{account.login}", account_id=account.id)


class StaffAccountFactory(AccountFactory):
    """An account of staff."""

    kind = AccountKind.STAFF
    login = factory.LazyAttribute(lambda account: f"staff{account.mobile[3:]}")
    display_name = "Dr Asha Rao"


class PractitionerFactory(DjangoModelFactory):
    """A verified doctor with an account."""

    class Meta:
        model = Practitioner

    class Params:
        account = factory.SubFactory(StaffAccountFactory)

    state_id = ANDHRA_PRADESH
    id = factory.LazyFunction(uuid7)
    account_id = factory.SelfAttribute("account.id")
    name = "Dr Asha Rao"
    gender = Gender.FEMALE
    qualification = "MBBS, MD"
    council = "Andhra Pradesh Medical Council"
    registration_number = factory.Sequence(lambda number: f"APMC/MADE/{number:05}")
    speciality_code = "general_medicine"
    languages = ["en", "hi"]
    address = "Hospital Road, Guntur"
    contact = "0863 2345678"
    verified_at = factory.LazyFunction(timezone.now)


class PostFactory(DjangoModelFactory):
    """A doctor's post at a facility."""

    class Meta:
        model = Post

    class Params:
        facility = factory.SubFactory(FacilityFactory)
        practitioner = factory.SubFactory(PractitionerFactory)

    state_id = factory.SelfAttribute("facility.state_id")
    id = factory.LazyFunction(uuid7)
    account_id = factory.SelfAttribute("practitioner.account_id")
    facility_id = factory.SelfAttribute("facility.id")
    role = Role.DOCTOR
    practitioner_id = factory.SelfAttribute("practitioner.id")
    started_at = factory.LazyFunction(timezone.now)


class LineFactory(DjangoModelFactory):
    """A clinic's line."""

    class Meta:
        model = Line

    class Params:
        facility = factory.SubFactory(FacilityFactory)

    state_id = factory.SelfAttribute("facility.state_id")
    id = factory.LazyFunction(uuid7)
    kind = LineKind.CLINIC
    facility_id = factory.SelfAttribute("facility.id")
    speciality_code = "general_medicine"
    places_per_day = 100
    waiting_places = 50
    target_wait_minutes = 30


class ClinicFactory(DjangoModelFactory):
    """A clinic that is always open and serves its own state.

    `hours`: pairs of opening and closing, the same on all days. `serves`: codes of states.
    """

    class Meta:
        model = Clinic
        skip_postgeneration_save = True

    class Params:
        line = factory.SubFactory(LineFactory)

    state_id = factory.SelfAttribute("line.state_id")
    id = factory.LazyFunction(uuid7)
    facility_id = factory.SelfAttribute("line.facility_id")
    line_id = factory.SelfAttribute("line.id")
    speciality_code = factory.SelfAttribute("line.speciality_code")
    name = factory.Sequence(lambda number: f"General OPD {number}")
    languages = ["en", "hi"]

    @factory.post_generation
    def hours(clinic: Clinic, create: bool, given: Any, **_: Any) -> None:  # noqa: N805
        for weekday in range(7):
            for opens, closes in ALWAYS if given is None else given:
                ClinicHoursFactory(
                    state_id=clinic.state_id,
                    clinic_id=clinic.id,
                    weekday=weekday,
                    opens=opens,
                    closes=closes,
                )

    @factory.post_generation
    def serves(clinic: Clinic, create: bool, given: Any, **_: Any) -> None:  # noqa: N805
        for state_id in (clinic.state_id,) if given is None else given:
            ServedStateFactory(
                served_state_id=state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
            )


class ClinicHoursFactory(DjangoModelFactory):
    """One opening on a weekday."""

    class Meta:
        model = ClinicHours

    state_id = ANDHRA_PRADESH
    id = factory.LazyFunction(uuid7)
    weekday = 0
    opens = datetime.time.min
    closes = datetime.time.max


class ServedStateFactory(DjangoModelFactory):
    """That a clinic serves a state."""

    class Meta:
        model = ServedState

    since = factory.LazyFunction(timezone.now)


class HubLinkFactory(DjangoModelFactory):
    """That a hub answers a spoke of its state in all specialities."""

    class Meta:
        model = HubLink

    class Params:
        spoke = factory.SubFactory(
            FacilityFactory,
            name=factory.Sequence(lambda number: f"Sub-Centre {number}"),
            kind="sub_centre",
            is_opd_host=False,
            is_spoke=True,
        )
        hub = factory.SubFactory(FacilityFactory, is_hub=True)

    state_id = factory.SelfAttribute("spoke.state_id")
    id = factory.LazyFunction(uuid7)
    spoke_id = factory.SelfAttribute("spoke.id")
    hub_state_id = factory.SelfAttribute("hub.state_id")
    hub_id = factory.SelfAttribute("hub.id")
    position = 1
    since = factory.LazyFunction(timezone.now)


class PatientFactory(DjangoModelFactory):
    """The holder of an account, an adult, registered in the account's state."""

    class Meta:
        model = Patient

    class Params:
        account = factory.SubFactory(AccountFactory)

    state_id = factory.SelfAttribute("account.home_state_id")
    id = factory.LazyFunction(uuid7)
    account_id = factory.SelfAttribute("account.id")
    relation = Relation.SELF
    name = "Meena Devi"
    gender = Gender.FEMALE
    birth_date = datetime.date(1989, 3, 4)
    birth_date_is_estimated = False
    address = "12 Temple Street"
    district = "Guntur"
    registered_at = factory.LazyFunction(timezone.now)


class ConsentFactory(DjangoModelFactory):
    """A patient's consent to the current notice."""

    class Meta:
        model = Consent

    class Params:
        patient = factory.SubFactory(PatientFactory)

    state_id = factory.SelfAttribute("patient.state_id")
    id = factory.LazyFunction(uuid7)
    patient_id = factory.SelfAttribute("patient.id")
    notice_version = CURRENT_NOTICE
    language = "en"
    decision = ConsentDecision.GIVEN
    decided_at = factory.LazyFunction(timezone.now)


class InstitutionFactory(DjangoModelFactory):
    """An old-age home in a village."""

    class Meta:
        model = Institution

    class Params:
        account = factory.SubFactory(AccountFactory)

    state_id = factory.SelfAttribute("account.home_state_id")
    id = factory.LazyFunction(uuid7)
    account_id = factory.SelfAttribute("account.id")
    name = "Shanti Niketan Old-age Home"
    kind = InstitutionKind.OLD_AGE_HOME
    address = "Canal Road, Tenali"
    district = "Guntur"
    area = Area.RURAL
    responsible_name = "Sister Teresa"
    responsible_role = "Warden"
    registered_at = factory.LazyFunction(timezone.now)


class RepresentativeFactory(DjangoModelFactory):
    """Somebody whom a patient has named, for everything and without an end."""

    class Meta:
        model = Representative

    class Params:
        patient = factory.SubFactory(PatientFactory)

    state_id = factory.SelfAttribute("patient.state_id")
    id = factory.LazyFunction(uuid7)
    patient_id = factory.SelfAttribute("patient.id")
    name = "Savita Kumari"
    bond = Bond.RELATIVE
    mobile = "+919812345670"
    may_collect = True
    may_speak = True
    since = factory.LazyFunction(lambda: clock.today())
    named_at = factory.LazyFunction(timezone.now)


class GrievanceFactory(DjangoModelFactory):
    """A complaint about waiting, to be answered in two weeks."""

    class Meta:
        model = Grievance

    state_id = ANDHRA_PRADESH
    id = factory.LazyFunction(uuid7)
    number = factory.LazyAttribute(lambda grievance: new_number(grievance.state_id))
    kind = GrievanceKind.WAITING
    text = "I waited for two hours and nobody called."
    language = "en"
    received_at = factory.LazyFunction(timezone.now)
    due_at = factory.LazyAttribute(
        lambda grievance: grievance.received_at + datetime.timedelta(days=15)
    )


def person(account_id: uuid.UUID, state_id: int = ANDHRA_PRADESH) -> Actor:
    """The actor of a patient's account."""
    return Actor(ActorKind.PERSON, account_id=account_id, state_id=state_id)


def doctor(practitioner: Practitioner) -> Actor:
    """The actor of a practitioner's account."""
    return Actor(
        ActorKind.STAFF, account_id=practitioner.account_id, state_id=practitioner.state_id
    )


def worker_at(spoke: Facility, role: str = Role.HEALTH_WORKER) -> Actor:
    """The actor of a new member of staff who sits beside the patients of a spoke."""
    account = StaffAccountFactory.create(home_state_id=spoke.state_id)
    post = PostFactory.create(
        facility=spoke,
        account_id=account.id,
        practitioner_id=None,
        role=role,
    )
    return Actor(
        ActorKind.STAFF,
        account_id=account.id,
        post_id=post.id,
        state_id=spoke.state_id,
        spoke_id=spoke.id,
    )


def enter(client: Client, actor: Actor) -> None:
    """Give a test client a session of staff in the actor's post."""
    assert actor.account_id
    account = Account.objects.get(id=actor.account_id)
    sign_in(client, account)
    Session.objects.filter(account_id=account.id).update(
        post_state_id=actor.state_id, post_id=actor.post_id
    )


def serving_on(line: Line, **practitioner: Any) -> Practitioner:
    """Put a new doctor on duty for a line."""
    found: Practitioner = PractitionerFactory.create(**practitioner)
    assign(SYSTEM, practitioner=found, line=line)
    change_duty(doctor(found), practitioner=found, to=DutyStatus.ON)
    return found


def sign_in(client: Client, account: Account) -> None:
    """Give a test client a session of the account."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    Session.objects.create(
        digest=digest_of(token),
        account_id=account.id,
        kind=account.kind,
        display_name=account.display_name,
        language=account.language,
        home_state_id=account.home_state_id,
        device="test",
        created_at=now,
        last_seen_at=now,
        expires_at=now + datetime.timedelta(days=90),
    )
    client.cookies[SESSION_COOKIE] = token


def on_duty(clinic: Clinic, **practitioner: Any) -> Practitioner:
    """Put a new doctor on duty in a clinic's line."""
    line = Line.objects.get(state_id=clinic.state_id, id=clinic.line_id)
    return serving_on(line, **practitioner)


def requested(clinic: Clinic, patient: Patient, **content: Any) -> Consultation:
    """Let a patient, who agrees to the notice, ask a clinic; with an adult where one is needed."""
    ConsentFactory(patient=patient)
    if needs_companion(patient) and not companions_of(patient):
        RepresentativeFactory(patient=patient)
    return request_consultation(
        person(patient.account_id, patient.state_id),
        patient=patient,
        clinic=clinic_serving(
            patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
        ),
        content=told(patient, **(content or {"text": "Fever for three days"})),
        language="en",
        request_key=uuid.uuid4(),
    )


def told(patient: Patient, **content: Any) -> IntakeContent:
    """Return what a patient says, asked for every danger sign and with none of them."""
    asked = questions_for(patient.birth_date, patient.gender, beside=True)
    answers = {sign.code: False for sign in asked} | content.pop("answers", {})
    return IntakeContent(**content, answers=answers)
