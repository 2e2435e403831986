"""One call of every verb, with what its audit row must say. A new verb gets its line here."""

import contextlib
import dataclasses
import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from io import BytesIO, StringIO
from typing import Any

from django.core.management import call_command
from django.db import models

from sanjeevani.calls.invitations import invite_third
from sanjeevani.calls.models import Mode, Seat
from sanjeevani.calls.phone import ask_phone_call
from sanjeevani.calls.services import CheckResult, send_message
from sanjeevani.consultation import colleagues, interruptions, transfers
from sanjeevani.consultation import papers as consultation_papers
from sanjeevani.consultation import presence as consultation_presence
from sanjeevani.consultation import services as consultation
from sanjeevani.consultation.letters import LetterContent
from sanjeevani.consultation.models import (
    Ask,
    AskStatus,
    Consultation,
    ConsultationStatus,
    NoteTemplate,
    Outcome,
    ToDoKind,
    Urgency,
)
from sanjeevani.consultation.note_templates import TemplateContent, keep_template
from sanjeevani.consultation.spokes import ask_hub
from sanjeevani.directory import bulk, hubs
from sanjeevani.directory.models import (
    Clinic,
    Facility,
    Holiday,
    HubLink,
    Line,
    LineKind,
    Post,
    Practitioner,
    Role,
)
from sanjeevani.directory.queries import HubChoice, clinic_serving, hub_lines_at, hubs_for
from sanjeevani.directory.services import (
    ClinicDetails,
    ClinicRules,
    FacilityDetails,
    PractitionerDetails,
)
from sanjeevani.directory.staff import NewPerson
from sanjeevani.directory.timetable import Opening
from sanjeevani.documents.links import linked, links_to, share
from sanjeevani.documents.models import ShareLink, UploadedFile
from sanjeevani.documents.uploads import store_upload
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.ids import uuid7
from sanjeevani.grievance.models import Grievance, HandlerTold
from sanjeevani.grievance.queries import Waiting
from sanjeevani.grievance.services import Complaint
from sanjeevani.identity import services as identity
from sanjeevani.identity.errors import ProofNeeded
from sanjeevani.identity.models import Account, OneTimeCode
from sanjeevani.identity.queries import sessions_of
from sanjeevani.intake import papers
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.visits import Visit
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.onboarding import services as onboarding
from sanjeevani.onboarding.checking import Checker
from sanjeevani.onboarding.models import ImportStatus, NetworkImport
from sanjeevani.patients.models import Consent, ConsentDecision, Institution, Patient
from sanjeevani.patients.queries import valid_consent
from sanjeevani.patients.services import Authority, InstitutionDetails, Profile, leave_care
from sanjeevani.patients.spokes import register_at_spoke, take_in
from sanjeevani.prescription import services as prescription
from sanjeevani.prescription.dispensing import Given
from sanjeevani.prescription.models import DraftItem, Handing, Prescription
from sanjeevani.prescription.queries import prescription_of
from sanjeevani.prescription.sharing import share_prescription
from sanjeevani.prescription.shorthand import ItemContent
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.models import Lease, Token
from sanjeevani.roster.leave import take_leave
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.planning import moment
from sanjeevani.roster.services import assign, change_duty, plan_week
from sanjeevani.roster.swaps import offer_shift
from sanjeevani.terminology.models import Medicine, Speciality
from tests.documents.samples import a_photo
from tests.factories import (
    ANDHRA_PRADESH,
    AccountFactory,
    ClinicFactory,
    ConsentFactory,
    FacilityFactory,
    GrievanceFactory,
    HubLinkFactory,
    InstitutionFactory,
    LineFactory,
    PatientFactory,
    PostFactory,
    PractitionerFactory,
    RepresentativeFactory,
    SpecialityFactory,
    StateFactory,
    doctor,
    on_duty,
    person,
    requested,
    serving_on,
    told,
    worker_at,
)
from tests.identity.helpers import sent_code

STAFF_PASSWORD = "a long enough passphrase"


@dataclass
class Call:
    """A call of a verb; `record` is the row that it concerns, or how to find it in the result."""

    actor: Actor
    record: models.Model | Callable[[Any], Any]
    patient_id: uuid.UUID | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


class World:
    """Rows that verbs need, made when asked for."""

    @cached_property
    def clinic(self) -> Clinic:
        """A clinic that is always open."""
        clinic: Clinic = ClinicFactory()
        return clinic

    @cached_property
    def patient(self) -> Patient:
        """A patient who has agreed to the notice."""
        patient: Patient = PatientFactory()
        ConsentFactory(patient=patient)
        return patient

    @cached_property
    def practitioner(self) -> Practitioner:
        """A doctor on duty in the clinic."""
        return on_duty(self.clinic)

    @cached_property
    def facility(self) -> Facility:
        """A hospital."""
        facility: Facility = FacilityFactory()
        return facility

    @property
    def guest(self) -> Actor:
        """The patient's account."""
        return person(self.patient.account_id, self.patient.state_id)

    @property
    def host(self) -> Actor:
        """The doctor's account."""
        return doctor(self.practitioner)

    def staff(self, role: Role) -> Actor:
        """An administrator, acting in a post at the hospital."""
        post = PostFactory(facility=self.facility, role=role)
        return Actor(
            ActorKind.STAFF,
            account_id=post.account_id,
            post_id=post.id,
            state_id=post.state_id,
            address="192.0.2.7",
        )

    @cached_property
    def waiting(self) -> Consultation:
        """A consultation whose token waits."""
        return requested(self.clinic, self.patient)

    @cached_property
    def called(self) -> Consultation:
        """A consultation whose patient is called."""
        _ = self.waiting
        return consultation.call_next(self.host, practitioner=self.practitioner)

    @cached_property
    def held(self) -> Consultation:
        """A consultation in progress."""
        return consultation.answer(
            self.guest, state_id=self.called.state_id, consultation_id=self.called.id
        )

    @cached_property
    def colleague(self) -> Practitioner:
        """A specialist on duty where the doctor of a consultation works."""
        return serving_on(LineFactory(facility=self.clinic.facility, kind=LineKind.HUB))

    def ask_in(self) -> dict[str, Any]:
        """The arguments of asking the specialist in."""
        [line] = hub_lines_at(self.clinic.state_id, self.clinic.facility_id)
        return self.at_the_desk(self.held, line_id=line.id, colleague_id=self.colleague.id)

    @cached_property
    def ask(self) -> Ask:
        """That the specialist is asked in."""
        _ = self.colleague
        return colleagues.ask_in(self.host, **self.ask_in())

    @cached_property
    def present(self) -> Ask:
        """That the specialist has come in."""
        return colleagues.come_in(
            doctor(self.colleague),
            colleague=self.colleague,
            state_id=self.ask.state_id,
            ask_id=self.ask.id,
        )

    @cached_property
    def noted(self) -> Consultation:
        """A consultation in progress with a note and a diagnosis."""
        consultation.write_note(
            self.host,
            practitioner=self.practitioner,
            state_id=self.held.state_id,
            consultation_id=self.held.id,
            content=consultation.NoteContent(advice="Rest"),
            diagnoses=[("J06.9", "Acute upper respiratory infection, unspecified")],
        )
        return self.held

    @cached_property
    def completed(self) -> Consultation:
        """A finished consultation."""
        return consultation.complete(
            self.host,
            practitioner=self.practitioner,
            state_id=self.noted.state_id,
            consultation_id=self.noted.id,
            outcome=Outcome.ADVICE,
        )

    @cached_property
    def prescribed(self) -> Consultation:
        """A consultation with a medicine in its draft."""
        call_command("load_reference", stdout=StringIO())
        prescription.add_item(
            self.host,
            practitioner=self.practitioner,
            state_id=self.noted.state_id,
            consultation_id=self.noted.id,
            item=a_medicine(),
        )
        return self.noted

    def at_the_desk(self, held: Consultation, **more: Any) -> dict[str, Any]:
        """The arguments of what a doctor does to a consultation."""
        return {
            "practitioner": self.practitioner,
            "state_id": held.state_id,
            "consultation_id": held.id,
            **more,
        }

    @cached_property
    def hub_link(self) -> HubLink:
        """That the hospital answers a spoke."""
        StateFactory()
        Facility.objects.filter(state_id=self.facility.state_id).update(is_hub=True)
        link: HubLink = HubLinkFactory(hub=self.facility)
        return link

    @cached_property
    def worker(self) -> Actor:
        """A health worker at the spoke, who sits beside the patient."""
        spoke = Facility.objects.get(state_id=self.hub_link.state_id, id=self.hub_link.spoke_id)
        worker = worker_at(spoke)
        take_in(worker, patient_id=self.patient.id)
        return worker

    @cached_property
    def hub_choice(self) -> HubChoice:
        """The hub's line that the spoke may ask."""
        LineFactory(facility=self.facility, kind=LineKind.HUB)
        [choice] = hubs_for(self.hub_link.state_id, self.hub_link.spoke_id)
        return choice

    @cached_property
    def account(self) -> Account:
        """An account of staff with a password."""
        return identity.create_staff_account(
            SYSTEM,
            login="asha.devi",
            display_name="Asha Devi",
            mobile="",
            language="en",
            password=STAFF_PASSWORD,
        )

    def sign_in(self) -> Any:
        """Open a session of the account; return it."""
        identity.sign_in_staff(SYSTEM, login=self.account.login, password=STAFF_PASSWORD)
        return sessions_of(self.account.id)[0]


def a_medicine() -> ItemContent:
    """A medicine that may be prescribed in any mode."""
    return ItemContent(
        medicine_code=Medicine.objects.get(
            ingredient_codes=["paracetamol"], form="tablet", strength="500 mg"
        ).code,
        dose=Decimal(1),
        frequency="TDS",
        duration_days=3,
    )


def of(held: Consultation) -> dict[str, Any]:
    """The key of a consultation, as arguments."""
    return {"state_id": held.state_id, "consultation_id": held.id}


def token_of(held: Consultation) -> Token:
    """A consultation's token."""
    return consultation.token_of(held)


def _key(token: Token) -> dict[str, Any]:
    return {"state_id": token.state_id, "token_id": token.id}


def _result(result: Any) -> Any:
    return result


PROFILE = Profile(
    relation="self",
    name="Lakshmi Devi",
    gender="female",
    birth_date=datetime.date(1990, 1, 1),
    birth_date_is_estimated=True,
    address="12 Temple Street",
    district="Guntur",
)
HOURS = [Opening(weekday=0, opens=datetime.time(9), closes=datetime.time(12))]
CALLS: dict[str, Callable[[World], Call]] = {}


def _signed(world: World) -> dict[str, Any]:
    """Sign what is drafted; return the key of the prescription."""
    signed = prescription.sign(world.host, **world.at_the_desk(world.prescribed))
    return {"state_id": signed.state_id, "prescription_id": signed.id}


def _less(world: World) -> str:
    """Change the draft; return why."""
    item = dataclasses.replace(a_medicine(), duration_days=2)
    prescription.add_item(world.host, **world.at_the_desk(world.prescribed, item=item))
    return "Two days are enough"


def call_of(name: str) -> Callable[[Callable[[World], Call]], Callable[[World], Call]]:
    """Enter a call for the verb `name`."""

    def enter(make: Callable[[World], Call]) -> Callable[[World], Call]:
        CALLS[name] = make
        return make

    return enter


def by_guest(world: World, held: Consultation, **more: Any) -> Call:
    """A call by the patient that concerns a consultation."""
    return Call(world.guest, held, held.patient_id, {**of(held), **more})


def at_desk(world: World, held: Consultation, **more: Any) -> Call:
    """A call by the doctor that concerns a consultation."""
    return Call(world.host, held, held.patient_id, world.at_the_desk(held, **more))


def by_colleague(world: World, ask: Ask, **more: Any) -> Call:
    """A call of the specialist that concerns an ask."""
    key = {"colleague": world.colleague, "state_id": ask.state_id, "ask_id": ask.id}
    return Call(doctor(world.colleague), ask, world.patient.id, {**key, **more})


def asked(world: World) -> Consultation:
    """A consultation into which a specialist is asked."""
    _ = world.ask
    return world.held


def overdue(world: World) -> Ask:
    """An ask that nobody has answered in time."""
    world.ask.answer_by = clock.now()
    Ask.objects.filter(state_id=world.ask.state_id, id=world.ask.id).update(
        answer_by=world.ask.answer_by
    )
    return world.ask


def on_token(world: World, held: Consultation, actor: Actor = SYSTEM, **more: Any) -> Call:
    """A call that concerns a consultation's token."""
    token = token_of(held)
    return Call(actor, token, token.subject_id, {**_key(token), **more})


def in_room(world: World, record: Any, **more: Any) -> Call:
    """A call of the patient that concerns a room, or what is in it."""
    room = world.waiting.room
    return Call(world.guest, record or room, None, {"state_id": room.state_id, **more})


def by_host(world: World, record: Any, **more: Any) -> Call:
    """A call of the doctor in the room of a consultation in progress."""
    held = world.held
    return Call(
        world.host, record, None, {"state_id": held.state_id, "room_id": held.room_id, **more}
    )


CALLS |= {
    "calls.open_room": lambda world: Call(
        world.guest,
        _result,
        arguments={
            "state_id": ANDHRA_PRADESH,
            "guest_account_id": world.patient.account_id,
            "mode": Mode.CHAT,
        },
    ),
    "calls.seat_host": lambda world: in_room(
        world, None, room_id=world.waiting.room_id, account_id=uuid7()
    ),
    "calls.send_message": lambda world: in_room(
        world, _result, room_id=world.waiting.room_id, text="Hello", client_key=uuid7()
    ),
    "calls.change_mode": lambda world: in_room(
        world, None, room_id=world.waiting.room_id, mode=Mode.AUDIO
    ),
    "calls.decline_mode": lambda world: in_room(world, None, room_id=world.waiting.room_id),
    "calls.note_mode": lambda world: Call(
        SYSTEM,
        world.waiting.room,
        arguments={
            "state_id": world.waiting.state_id,
            "room_id": world.waiting.room_id,
            "mode": Mode.AUDIO,
            "seat": Seat.HOST,
        },
    ),
    "calls.note_check": lambda world: in_room(
        world,
        None,
        room_id=world.waiting.room_id,
        result=CheckResult("works", "refused", "works", "low"),
    ),
    "calls.ring": lambda world: by_host(world, world.held.room),
    "calls.invite_third": lambda world: in_room(
        world, lambda _secret: ("invitation", None), room_id=world.waiting.room_id
    ),
    "calls.revoke_third": lambda world: in_room(world, None, room_id=world.waiting.room_id),
    "calls.seat_third": lambda world: by_host(
        world,
        lambda _nothing: ("invitation", None),
        account_id=uuid7(),
        name="Dr Rao",
        until=clock.now() + datetime.timedelta(hours=1),
    ),
    "calls.free_third": lambda world: by_host(world, world.held.room),
    "calls.join_third": lambda world: Call(
        Actor(ActorKind.ANONYMOUS),
        _result,
        arguments={
            "state_id": world.waiting.state_id,
            "secret": invite_third(
                world.guest, state_id=world.waiting.state_id, room_id=world.waiting.room_id
            ),
            "name": "Sita",
        },
    ),
    "calls.ask_phone_call": lambda world: by_host(world, _result, host_number="0863 2345678"),
    "calls.take_phone_call": lambda world: Call(
        SYSTEM,
        _result,
        arguments={
            "state_id": world.held.state_id,
            "phone_call_id": ask_phone_call(
                world.host,
                state_id=world.held.state_id,
                room_id=world.held.room_id,
                host_number="0863 2345678",
            ).id,
        },
    ),
    "calls.settle_phone_call": lambda world: Call(
        SYSTEM,
        _result,
        arguments={
            "state_id": world.held.state_id,
            "phone_call_id": ask_phone_call(
                world.host,
                state_id=world.held.state_id,
                room_id=world.held.room_id,
                host_number="0863 2345678",
            ).id,
            "failure": "",
        },
    ),
    "calls.leave_for_questions": lambda world: in_room(
        world, None, room_id=world.waiting.room_id, until=clock.now()
    ),
    "calls.tell_seats": lambda world: Call(
        SYSTEM,
        world.waiting.room,
        arguments={"state_id": world.waiting.state_id, "room_id": world.waiting.room_id},
    ),
    "calls.close_room": lambda world: in_room(world, None, room_id=world.waiting.room_id),
    "consultation.request": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "patient": world.patient,
            "clinic": clinic_serving(
                world.patient.state_id,
                clinic_state_id=world.clinic.state_id,
                clinic_id=world.clinic.id,
            ),
            "content": told(world.patient, text="Fever for three days"),
            "language": "en",
            "request_key": uuid7(),
        },
    ),
    "consultation.cancel": lambda world: by_guest(world, world.waiting),
    "consultation.call_next": lambda world: Call(
        world.host, world.waiting, world.patient.id, {"practitioner": world.practitioner}
    ),
    "consultation.answer": lambda world: by_guest(world, world.called),
    "consultation.not_answered": lambda world: Call(
        SYSTEM, missed(world), world.patient.id, _key(token_of(world.called))
    ),
    "consultation.hand_back": lambda world: at_desk(world, world.called, reason="Not my field"),
    "consultation.write_note": lambda world: at_desk(
        world, world.held, content=consultation.NoteContent(advice="Rest"), diagnoses=[]
    ),
    "consultation.complete": lambda world: at_desk(world, world.noted, outcome=Outcome.ADVICE),
    "consultation.give_feedback": lambda world: Call(
        world.guest, _result, world.patient.id, {**of(world.completed), "rating": 5, "comment": ""}
    ),
    "intake.save_draft": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {"patient": world.patient, "content": IntakeContent(text="Cough")},
    ),
    "consultation.tell_more": lambda world: by_guest(world, world.waiting, told={}),
    "intake.tell_more": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {**of(world.waiting), "patient_id": world.patient.id, "told": {}},
    ),
    "intake.freeze": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            **of(world.waiting),
            "patient": world.patient,
            "content": IntakeContent(text="Cough"),
        },
    ),
    "patients.choose_home": lambda world: on_account(world, home_state_id=29),
    "patients.register": lambda world: Call(
        world.guest,
        _result,
        None,
        {
            "state_id": ANDHRA_PRADESH,
            "account_id": world.patient.account_id,
            "profile": PROFILE,
        },
    ),
    "patients.change_profile": lambda world: Call(
        world.guest,
        world.patient,
        world.patient.id,
        {"state_id": world.patient.state_id, "patient_id": world.patient.id, "profile": PROFILE},
    ),
    "patients.decide_consent": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {"patient": world.patient, "decision": ConsentDecision.WITHDRAWN, "language": "en"},
    ),
    "patients.grant_access": lambda world: Call(
        world.host,
        lambda _nothing: ("accessgrant", None),
        world.patient.id,
        {
            "patient_state_id": world.patient.state_id,
            "patient_id": world.patient.id,
            "practitioner_id": world.practitioner.id,
            "consultation_state_id": world.waiting.state_id,
            "consultation_id": world.waiting.id,
        },
    ),
    "prescription.add_item": lambda world: at_desk(world, world.prescribed, item=a_medicine()),
    "prescription.remove_item": lambda world: at_desk(
        world,
        world.prescribed,
        item_id=DraftItem.objects.get(
            state_id=world.prescribed.state_id, consultation_id=world.prescribed.id
        ).id,
    ),
    "prescription.sign": lambda world: Call(
        world.host, _result, world.patient.id, world.at_the_desk(world.prescribed)
    ),
    "prescription.supersede": lambda world: Call(
        world.host,
        _result,
        world.prescribed.patient_id,
        {
            "practitioner": world.practitioner,
            **_signed(world),
            "reason": _less(world),
        },
    ),
    "prescription.cancel": lambda world: Call(
        world.host,
        lambda _nothing: ("prescription", None),
        world.prescribed.patient_id,
        {"practitioner": world.practitioner, **_signed(world), "reason": "Wrong patient"},
    ),
    "prescription.conclude": lambda world: at_desk(world, world.noted, outcome=Outcome.ADVICE),
    "queueing.issue_token": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "state_id": world.clinic.state_id,
            "line_id": world.clinic.line_id,
            "places": 10,
            "waiting_places": 10,
            "subject_id": world.patient.id,
            "consultation_id": uuid7(),
            "language": "en",
        },
    ),
    "queueing.take_lease": lambda world: Call(
        world.host, _result, arguments={"practitioner_id": world.practitioner.id}
    ),
    "queueing.free_lease": lambda world: Call(
        SYSTEM,
        Lease(practitioner_id=world.practitioner.id),
        arguments={"practitioner_id": world.practitioner.id},
    ),
    "queueing.claim_next": lambda world: Call(
        world.host,
        token_of(world.waiting),
        world.patient.id,
        {
            "server": consultation.server_of(world.practitioner),
            "lines": [(world.clinic.state_id, world.clinic.line_id)],
        },
    ),
    "queueing.answer": lambda world: on_token(world, world.called, world.guest),
    "queueing.not_answered": lambda world: on_token(world, missed(world)),
    "queueing.hand_back": lambda world: on_token(
        world, world.called, world.host, practitioner_id=world.practitioner.id
    ),
    "queueing.drop": lambda world: on_token(world, world.held),
    "queueing.keep_from": lambda world: Call(
        SYSTEM,
        token_of(world.waiting),
        world.patient.id,
        {
            "state_id": world.waiting.state_id,
            "token_ids": [world.waiting.token_id],
            "practitioner_ids": [uuid7()],
        },
    ),
    "queueing.finish": lambda world: on_token(world, world.held, world.host),
    "queueing.cancel": lambda world: on_token(world, world.waiting, world.guest),
    "roster.assign": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        world.practitioner,
        arguments={"practitioner": world.practitioner, "line": LineFactory()},
    ),
    "roster.unassign": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        world.practitioner,
        arguments={"practitioner": world.practitioner, "line": line_of(world.clinic)},
    ),
    "roster.plan_week": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        line_of(world.clinic),
        arguments={
            "practitioner_id": world.practitioner.id,
            "line": line_of(world.clinic),
            "shifts": HOURS,
        },
    ),
    "roster.ask_on_duty": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        off_duty(world),
        arguments={
            "practitioner": world.practitioner,
            "line": line_of(world.clinic),
            "clinic_name": "General OPD",
        },
    ),
    "roster.take_leave": lambda world: Call(
        world.host,
        lambda leave_id: ("leaveday", leave_id),
        arguments={"practitioner": world.practitioner, "first": clock.today(), "last": next_week()},
    ),
    "roster.cancel_leave": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        lambda _days: ("leaveday", None),
        arguments={
            "practitioner": world.practitioner,
            "leave_id": take_leave(
                world.host, practitioner=world.practitioner, first=clock.today(), last=next_week()
            ),
        },
    ),
    "roster.offer_shift": lambda world: Call(world.host, _result, arguments=a_shift(world)),
    "roster.accept_shift": lambda world: on_offer(world, "taker"),
    "roster.decline_shift": lambda world: on_offer(world, "taker"),
    "roster.withdraw_shift": lambda world: on_offer(world, "giver"),
    "queueing.set_places": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        line_of(world.clinic),
        arguments={
            "state_id": world.clinic.state_id,
            "line_id": world.clinic.line_id,
            "places_per_day": 80,
            "waiting_places": 20,
        },
    ),
    "roster.change_duty": lambda world: Call(
        world.host,
        _result,
        arguments={"practitioner": world.practitioner, "to": DutyStatus.BREAK},
    ),
    "roster.end_silent_duty": lambda world: Call(
        SYSTEM,
        _result,
        arguments={
            "practitioner_id": world.practitioner.id,
            "not_since": clock.now() + datetime.timedelta(minutes=1),
        },
    ),
}


def next_week() -> datetime.date:
    """The day a week from now."""
    return clock.today() + datetime.timedelta(days=7)


def a_shift(world: World) -> dict[str, Any]:
    """A shift of the doctor's next week, with a colleague to give it to."""
    giver, line = world.practitioner, line_of(world.clinic)
    day = next_week()
    shift = Opening(weekday=day.weekday(), opens=datetime.time(9), closes=datetime.time(13))
    plan_week(SYSTEM, practitioner_id=giver.id, line=line, shifts=[shift])
    return {
        "giver": giver,
        "line": line,
        "begins_at": moment(day, shift.opens),
        "taker": on_duty(world.clinic),
    }


def on_offer(world: World, who: str) -> Call:
    """An answer to the doctor's offer by who gives or takes."""
    arguments = a_shift(world)
    offer = offer_shift(world.host, **arguments)
    return Call(
        doctor(arguments[who]),
        offer,
        arguments={who: arguments[who], "state_id": offer.state_id, "offer_id": offer.id},
    )


def off_duty(world: World) -> Practitioner:
    """The doctor, gone off duty."""
    change_duty(world.host, practitioner=world.practitioner, to=DutyStatus.OFF)
    return world.practitioner


def missed(world: World) -> Consultation:
    """A called consultation whose deadline has passed."""
    held = world.called
    Token.objects.filter(state_id=held.state_id, id=held.token_id).update(
        deadline_at=clock.now() - datetime.timedelta(seconds=1)
    )
    return held


@call_of("directory.open_state")
def _(world: World) -> Call:
    state = StateFactory(lgd_code=29)
    return Call(world.staff(Role.NATIONAL_ADMIN), state, arguments={"state_id": state.lgd_code})


@call_of("directory.open_facility")
def _(world: World) -> Call:
    StateFactory(opened_at=clock.now())
    return Call(
        world.staff(Role.STATE_ADMIN),
        _result,
        arguments={
            "state_id": ANDHRA_PRADESH,
            "details": FacilityDetails(
                name="District Hospital, Guntur",
                kind="district_hospital",
                address="Hospital Road",
                district="Guntur",
            ),
        },
    )


@call_of("directory.close_facility")
def _(world: World) -> Call:
    closing = FacilityFactory()
    return Call(
        world.staff(Role.STATE_ADMIN),
        closing,
        arguments={"state_id": closing.state_id, "facility_id": closing.id},
    )


def general_medicine() -> None:
    """The speciality that directory entries name."""
    Speciality.objects.get_or_create(
        code="general_medicine",
        defaults={"names": {"en": "General medicine"}, "system": "allopathy", "position": 1},
    )


PADMA = PractitionerDetails(
    name="Dr Padma Reddy",
    gender="female",
    qualification="MBBS",
    council="Andhra Pradesh Medical Council",
    registration_number="APMC 1",
    speciality_code="general_medicine",
    languages=["te", "en"],
    address="Hospital Road, Guntur",
    contact="padma@example.org",
)


@call_of("directory.register_practitioner")
def _(world: World) -> Call:
    general_medicine()
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        _result,
        arguments={
            "state_id": ANDHRA_PRADESH,
            "account_id": uuid7(),
            "details": PADMA,
        },
    )


@call_of("directory.verify_practitioner")
def _(world: World) -> Call:
    practitioner = PractitionerFactory(verified_at=None)
    return Call(
        world.staff(Role.STATE_ADMIN),
        practitioner,
        arguments={"state_id": practitioner.state_id, "practitioner_id": practitioner.id},
    )


@call_of("directory.withdraw_verification")
@call_of("consultation.withdraw_verification")
def _(world: World) -> Call:
    practitioner = PractitionerFactory()
    return Call(
        world.staff(Role.STATE_ADMIN),
        practitioner,
        arguments={"state_id": practitioner.state_id, "practitioner_id": practitioner.id},
    )


@call_of("directory.give_post")
def _(world: World) -> Call:
    practitioner = PractitionerFactory()
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        _result,
        arguments={
            "state_id": world.facility.state_id,
            "facility_id": world.facility.id,
            "account_id": practitioner.account_id,
            "role": Role.DOCTOR,
            "practitioner_id": practitioner.id,
        },
    )


@call_of("directory.end_post")
def _(world: World) -> Call:
    post = PostFactory(facility=world.facility)
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        post,
        arguments={"state_id": post.state_id, "post_id": post.id},
    )


@call_of("directory.open_clinic")
def _(world: World) -> Call:
    general_medicine()
    return Call(
        world.staff(Role.STATE_ADMIN),
        _result,
        arguments={
            "state_id": world.facility.state_id,
            "facility_id": world.facility.id,
            "details": ClinicDetails(
                name="General OPD",
                speciality_code="general_medicine",
                languages=["te", "en"],
                places_per_day=100,
                waiting_places=40,
            ),
            "hours": HOURS,
        },
    )


def to_clinic(world: World, role: Role, **more: Any) -> Call:
    """A call by an administrator that concerns the clinic."""
    return Call(
        world.staff(role),
        world.clinic,
        arguments={"state_id": world.clinic.state_id, "clinic_id": world.clinic.id, **more},
    )


CALLS |= {
    "directory.set_hours": lambda world: to_clinic(world, Role.STATE_ADMIN, hours=HOURS),
    "directory.serve_states": lambda world: to_clinic(
        world, Role.STATE_ADMIN, state_ids=[StateFactory(lgd_code=33).lgd_code]
    ),
    "directory.close_clinic": lambda world: to_clinic(world, Role.STATE_ADMIN),
    "directory.change_clinic": lambda world: to_clinic(
        world,
        Role.STATE_ADMIN,
        rules=ClinicRules(
            name="Fever OPD",
            name_hi="",
            languages=["te"],
            time_limit_minutes=12,
            target_wait_minutes=20,
        ),
    ),
    "consultation.close_clinic": lambda world: to_clinic(world, Role.STATE_ADMIN),
}


def at_facility(world: World, record: Any, by: Role, **more: Any) -> Call:
    """A call by an administrator about the hospital."""
    return Call(
        world.staff(by),
        record,
        arguments={
            "state_id": world.facility.state_id,
            "facility_id": world.facility.id,
            **more,
        },
    )


def a_doctors_post(world: World) -> Post:
    """A doctor's post at the hospital."""
    post: Post = PostFactory(facility=world.facility)
    return post


RAVI = NewPerson(name="Ravi Kumar", mobile="+919876543210", language="en")
OFFICE = FacilityDetails(
    name="Directorate of Health Services",
    kind="directorate",
    address="Secretariat",
    district="Guntur",
)


@call_of("directory.appoint_state_admin")
def _(world: World) -> Call:
    StateFactory(opened_at=clock.now())
    return Call(
        world.staff(Role.NATIONAL_ADMIN),
        _result,
        arguments={"state_id": ANDHRA_PRADESH, "person": RAVI, "office": OFFICE},
    )


@call_of("directory.enrol_practitioner")
def _(world: World) -> Call:
    general_medicine()
    return Call(
        world.staff(Role.STATE_ADMIN),
        _result,
        arguments={"state_id": ANDHRA_PRADESH, "person": RAVI, "details": PADMA},
    )


@call_of("directory.change_practitioner")
def _(world: World) -> Call:
    general_medicine()
    practitioner = PractitionerFactory(verified_at=None)
    return Call(
        world.staff(Role.STATE_ADMIN),
        practitioner,
        arguments={
            "state_id": practitioner.state_id,
            "practitioner_id": practitioner.id,
            "details": PADMA,
        },
    )


@call_of("directory.invite_again")
def _(world: World) -> Call:
    post = a_doctors_post(world)
    return Call(
        world.staff(Role.STATE_ADMIN),
        lambda _account: ("account", post.account_id),
        arguments={"state_id": post.state_id, "post_id": post.id},
    )


@call_of("directory.close_account")
@call_of("directory.reopen_account")
def _(world: World) -> Call:
    post = a_doctors_post(world)
    return Call(
        world.staff(Role.STATE_ADMIN),
        lambda _account: ("account", post.account_id),
        arguments={"state_id": post.state_id, "post_id": post.id},
    )


@call_of("directory.remove_holiday")
def _(world: World) -> Call:
    holiday = Holiday.objects.create(
        state_id=world.facility.state_id,
        facility_id=world.facility.id,
        date=clock.today(),
        reason="Diwali",
    )
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        holiday,
        arguments={"state_id": holiday.state_id, "holiday_id": holiday.id},
    )


@call_of("consultation.end_post")
def _(world: World) -> Call:
    post = a_doctors_post(world)
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        post,
        arguments={"state_id": post.state_id, "post_id": post.id},
    )


CALLS |= {
    "directory.change_facility": lambda world: at_facility(
        world, world.facility, Role.STATE_ADMIN, details=replace(OFFICE, is_opd_host=True)
    ),
    "directory.appoint": lambda world: at_facility(
        world, _result, Role.STATE_ADMIN, role=Role.FACILITY_ADMIN, person=RAVI
    ),
    "directory.appoint_known": lambda world: at_facility(
        world, _result, Role.STATE_ADMIN, role=Role.OBSERVER, login=world.account.login
    ),
    "directory.add_holidays": lambda world: at_facility(
        world,
        world.facility,
        Role.FACILITY_ADMIN,
        first=clock.today(),
        last=clock.today(),
        reason="Diwali",
    ),
}


def a_hub(world: World) -> Facility:
    """A hub beside the hospital, which is a spoke."""
    StateFactory(opened_at=clock.now())
    StateFactory(lgd_code=0, iso_3166_2="IN")
    SpecialityFactory()
    hub: Facility = FacilityFactory(is_hub=True)
    Facility.objects.filter(state_id=world.facility.state_id, id=world.facility.id).update(
        is_spoke=True
    )
    return hub


def a_hub_link(world: World) -> HubLink:
    """The hospital's link to a hub."""
    hub = a_hub(world)
    return hubs.add_hub_link(SYSTEM, **linking(world, hub))


def linking(world: World, hub: Facility) -> dict[str, Any]:
    """The arguments of a link of the hospital to a hub."""
    return {
        "state_id": world.facility.state_id,
        "spoke_id": world.facility.id,
        "hub_state_id": hub.state_id,
        "hub_id": hub.id,
    }


@call_of("directory.add_hub_link")
def _(world: World) -> Call:
    hub = a_hub(world)
    return Call(world.staff(Role.STATE_ADMIN), _result, arguments=linking(world, hub))


@call_of("directory.order_hub_links")
def _(world: World) -> Call:
    link = a_hub_link(world)
    return at_facility_as_spoke(world, speciality_code="", link_ids=[link.id])


def at_facility_as_spoke(world: World, **more: Any) -> Call:
    """A call of the state's administrator that concerns the hospital as a spoke."""
    arguments = {"state_id": world.facility.state_id, "spoke_id": world.facility.id, **more}
    return Call(world.staff(Role.STATE_ADMIN), world.facility, arguments=arguments)


@call_of("directory.remove_hub_link")
def _(world: World) -> Call:
    link = a_hub_link(world)
    arguments = {"state_id": link.state_id, "link_id": link.id}
    return Call(world.staff(Role.STATE_ADMIN), link, arguments=arguments)


def hub_speciality(world: World) -> dict[str, Any]:
    """The arguments that open a speciality at a hub."""
    hub = a_hub(world)
    return {
        "state_id": hub.state_id,
        "facility_id": hub.id,
        "speciality_code": "general_medicine",
    }


@call_of("directory.open_hub_speciality")
def _(world: World) -> Call:
    return Call(world.staff(Role.STATE_ADMIN), _result, arguments=hub_speciality(world))


@call_of("directory.close_hub_speciality")
@call_of("consultation.close_hub_speciality")
def _(world: World) -> Call:
    line = hubs.open_hub_speciality(SYSTEM, **hub_speciality(world))
    arguments = {"state_id": line.state_id, "line_id": line.id}
    return Call(world.staff(Role.STATE_ADMIN), line, arguments=arguments)


def of_state(world: World, **arguments: Any) -> Call:
    """A call of the state's administrator that concerns the state."""
    a_hub(world)
    state = StateFactory()
    return Call(world.staff(Role.STATE_ADMIN), state, arguments=arguments)


CALLS |= {
    "directory.register_facilities": lambda world: of_state(world, facilities=[A_CENTRE]),
    "directory.link_hubs": lambda world: of_state(
        world,
        links=[
            bulk.NewLink(id=uuid7(), speciality_code="", position=1, **linking(world, a_hub(world)))
        ],
    ),
    "directory.enrol_staff": lambda world: of_state(
        world, accounts=[SUNITA], practitioners=[], posts=[a_health_workers_post(world)]
    ),
    "directory.withdraw": lambda world: of_state(
        world, state_id=ANDHRA_PRADESH, records={"facility": [(ANDHRA_PRADESH, uuid7())]}
    ),
    "identity.create_staff_accounts": lambda _world: Call(
        SYSTEM, lambda _nothing: ("account", SUNITA.id), arguments={"accounts": [SUNITA]}
    ),
    "identity.withdraw_accounts": lambda world: Call(
        SYSTEM,
        lambda _nothing: ("account", None),
        arguments={"account_ids": [AccountFactory(kind="staff", password="").id]},
    ),
}

A_CENTRE: bulk.NewFacility = bulk.NewFacility(
    state_id=ANDHRA_PRADESH,
    id=uuid7(),
    code="HWC-1",
    details=FacilityDetails(
        name="Health and Wellness Centre 1",
        kind="sub_centre",
        address="Main Road",
        district="Guntur",
        is_spoke=True,
    ),
)
SUNITA: identity.NewAccount = identity.NewAccount(
    id=uuid7(),
    login="sunita.devi",
    display_name="Sunita Devi",
    mobile="+919876543211",
    language="en",
    home_state_id=ANDHRA_PRADESH,
)


def a_health_workers_post(world: World) -> bulk.NewPost:
    """Sunita's post at the hospital."""
    return bulk.NewPost(
        state_id=world.facility.state_id,
        id=uuid7(),
        account_id=SUNITA.id,
        facility_id=world.facility.id,
        role=Role.HEALTH_WORKER,
    )


A_TABLE = b"code,name,kind,district,address,spoke\nHWC9,Centre Nine,sub_centre,Guntur,Village,yes\n"


def an_import(world: World, status: str = "checking") -> NetworkImport:
    """An import of one centre."""
    a_hub(world)
    files = [onboarding.GivenFile("facilities.csv", BytesIO(A_TABLE))]
    started = onboarding.start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=files)
    NetworkImport.objects.filter(state_id=started.state_id, id=started.id).update(status=status)
    started.refresh_from_db()
    return started


def on_import(world: World, status: str, **more: Any) -> Call:
    """A call of the state's administrator that concerns an import."""
    started = an_import(world, status)
    key: dict[str, Any] = {"state_id": started.state_id, "import_id": started.id}
    return Call(world.staff(Role.STATE_ADMIN), started, arguments=more or key)


def on_stopped_import(world: World) -> Call:
    """A call of the state's administrator about an import that stopped while it was checked."""
    started = an_import(world, "stopped")
    key = {"state_id": started.state_id, "id": started.id}
    NetworkImport.objects.filter(**key).update(goes_on_as="checking")
    arguments = {"state_id": started.state_id, "import_id": started.id}
    return Call(world.staff(Role.STATE_ADMIN), started, arguments=arguments)


def running_import(world: World, status: str, **more: Any) -> Call:
    """A call in the background that concerns an import."""
    started = an_import(world, status)
    return Call(world.staff(Role.STATE_ADMIN), started, arguments={"running": started, **more})


CALLS |= {
    "onboarding.begin": lambda world: on_import(world, "checked"),
    "onboarding.drop": lambda world: on_import(world, "checked"),
    "onboarding.ask_undo": lambda world: on_import(world, "done"),
    "onboarding.ask_invitations": lambda world: on_import(world, "done"),
    "onboarding.resume": lambda world: on_stopped_import(world),
    "onboarding.take_batch": lambda world: running_import(
        world,
        "importing",
        checker=Checker(ANDHRA_PRADESH, stores=True),
        sheet=0,
        rows=[],
        misread=[],
        last_line=2,
    ),
    "onboarding.finish": lambda world: running_import(world, "importing"),
    "onboarding.give_up": lambda world: running_import(
        world, "checking", to=ImportStatus.REFUSED, code="empty_file", params={}
    ),
    "onboarding.undo": lambda world: running_import(world, "undoing"),
    "onboarding.invite_next": lambda world: running_import(world, "done"),
}


@call_of("onboarding.start_import")
def of_import_start(world: World) -> Call:
    """Start an import of one centre."""
    a_hub(world)
    files = [onboarding.GivenFile("facilities.csv", BytesIO(A_TABLE))]
    arguments = {"state_id": ANDHRA_PRADESH, "files": files}
    return Call(world.staff(Role.STATE_ADMIN), _result, arguments=arguments)


@call_of("documents.store_upload")
def _(world: World) -> Call:
    return Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "state_id": world.patient.state_id,
            "patient_id": world.patient.id,
            "file": a_photo(),
            "name": "report.png",
        },
    )


@call_of("documents.remove_upload")
def _(world: World) -> Call:
    stored = CALLS["documents.store_upload"](world)
    upload = store_upload(stored.actor, **stored.arguments)
    return Call(
        world.guest,
        upload,
        world.patient.id,
        {"state_id": upload.state_id, "upload_id": upload.id},
    )


def a_link(world: World) -> str:
    """A link to something of the patient's."""
    _link, token = share(
        SYSTEM,
        record_type="prescription",
        state_id=ANDHRA_PRADESH,
        record_id=uuid7(),
        patient_id=world.patient.id,
    )
    return token


def a_live_link(world: World) -> dict[str, Any]:
    """A link, as it is named to end it."""
    token = a_link(world)
    record = linked(token)
    key: dict[str, Any] = {
        "record_type": record.record_type,
        "state_id": record.state_id,
        "record_id": record.record_id,
    }
    return {**key, "link_id": links_to(**key)[0].id}


CALLS |= {
    "documents.share": lambda world: Call(
        world.guest,
        lambda _token: ("sharelink", None),
        world.patient.id,
        {
            "record_type": "prescription",
            "state_id": ANDHRA_PRADESH,
            "record_id": uuid7(),
            "patient_id": world.patient.id,
        },
    ),
    "documents.open_link": lambda world: Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        lambda _record: ("sharelink", None),
        world.patient.id,
        {"token": a_link(world), "is_right": lambda _record: True},
    ),
    "documents.withdraw_link": lambda world: Call(
        world.guest,
        lambda _nothing: ("sharelink", None),
        world.patient.id,
        a_live_link(world),
    ),
}


def on_account(world: World, **more: Any) -> Call:
    """A call that concerns an account of staff."""
    return Call(
        Actor(ActorKind.STAFF, account_id=world.account.id),
        world.account,
        arguments={"account_id": world.account.id, **more},
    )


def an_invitation(world: World) -> str:
    """The token of an invitation that was sent to the account."""
    identity.invite(SYSTEM, account_id=world.account.id, mobile="+919876543210")
    text = OutgoingMessage.objects.get(purpose="staff_invitation").text
    return text.split("/staff/welcome/")[1].split()[0]


def a_code_to_prove() -> uuid.UUID:
    """The challenge of a right code whose mobile may have changed hands."""
    challenge = identity.request_code(SYSTEM, mobile="+919876543210", language="en")
    identity.account_of_patient(
        SYSTEM, mobile="+919876543210", language="en", home_state_id=ANDHRA_PRADESH, key=uuid7()
    )
    code = OutgoingMessage.objects.get().text.split()[0]
    with contextlib.suppress(ProofNeeded):
        identity.verify_code(SYSTEM, challenge=challenge, code=code, language="en")
    return challenge


@call_of("identity.enter_proven")
def _(world: World) -> Call:
    return Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        lambda _signed_in: ("session", None),
        arguments={"challenge": a_code_to_prove()},
    )


@call_of("identity.begin_anew")
def _(world: World) -> Call:
    return Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        lambda _signed_in: ("session", None),
        arguments={"challenge": a_code_to_prove(), "language": "en"},
    )


@call_of("identity.verify_code")
def _(world: World) -> Call:
    challenge = identity.request_code(SYSTEM, mobile="+919876543210", language="en")
    text = OutgoingMessage.objects.get().text
    return Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        lambda _signed_in: ("session", None),
        arguments={
            "challenge": challenge,
            "code": text.split()[0],
            "language": "en",
            "device": "",
            "replaces": None,
        },
    )


@call_of("identity.choose_post")
def _(world: World) -> Call:
    post = PostFactory(facility=world.facility)
    session = world.sign_in()
    return Call(
        Actor(ActorKind.STAFF, account_id=world.account.id),
        lambda _nothing: ("session", session.id),
        arguments={"session": session, "post_state_id": post.state_id, "post_id": post.id},
    )


@call_of("identity.sign_out")
def _(world: World) -> Call:
    session = world.sign_in()
    return Call(
        Actor(ActorKind.STAFF, account_id=world.account.id),
        lambda _nothing: ("session", session.id),
        arguments={"account_id": world.account.id, "session_id": session.id},
    )


CALLS |= {
    "identity.request_code": lambda _world: Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        lambda challenge: OneTimeCode(id=challenge),
        arguments={"mobile": "+919876543210", "language": "en"},
    ),
    "identity.sign_in_staff": lambda world: Call(
        Actor(ActorKind.ANONYMOUS),
        lambda _signed_in: ("session", None),
        arguments={"account": world.account, "device": "", "replaces": None},
    ),
    "identity.refuse_staff": on_account,
    "patients.refuse_proof": on_account,
    "identity.sign_out_everywhere": on_account,
    "identity.deactivate_account": on_account,
    "identity.reactivate_account": on_account,
    "identity.set_language": lambda world: on_account(world, language="hi"),
    "identity.set_home_state": lambda world: on_account(world, home_state_id=29),
    "identity.invite": lambda world: on_account(world, mobile="+919876543210"),
    "identity.accept_invitation": lambda world: Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        world.account,
        arguments={"token": an_invitation(world), "password": "another good passphrase"},
    ),
    "identity.sign_out_of_post": lambda world: on_account(
        world, post_state_id=ANDHRA_PRADESH, post_id=uuid7()
    ),
    "identity.set_password": lambda world: on_account(world, password="another good passphrase"),
    "identity.create_staff_account": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        _result,
        arguments={
            "login": "ravi.kumar",
            "display_name": "Ravi Kumar",
            "mobile": "",
            "language": "en",
        },
    ),
}


def line_of(clinic: Clinic) -> Line:
    """The line of a clinic."""
    return Line.objects.get(state_id=clinic.state_id, id=clinic.line_id)


def offered(world: World, clinic: Clinic) -> Any:
    """A clinic as a patient is offered it."""
    return clinic_serving(
        world.patient.state_id, clinic_state_id=clinic.state_id, clinic_id=clinic.id
    )


def opened_for(world: World) -> dict[str, Any]:
    """The arguments of opening a consultation for a token."""
    token = queueing.issue_token(
        world.guest,
        state_id=world.clinic.state_id,
        line_id=world.clinic.line_id,
        places=10,
        waiting_places=10,
        subject_id=world.patient.id,
        consultation_id=uuid7(),
        language="en",
    )
    return {
        "token": token,
        "subject": consultation.Subject.of_patient(
            world.patient, world.guest, language="en", consent=agreed(world.patient)
        ),
        "request_key": uuid7(),
    }


def agreed(patient: Patient) -> Consent:
    """What a patient has agreed to."""
    consent = valid_consent(patient)
    assert consent
    return consent


def left_alone(world: World) -> Consultation:
    """Who waits, and a doctor in another OPD of the kind."""
    on_duty(ClinicFactory())
    return world.waiting


def interrupted(world: World) -> Consultation:
    """A consultation that was interrupted."""
    interruptions.interrupt(SYSTEM, **of(world.held))
    return consultation.get(**of(world.held))


def lost(world: World) -> Consultation:
    """A consultation whose patient did not come back within the grace."""
    case = interrupted(world)
    past = clock.now() - datetime.timedelta(seconds=1)
    queueing.set_grace(SYSTEM, **_key(token_of(case)), until=past)
    return case


def returned(world: World) -> Consultation:
    """A request that was sent back for more information."""
    transfers.return_to_patient(
        world.host, **world.at_the_desk(world.called, reason="Where does it hurt?")
    )
    return consultation.get(**of(world.called))


def in_lane(world: World) -> Token:
    """The token of a follow-up in its doctor's lane."""
    earlier = world.completed
    return token_of(
        transfers.request_follow_up(
            world.guest,
            patient=world.patient,
            clinic=offered(world, world.clinic),
            earlier=earlier,
            content=told(world.patient, text="Better, not well"),
            language="en",
            request_key=uuid7(),
        )
    )


CALLS |= {
    "consultation.open": lambda world: Call(
        world.guest, _result, world.patient.id, opened_for(world)
    ),
    "consultation.end": lambda world: Call(
        SYSTEM,
        world.waiting,
        world.patient.id,
        {"consultation": world.waiting, "status": ConsultationStatus.ABANDONED},
    ),
    "consultation.free_of_practitioner": lambda world: Call(
        SYSTEM, world.called, world.patient.id, {"consultation": world.called}
    ),
    "consultation.ask_in": lambda world: Call(
        world.host, _result, world.patient.id, (world.colleague, world.ask_in())[1]
    ),
    "consultation.take_ask_back": lambda world: Call(
        world.host, world.ask, world.patient.id, world.at_the_desk(world.held)
    ),
    "consultation.object_to_ask": lambda world: Call(
        world.guest, world.ask, world.patient.id, of(world.held)
    ),
    "consultation.end_asks": lambda world: Call(
        SYSTEM, asked(world), world.patient.id, {"consultation": world.held}
    ),
    "consultation.settle_ask": lambda world: Call(
        SYSTEM, world.ask, world.patient.id, {"ask": world.ask, "to": AskStatus.LAPSED}
    ),
    "consultation.come_in": lambda world: by_colleague(world, world.ask),
    "consultation.come_later": lambda world: by_colleague(world, world.ask, minutes=10),
    "consultation.decline_ask": lambda world: by_colleague(world, world.ask, word="In theatre"),
    "consultation.leave_ask": lambda world: by_colleague(world, world.present),
    "consultation.advise": lambda world: by_colleague(world, world.present, advice="Take an ECG"),
    "consultation.lapse_ask": lambda world: Call(
        SYSTEM,
        overdue(world),
        world.patient.id,
        {"state_id": world.ask.state_id, "ask_id": world.ask.id},
    ),
    "consultation.redirect": lambda world: Call(
        world.host,
        _result,
        world.patient.id,
        world.at_the_desk(
            world.held, clinic=offered(world, ClinicFactory()), reason="Another speciality"
        ),
    ),
    "consultation.return_to_patient": lambda world: at_desk(
        world, world.called, reason="Where does it hurt?"
    ),
    "consultation.ask_again": lambda world: by_guest(
        world,
        returned(world),
        patient=world.patient,
        content=told(world.patient, text="In the left knee"),
    ),
    "consultation.request_follow_up": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "patient": world.patient,
            "clinic": offered(world, world.clinic),
            "earlier": world.completed,
            "content": told(world.patient, text="Better, not well"),
            "language": "en",
            "request_key": uuid7(),
        },
    ),
    "consultation.to_pool": lambda world: Call(
        SYSTEM, _result, world.patient.id, _key(in_lane(world))
    ),
    "consultation.send_home": lambda world: Call(
        SYSTEM, world.waiting, world.patient.id, _key(token_of(world.waiting))
    ),
    "consultation.move_on": lambda world: Call(
        SYSTEM, _result, world.patient.id, _key(token_of(left_alone(world)))
    ),
    "consultation.confirm_consent": lambda world: at_desk(world, asked_hub(world)),
    "consultation.call_again": lambda world: at_desk(world, interrupted(world)),
    "consultation.phone_patient": lambda world: at_desk(world, world.held),
    "consultation.report_conduct": lambda world: Call(
        world.guest, _result, world.patient.id, of(world.held)
    ),
    "consultation.interrupt": lambda world: by_guest(world, world.held),
    "consultation.resume": lambda world: by_guest(world, interrupted(world)),
    "consultation.dropped": lambda world: Call(
        SYSTEM, world.held, world.patient.id, _key(token_of(lost(world)))
    ),
    "consultation.not_reachable": lambda world: at_desk(world, interrupted(world)),
    "consultation.ring_again": lambda world: at_desk(world, world.called),
    "directory.open_lane": lambda world: Call(
        world.guest,
        _result,
        arguments={
            "parent": line_of(world.clinic),
            "practitioner_id": world.practitioner.id,
            "places": 5,
        },
    ),
    "intake.copy": lambda world: Call(
        world.host,
        lambda _nothing: ("intake", None),
        world.patient.id,
        {
            "source": (world.waiting.state_id, world.waiting.id),
            "target": (world.waiting.state_id, uuid7()),
            "patient_state_id": world.patient.state_id,
            "patient_id": world.patient.id,
        },
    ),
    "notifications.notify": lambda world: Call(
        SYSTEM, world.waiting, world.patient.id, {**of(world.waiting), "purpose": "completed"}
    ),
    "queueing.issue_if_place": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "line": line_of(world.clinic),
            "subject_id": world.patient.id,
            "consultation_id": uuid7(),
            "language": "en",
        },
    ),
    "queueing.free_place": lambda world: on_token(world, world.waiting),
    "queueing.leave_for_another_line": lambda world: on_token(world, world.waiting, waiting=True),
    "queueing.close_for_today": lambda world: on_token(world, world.waiting),
    "queueing.ring_again": lambda world: on_token(world, world.called, world.host),
    "queueing.set_grace": lambda world: on_token(world, world.held, until=clock.now()),
    "queueing.tell_near": lambda world: Call(
        SYSTEM,
        line_of(world.clinic),
        arguments={"state_id": world.clinic.state_id, "line_id": world.clinic.line_id},
    ),
    "queueing.note_unattended": lambda world: Call(
        SYSTEM,
        line_of(world.clinic),
        arguments={
            "state_id": world.clinic.state_id,
            "line_id": world.clinic.line_id,
            "since": clock.now(),
        },
    ),
    "roster.serve_lane": lambda world: Call(
        world.guest,
        line_of(world.clinic),
        arguments={
            "practitioner_id": world.practitioner.id,
            "practitioner_state_id": world.practitioner.state_id,
            "lane": line_of(world.clinic),
        },
    ),
}


def complaint(world: World, **more: Any) -> Grievance:
    """A grievance about the hospital, from its clinic's patient."""
    grievance: Grievance = GrievanceFactory.create(facility_id=world.facility.id, **more)
    return grievance


def by_handler(world: World, **more: Any) -> Call:
    """A call by the hospital's administrator that concerns a grievance."""
    about = complaint(world)
    return Call(
        world.staff(Role.FACILITY_ADMIN),
        about,
        arguments={"state_id": about.state_id, "grievance_id": about.id, **more},
    )


def by_author(world: World, **more: Any) -> Call:
    """A call by whoever knows the number of an answered grievance."""
    about = complaint(world, status="answered", answered_at=clock.now())
    return Call(
        Actor(ActorKind.ANONYMOUS, address="192.0.2.7"),
        about,
        arguments={"number": about.number, **more},
    )


CALLS |= {
    "grievance.submit": lambda world: Call(
        world.guest,
        _result,
        world.patient.id,
        {
            "complaint": Complaint(kind="waiting", text="Two hours", language="en"),
            "consultation": (world.waiting.state_id, world.waiting.id),
        },
    ),
    "grievance.report_conduct": lambda world: Call(
        world.guest, _result, world.patient.id, of(world.held) | {"language": "en"}
    ),
    "grievance.take_up": by_handler,
    "grievance.answer": lambda world: by_handler(world, text="We are sorry."),
    "grievance.close": by_author,
    "grievance.reopen": lambda world: by_author(world, reason="It happened again"),
    "grievance.note_told": lambda world: Call(
        SYSTEM,
        lambda _done: HandlerTold.objects.get(),
        arguments={"account_id": world.staff(Role.STATE_ADMIN).account_id},
    ),
    "notifications.tell_handler": lambda world: Call(
        SYSTEM,
        account := Account.objects.get(id=str(world.staff(Role.STATE_ADMIN).account_id)),
        arguments={"account": account, "waiting": Waiting(1, 1, 0, 0)},
    ),
    "consultation.put_follow_up_away": lambda world: by_family(
        world, world.completed, world.patient.id, **of(world.completed)
    ),
    "notifications.recall": lambda world: Call(
        SYSTEM, world.completed, world.patient.id, of(world.completed)
    ),
    "notifications.tell_asker": lambda world: Call(
        SYSTEM,
        world.completed,
        world.patient.id,
        {
            "state_id": world.completed.state_id,
            "room_id": world.completed.room_id,
            "message_id": send_message(
                world.host,
                state_id=world.completed.state_id,
                room_id=world.completed.room_id,
                text="Yes",
                client_key=uuid7(),
            ).id,
        },
    ),
    "notifications.tell_answered": lambda world: Call(
        SYSTEM,
        about := complaint(world),
        arguments={"state_id": about.state_id, "grievance_id": about.id},
    ),
}


def by_family(
    world: World, record: Any, concerned: uuid.UUID | None = None, /, **more: Any
) -> Call:
    """A call by the holder of the patient's account."""
    return Call(world.guest, record, concerned, more)


def another(world: World, **more: Any) -> Patient:
    """Somebody else under the same account."""
    patient: Patient = PatientFactory(
        state_id=world.patient.state_id, account_id=world.patient.account_id, **more
    )
    return patient


def home_of(world: World) -> Institution:
    """The institution of the patient's account."""
    home: Institution = InstitutionFactory(
        state_id=world.patient.state_id, account_id=world.patient.account_id
    )
    return home


HOME = InstitutionDetails(
    name="Shanti Niketan",
    kind="old_age_home",
    address="Canal Road",
    district="Guntur",
    area="rural",
    responsible_name="Sister Teresa",
    responsible_role="Warden",
)
SAVITA = Authority(
    name="Savita Kumari", bond="relative", mobile="", may_collect=True, may_speak=False
)


def draft_paper(world: World) -> UploadedFile:
    """A photo in the patient's draft."""
    return papers.add_draft_paper(
        world.guest, patient=world.patient, file=a_photo(), name="rash.jpg"
    )


def paper_of(world: World) -> UploadedFile:
    """A photo with a consultation that waits."""
    return consultation_papers.add_paper(
        world.guest, **of(world.waiting), file=a_photo(), name="rash.jpg"
    )


def a_file(world: World) -> dict[str, Any]:
    """A file with its name."""
    return {"file": a_photo(), "name": "rash.jpg"}


CALLS |= {
    "patients.register_residents": lambda world: by_family(
        world,
        home_of(world),
        state_id=world.patient.state_id,
        account_id=world.patient.account_id,
        profiles=[(replace(PROFILE, relation="resident"), False)],
        key=uuid7(),
    ),
    "patients.register_institution": lambda world: by_family(
        world,
        _result,
        state_id=world.patient.state_id,
        account_id=world.patient.account_id,
        details=HOME,
    ),
    "patients.change_institution": lambda world: by_family(
        world, home_of(world), state_id=world.patient.state_id, details=HOME
    ),
    "patients.leave_care": lambda world: by_family(
        world, world.patient, world.patient.id, patient_id=world.patient.id
    ),
    "patients.take_back": lambda world: by_family(
        world, who_left(world), world.patient.id, patient_id=world.patient.id
    ),
    "patients.join": lambda world: by_family(
        world,
        world.patient,
        world.patient.id,
        patient_id=world.patient.id,
        kept_id=another(world).id,
    ),
    "patients.name_representative": lambda world: by_family(
        world, _result, world.patient.id, patient=world.patient, authority=SAVITA
    ),
    "patients.revoke_representative": lambda world: by_family(
        world,
        named := RepresentativeFactory(patient=world.patient),
        world.patient.id,
        patient=world.patient,
        representative_id=named.id,
    ),
    "consultation.withdraw_consent": lambda world: by_family(
        world, _result, world.waiting.patient_id, patient=world.patient, language="en"
    ),
    "intake.add_draft_paper": lambda world: by_family(
        world, _result, world.patient.id, patient=world.patient, **a_file(world)
    ),
    "intake.remove_draft_paper": lambda world: by_family(
        world,
        paper := draft_paper(world),
        world.patient.id,
        patient=world.patient,
        upload_id=paper.id,
    ),
    "intake.add_paper": lambda world: by_family(
        world,
        _result,
        world.patient.id,
        place=papers.Place.draft_of(world.patient),
        **a_file(world),
    ),
    "intake.remove_paper": lambda world: by_family(
        world,
        paper := draft_paper(world),
        world.patient.id,
        place=papers.Place.draft_of(world.patient),
        upload_id=paper.id,
    ),
    "consultation.add_paper": lambda world: by_family(
        world, _result, world.patient.id, **of(world.waiting), **a_file(world)
    ),
    "consultation.show_paper": lambda world: Call(
        world.host,
        _result,
        world.patient.id,
        world.at_the_desk(world.held, **a_file(world)),
    ),
    "consultation.remove_paper": lambda world: by_family(
        world,
        paper := paper_of(world),
        world.patient.id,
        **of(world.waiting),
        upload_id=paper.id,
    ),
}


def who_left(world: World) -> Patient:
    """The patient, no longer in care."""
    leave_care(world.guest, patient_id=world.patient.id)
    return world.patient


def kept_template(world: World) -> NoteTemplate:
    """A template of the doctor's."""
    return keep_template(
        world.host,
        practitioner=world.practitioner,
        content=TemplateContent("uri", advice="Drink enough"),
    )


CALLS |= {
    "consultation.write_letter": lambda world: Call(
        world.host,
        _result,
        world.patient.id,
        {
            "practitioner": world.practitioner,
            "consultation": world.held,
            "content": LetterContent("District Hospital", Urgency.ROUTINE, "X-ray"),
        },
    ),
    "consultation.keep_template": lambda world: Call(
        world.host,
        _result,
        arguments={
            "practitioner": world.practitioner,
            "content": TemplateContent("uri", advice="Drink enough"),
        },
    ),
    "consultation.delete_template": lambda world: Call(
        world.host,
        template := kept_template(world),
        arguments={"practitioner": world.practitioner, "template_id": template.id},
    ),
}


CALLS |= {
    "identity.account_of_patient": lambda world: Call(
        SYSTEM,
        _result,
        arguments={
            "mobile": "+919848012345",
            "language": "en",
            "home_state_id": ANDHRA_PRADESH,
            "key": uuid7(),
        },
    ),
    "patients.take_in": lambda world: Call(
        world.worker, world.patient, arguments={"patient_id": world.patient.id}
    ),
    "patients.register_at_spoke": lambda world: Call(
        world.worker, _result, arguments={"profile": PROFILE, "language": "en", "key": uuid7()}
    ),
    "intake.enter_visit": lambda world: Call(
        world.worker,
        lambda patient: ("enteredvisit", None),
        world.patient.id,
        {
            "patient_id": world.patient.id,
            "visit": Visit(uuid7(), clock.now(), PROFILE, IntakeContent(text="Cough")),
            "language": "en",
        },
    ),
    "consultation.ask_hub": lambda world: Call(
        world.worker,
        _result,
        world.patient.id,
        {
            "patient": world.patient,
            "choice": world.hub_choice,
            "content": told(
                world.patient,
                complaints=["fever"],
                text="High every evening",
                duration_days=3,
                vitals={"body_temperature": 38.5},
            ),
            "language": "en",
            "request_key": uuid7(),
        },
    ),
}


def asked_hub(world: World) -> Consultation:
    """A consultation in progress that a spoke has asked for."""
    asked = CALLS["consultation.ask_hub"](world)
    opened = ask_hub(asked.actor, **asked.arguments)
    consultation_presence.show_by_photo(world.worker, **of(opened), file=a_photo())
    assign(SYSTEM, practitioner=world.practitioner, line=world.hub_choice.line)
    consultation.call_next(world.host, practitioner=world.practitioner)
    return consultation.answer(world.worker, **of(opened))


def next_tier(world: World) -> HubChoice:
    """Another hub's line that the spoke may ask."""
    LineFactory(facility=world.facility, kind=LineKind.HUB, speciality_code="cardiology")
    return next(
        choice
        for choice in hubs_for(world.hub_link.state_id, world.hub_link.spoke_id)
        if choice.line.speciality_code == "cardiology"
    )


def sent_up(world: World) -> dict[str, Any]:
    """A consultation with something written, and where it goes on."""
    held = asked_hub(world)
    consultation.write_note(
        world.host,
        **world.at_the_desk(held, content=consultation.NoteContent(advice="Rest"), diagnoses=[]),
    )
    return world.at_the_desk(held, choice=next_tier(world), reason="Murmur")


def handed(world: World) -> dict[str, Any]:
    """A prescription that stands on the list of a spoke, and what is handed out."""
    call_command("load_reference", stdout=StringIO())
    held = asked_hub(world)
    desk = world.at_the_desk(held)
    consultation.write_note(
        world.host,
        **desk,
        content=consultation.NoteContent(),
        diagnoses=[("J06.9", "Acute upper respiratory infection, unspecified")],
    )
    prescription.add_item(world.host, **desk, item=a_medicine())
    signed = prescription.sign(world.host, **desk)
    code = signed.content["medicines"][0]["code"]
    return {
        "state_id": signed.state_id,
        "prescription_id": signed.id,
        "handed": {code: Given(Handing.NONE)},
    }


CALLS |= {
    "consultation.redirect_to_hub": lambda world: Call(
        world.host, _result, world.patient.id, sent_up(world)
    ),
    "consultation.refer_up": lambda world: Call(
        world.host, _result, world.patient.id, sent_up(world)
    ),
    "prescription.refer_up": lambda world: Call(
        world.host, _result, world.patient.id, sent_up(world)
    ),
    "prescription.dispense": lambda world: Call(
        world.worker, _result, world.patient.id, handed(world)
    ),
    "prescription.look_up": lambda world: Call(
        world.worker,
        lambda shown: shown.prescription,
        world.patient.id,
        {"number": prescription_of(28, handed(world)["prescription_id"]).number},
    ),
}


@call_of("prescription.say_stock")
def _(world: World) -> Call:
    call_command("load_reference", stdout=StringIO())
    spoke = Facility.objects.get(state_id=world.worker.state_id, id=world.hub_link.spoke_id)
    medicine = a_medicine().medicine_code
    return Call(world.worker, spoke, arguments={"medicine_code": medicine, "in_stock": False})


def signed_for(world: World) -> Prescription:
    """A prescription of the patient's."""
    return prescription.sign(world.host, **world.at_the_desk(world.prescribed))


CALLS |= {
    "prescription.share": lambda world: by_family(
        world,
        lambda _token: ("sharelink", None),
        world.patient.id,
        prescription=signed_for(world),
        made_for="My son",
    ),
    "prescription.end_link": lambda world: by_family(
        world,
        lambda _nothing: ("sharelink", None),
        world.patient.id,
        state_id=(signed := signed_for(world)).state_id,
        consultation_id=signed.consultation_id,
        link_id=shared_link(world, signed).id,
    ),
}


def shared_link(world: World, signed: Prescription) -> ShareLink:
    """The link to a prescription that the patient has made."""
    link, _token = share_prescription(world.guest, prescription=signed, made_for="My son")
    return link


@call_of("consultation.tick")
def _(world: World) -> Call:
    waiting = waiting_at_spoke(world)
    consultation.cancel(world.worker, **of(waiting))
    arguments = {"consultation_id": waiting.id, "kind": ToDoKind.CALL_BACK, "done": True}
    return Call(world.worker, _result, world.patient.id, arguments)


def written_to_hub(world: World) -> Consultation:
    """A written request that a spoke has sent, for a doctor who serves the hub's line."""
    asked = CALLS["consultation.ask_hub"](world)
    assign(SYSTEM, practitioner=world.practitioner, line=world.hub_choice.line)
    return ask_hub(asked.actor, **asked.arguments, later=True)


CALLS |= {
    "directory.open_written_line": lambda world: Call(
        world.worker, _result, arguments={"parent": world.hub_choice.line}
    ),
    "consultation.take_written": lambda world: Call(
        world.host,
        written_to_hub(world),
        world.patient.id,
        {"practitioner": world.practitioner},
    ),
}


def waiting_at_spoke(world: World) -> Consultation:
    """A consultation that a spoke has asked for."""
    asked = CALLS["consultation.ask_hub"](world)
    return ask_hub(asked.actor, **asked.arguments)


FOR_PRESENCE: dict[str, Any] = {
    "mobile": "+919876543210",
    "language": "en",
    "purpose": identity.CodePurpose.PRESENCE,
}


def registered_at_spoke(world: World) -> Patient:
    """Somebody whom the staff of the spoke have registered without a mobile."""
    registered = CALLS["patients.register_at_spoke"](world)
    return register_at_spoke(registered.actor, **{**registered.arguments, "key": THE_FORM})


THE_FORM = uuid7()


def a_presence_code(world: World) -> dict[str, Any]:
    """A code to show presence by."""
    challenge = identity.request_told_code(SYSTEM, **FOR_PRESENCE)
    code = sent_code(FOR_PRESENCE["mobile"])
    return {"challenge": challenge, "code": code, "purpose": FOR_PRESENCE["purpose"]}


CALLS |= {
    "directory.set_presence_proof": lambda world: Call(
        world.staff(Role.STATE_ADMIN),
        StateFactory(),
        arguments={"state_id": ANDHRA_PRADESH, "proof": "photo"},
    ),
    "identity.request_told_code": lambda world: Call(
        SYSTEM, lambda challenge: OneTimeCode(id=challenge), arguments=FOR_PRESENCE
    ),
    "patients.send_mobile_code": lambda world: Call(
        world.worker,
        registered_at_spoke(world),
        arguments={"patient_id": registered_at_spoke(world).id, "mobile": "+919876543210"},
    ),
    "patients.move_to_mobile": lambda world: Call(
        world.worker,
        _result,
        arguments={"patient_id": registered_at_spoke(world).id, "mobile": "+919876543210"},
    ),
    "consultation.give_mobile": lambda world: Call(
        world.worker,
        _result,
        arguments={"patient_id": registered_at_spoke(world).id, "mobile": "+919876543210"},
    ),
    "identity.confirm_told_code": lambda world: Call(
        SYSTEM,
        OneTimeCode(id=(given := a_presence_code(world))["challenge"]),
        arguments=given,
    ),
    "consultation.show_by_photo": lambda world: Call(
        world.worker,
        asked := waiting_at_spoke(world),
        world.patient.id,
        {**of(asked), "file": a_photo()},
    ),
    "consultation.send_presence_code": lambda world: Call(
        world.worker, asked := waiting_at_spoke(world), world.patient.id, of(asked)
    ),
    "consultation.show_by_code": lambda world: Call(
        world.worker,
        asked := waiting_at_spoke(world),
        world.patient.id,
        {"consultation": asked},
    ),
}
