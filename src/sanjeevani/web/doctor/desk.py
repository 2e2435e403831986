"""What stands on the desk: the lines, the patient, the call. Reads only."""

import datetime
import uuid
from dataclasses import dataclass

from django.utils.timezone import localdate
from django.utils.translation import gettext

from sanjeevani.calls.models import Message
from sanjeevani.calls.queries import messages_in
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationStatus,
    PatientPresence,
)
from sanjeevani.consultation.presence import GOING_ON, presence_of
from sanjeevani.consultation.queries import (
    followed_by,
    for_practitioner,
    live_consultation_of,
)
from sanjeevani.consultation.services import server_of
from sanjeevani.directory.models import Clinic, Facility, Gender, Practitioner
from sanjeevani.directory.queries import (
    clinics_of_lines,
    hub_lines,
    lines_by_id,
    registered_facility,
)
from sanjeevani.documents.prescription_document import age_text
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.following import told_in_words
from sanjeevani.intake.queries import intake_of
from sanjeevani.intake.triage import PREGNANT, Alarms, alarms_in
from sanjeevani.patients.queries import age_in_years
from sanjeevani.prescription.earlier import Before, Earlier, earlier_of, measured_before
from sanjeevani.queueing.queries import line_heads
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import assigned_lines, doctors_on_duty, duty_of, ended_in_silence
from sanjeevani.terminology.danger_signs import danger_signs
from sanjeevani.terminology.queries import symptoms_named
from sanjeevani.terminology.vitals import Reading, readings
from sanjeevani.web.doctor import words
from sanjeevani.web.doctor.papers import at_desk
from sanjeevani.web.doctor.words import reader_language
from sanjeevani.web.names import hub_names
from sanjeevani.web.papers import Shown

DEFAULT_MINUTES = 10
"""The hint of the call's clock for a line without a clinic."""


@dataclass(frozen=True)
class ServedLine:
    """A line that the doctor serves: how many wait, and since when the first does."""

    state_id: int
    id: uuid.UUID
    name: str
    waiting: int
    head_since: datetime.datetime | None
    head_class: int | None
    head_language: str
    minutes: int
    is_lane: bool


@dataclass(frozen=True)
class Board:
    """The left of the desk."""

    duty: DutyStatus
    lines: list[ServedLine]
    assigned: list[tuple[int, uuid.UUID]]
    """All lines served, also those that are not shown: (state_id, line_id)."""

    silent_at: datetime.datetime | None = None
    """When duty ended because the desk was open nowhere any more."""

    @property
    def waiting(self) -> int:
        """How many wait in all lines served."""
        return sum(line.waiting for line in self.lines)

    def minutes_of(self, line_id: uuid.UUID) -> int:
        """Return how long a consultation of a line is meant to take."""
        found = [line.minutes for line in self.lines if line.id == line_id]
        return found[0] if found else DEFAULT_MINUTES


def board_of(practitioner: Practitioner) -> Board:
    """Read duty and lines. The longest waits come first."""
    assigned = assigned_lines(practitioner.id)
    clinics = clinics_of_lines(assigned)
    others = [line for line in assigned if line[1] not in clinics]
    parents = _parents(others)
    hubs = hub_names(hub_lines(others))
    lines = []
    for head in line_heads(assigned, server_of(practitioner)):
        clinic = clinics.get(head.line_id) or clinics.get(parents.get(head.line_id, head.line_id))
        is_lane = head.line_id in parents
        if is_lane and not head.waiting:
            continue
        lines.append(
            ServedLine(
                head.state_id,
                head.line_id,
                _name(clinic, hubs.get(head.line_id)),
                head.waiting,
                head.head_since,
                head.order_class,
                head.head_language,
                minutes_of(clinic),
                is_lane,
            )
        )
    never = datetime.datetime.max.replace(tzinfo=datetime.UTC)
    lines.sort(key=lambda line: (line.head_since or never, line.name))
    duty = duty_of(practitioner.id)
    silent_at = ended_in_silence(practitioner.id) if duty == DutyStatus.OFF else None
    return Board(duty, lines, assigned, silent_at)


def _name(clinic: Clinic | None, hub: str | None) -> str:
    if clinic is not None:
        return words.clinic_name(clinic)
    return hub or gettext("Line")


def _parents(lanes: list[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the clinics' lines that follow-up lanes belong to."""
    return {
        lane.id: lane.parent_id
        for lane in lines_by_id(lanes).values()
        if lane.parent_id is not None
    }


def minutes_of(clinic: Clinic | None) -> int:
    """Return how long a consultation is meant to take."""
    return clinic.time_limit_minutes if clinic else DEFAULT_MINUTES


@dataclass(frozen=True)
class LeftBehind:
    """What happens to a line when this doctor goes off duty."""

    name: str
    waiting: int
    others: int
    is_lane: bool


def left_behind(board: Board) -> list[LeftBehind]:
    """Return the lines in which somebody waits, with how many other doctors serve them now."""
    found = []
    for state_id in sorted({line.state_id for line in board.lines if line.waiting}):
        lines = [line for line in board.lines if line.state_id == state_id and line.waiting]
        doctors = doctors_on_duty(state_id, [line.id for line in lines])
        here = board.duty == DutyStatus.ON
        found += [
            LeftBehind(line.name, line.waiting, doctors[line.id] - here, line.is_lane)
            for line in lines
        ]
    return found


@dataclass(frozen=True)
class Answer:
    """A danger sign that was asked for."""

    question: str
    yes: bool


@dataclass(frozen=True)
class Told:
    """The patient's age and complaint, in the reader's language."""

    consultation: Consultation
    intake: IntakeContent
    complaints: list[str]
    age: str


@dataclass(frozen=True)
class Case(Told):
    """The patient and what was said, as the middle of the desk and a record show them."""

    answers: list[Answer]
    pregnant: bool | None
    may_menstruate: bool
    earlier: list[Earlier]
    messages: list[Message]
    papers: list[Shown]
    sent_on_from: Consultation | None
    asked: list[tuple[str, str]]
    vitals: list[Reading]
    alarms: Alarms
    spoke: Facility | None
    presence: PatientPresence | None

    def alarming(self, reading: Reading) -> bool:
        """Whether a measurement wants a clinician at once."""
        return not self.alarms.vitals.isdisjoint(reading.codes)

    def before(self, reading: Reading) -> list[Before]:
        """Return what a measurement was the last times."""
        return measured_before(reading, self.consultation, self.earlier, reader_language())

    @property
    def year(self) -> int:
        """The year of the consultation: days of other years are said with theirs."""
        return localdate(self.consultation.requested_at).year

    @property
    def allergies_before(self) -> list[Earlier]:
        """The earlier consultations in which an allergy was told in other words than now."""
        told = {"", self.intake.allergies}
        found = []
        for one in self.earlier:
            if one.allergies not in told:
                told.add(one.allergies)
                found.append(one)
        return found

    @property
    def calls_missed(self) -> int:
        """How often the patient was called before and did not answer."""
        return max(0, self.consultation.token.calls - 1) if self.is_called else 0

    @property
    def is_called(self) -> bool:
        """The patient's phone rings."""
        return self.consultation.status == ConsultationStatus.REQUESTED


def told_of(consultation: Consultation) -> Told:
    """Read what the patient of a consultation told; it was read through the audited query."""
    language = reader_language()
    intake = intake_of(consultation.state_id, consultation.id)
    symptoms = symptoms_named(intake.complaints)
    return Told(
        consultation,
        intake,
        [
            symptoms[code].name_in(language) if code in symptoms else code
            for code in intake.complaints
        ],
        age_text(consultation.patient_birth_date, _day_of(consultation), language),
    )


def _day_of(consultation: Consultation) -> datetime.date:
    ended = consultation.ended_at
    return clock.today() if ended is None else localdate(ended)


def case_of(practitioner: Practitioner, consultation: Consultation) -> Case:
    """Gather what belongs to a consultation that was read through the audited query."""
    language = reader_language()
    told = told_of(consultation)
    intake = told.intake
    years = age_in_years(consultation.patient_birth_date, _day_of(consultation))
    return Case(
        told.consultation,
        intake,
        told.complaints,
        told.age,
        _answers(intake, language),
        intake.answers.get(PREGNANT),
        consultation.patient_gender != Gender.MALE and 9 <= years <= 60,
        earlier_of(practitioner.id, consultation),
        messages_in(consultation.state_id, consultation.room_id),
        at_desk(consultation),
        followed_by(consultation) if consultation.link in GOING_ON else None,
        told_in_words(intake, language),
        readings(intake.vitals, language),
        alarms_in(
            intake,
            birth_date=consultation.patient_birth_date,
            gender=consultation.patient_gender,
        ),
        _spoke(consultation),
        presence_of(consultation) if consultation.spoke_id else None,
    )


def _spoke(consultation: Consultation) -> Facility | None:
    """Return the facility where the patient sits; it may have closed since."""
    if consultation.spoke_id is None:
        return None
    return registered_facility(consultation.patient_state_id, consultation.spoke_id)


def _answers(intake: IntakeContent, language: str) -> list[Answer]:
    signs = danger_signs()
    answers = [
        Answer(signs[code].question_in(language), yes)
        for code, yes in intake.answers.items()
        if code in signs
    ]
    return sorted(answers, key=lambda answer: not answer.yes)


def live_consultation(actor: Actor, practitioner: Practitioner) -> Consultation | None:
    """Read the doctor's one live consultation, audited; None when there is none (any more)."""
    live = live_consultation_of(practitioner)
    if live is None:
        return None
    try:
        return for_practitioner(actor, practitioner, *live)
    except NotFound:
        return None
