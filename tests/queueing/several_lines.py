"""A day on which doctors serve hub and OPD lines of two states and National at once.

Whole consultations through the verbs of the desk, the home and the spoke, and through the sweeper:
what the queue's own verbs cannot show is that Next asks all states, and that whoever is sent on,
or left behind by a doctor, keeps the time waited.
"""

import datetime
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sanjeevani.consultation import interruptions, services, spokes, transfers
from sanjeevani.consultation.models import Consultation, Outcome
from sanjeevani.directory.models import (
    Facility,
    Line,
    LineKind,
    Practitioner,
    PresenceProof,
    State,
)
from sanjeevani.directory.queries import OpenClinic, clinic_of_line, hubs_for
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.intake.content import IntakeContent
from sanjeevani.jobs import sweeper
from sanjeevani.patients.models import Patient
from sanjeevani.patients.spokes import take_in
from sanjeevani.queueing.models import Token, TokenStatus
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from tests import factories
from tests.queueing.simulated_day import MINUTE, OPENS, Day, Person

STATES = (factories.ANDHRA_PRADESH, factories.TAMIL_NADU)
SWEEP_EVERY = MINUTE

TROUBLE: dict[str, Any] = {
    "text": "High every evening for days",
    "complaints": ["fever"],
    "duration_days": 3,
    "vitals": {"body_temperature": 38.5},
}
EMERGENCY = IntakeContent(text="Cannot be woken", answers={"unresponsive": True})


@dataclass
class Row:
    """Of one line: doctors at first, calls, and by (class, came over) the longest wait, minutes."""

    title: str
    target: int
    doctors: int = 0
    calls: int = 0
    longest: dict[tuple[int, bool], float] = field(default_factory=dict)


class DayOfSeveralLines(Day):
    """Two states with hubs and OPDs, National, and `shared` doctors on three lines and National.

    `lines` hubs and `lines` OPDs in each state. The first OPD and the last hub are left by their
    doctors at half time; so is one of those who serve several lines. National has no other doctors.
    """

    def __init__(
        self, *, lines: int, doctors: int, shared: int, patients: int, hours: float, seed: int
    ) -> None:
        self.shared = shared
        self.half_time = OPENS + hours / 2 * 60 * MINUTE
        self.latest = OPENS + (hours + 8) * 60 * MINUTE
        self.titles: dict[uuid.UUID, str] = {}
        self.practitioners: dict[uuid.UUID, Practitioner] = {}
        self.care: dict[uuid.UUID, tuple[Actor, Patient]] = {}
        self.left: set[uuid.UUID] = set()
        self.left_since: dict[uuid.UUID, datetime.datetime] = {}
        """When a sweep first saw somebody wait in a line that its doctors have left."""
        self.happened: Counter[str] = Counter()
        self.doctors: Counter[uuid.UUID] = Counter()
        self.calls: Counter[uuid.UUID] = Counter()
        self.lanes: dict[uuid.UUID, Line] = {}
        self.served_from: dict[uuid.UUID, set[tuple[int, uuid.UUID]]] = {}
        super().__init__(
            lines=lines, doctors=doctors + shared, patients=patients, hours=hours, seed=seed
        )
        self._at(OPENS, self._sweep)

    # Lines, spokes and doctors

    def _open_lines(self, count: int, *, places: int) -> list[Line]:
        factories.SymptomFactory()
        found = []
        hubs: dict[int, list[Facility]] = {}
        for state_id in STATES:
            factories.StateFactory(lgd_code=state_id)
            hubs[state_id] = []
            for number in range(1, count + 1):
                hub: Facility = factories.FacilityFactory(state_id=state_id, is_hub=True)
                hubs[state_id].append(hub)
                found += [
                    self._line(f"{state_id}: hub {number}", hub, LineKind.HUB, places),
                    self._clinic(f"{state_id}: OPD {number}", state_id, places, [state_id]),
                ]
        State.objects.update(presence_proof=PresenceProof.NONE)
        found.append(self._clinic("National OPD", NATIONAL, places, STATES))
        self.spokes = {state_id: self._spoke(state_id, hubs[state_id]) for state_id in STATES}
        self.workers = {
            state_id: factories.worker_at(spoke) for state_id, spoke in self.spokes.items()
        }
        here, there = STATES
        # The next tier of a hub is one of the other state.
        for hub in hubs[here]:
            factories.HubLinkFactory(spoke=hub, hub=hubs[there][0])
        self.to_be_left = {found[1].id, found[-3].id}
        return found

    def _line(self, title: str, facility: Facility, kind: LineKind, places: int) -> Line:
        line: Line = factories.LineFactory(
            facility=facility,
            kind=kind,
            places_per_day=places,
            waiting_places=places,
            target_wait_minutes=self.chance.choice([15, 30, 45]),
        )
        self.titles[line.id] = title
        return line

    def _clinic(
        self, title: str, state_id: int, places: int, serves: tuple[int, ...] | list[int]
    ) -> Line:
        facility = factories.FacilityFactory(state_id=state_id)
        line = self._line(title, facility, LineKind.CLINIC, places)
        factories.ClinicFactory(line=line, name=title, serves=serves)
        return line

    @staticmethod
    def _spoke(state_id: int, hubs: list[Facility]) -> Facility:
        spoke: Facility = factories.FacilityFactory(
            state_id=state_id, kind="sub_centre", is_opd_host=False, is_spoke=True
        )
        for position, hub in enumerate(hubs, start=1):
            factories.HubLinkFactory(spoke=spoke, hub=hub, position=position)
        return spoke

    def _bring_doctor(self, number: int) -> None:
        *in_states, national = self.lines
        if number < self.shared:
            home = STATES[number % 2]
            kept = [line for line in in_states if line.id not in self.to_be_left]
            at_home = [line for line in kept if line.state_id == home]
            away = [line for line in kept if line.state_id != home]
            # In turn, so that each line is served by as many.
            turn = number // 2
            serves = [
                *(at_home[each % len(at_home)] for each in (turn, turn + 1)),
                away[turn % len(away)],
                national,
            ]
        else:
            serves = [in_states[number % len(in_states)]]
        practitioner: Practitioner = factories.PractitionerFactory(
            state_id=serves[0].state_id,
            languages=["en", "hi"] if self.chance.random() < 0.9 else ["en"],
            gender=self.chance.choice(["female", "male"]),
        )
        for line in serves:
            assign(SYSTEM, practitioner=practitioner, line=line)
            self.doctors[line.id] += 1
        self._turn(practitioner, DutyStatus.ON)
        self.practitioners[practitioner.id] = practitioner
        self.serves[practitioner.id] = serves
        self.servers[practitioner.id] = services.server_of(practitioner)
        self.idle.add(practitioner.id)
        if number == 0 or serves[0].id in self.to_be_left:
            self._at(self.half_time, lambda: self._leave(practitioner))

    @staticmethod
    def _turn(practitioner: Practitioner, to: DutyStatus) -> None:
        change_duty(factories.doctor(practitioner), practitioner=practitioner, to=to)

    def _leave(self, practitioner: Practitioner) -> None:
        """Go off duty, with whom one has just now still to finish."""
        self._turn(practitioner, DutyStatus.OFF)
        left, self.serves[practitioner.id] = self.serves[practitioner.id], []
        self.left |= {
            line.id for line in left if line.id not in self.lanes and not self._attended(line)
        }

    def _attended(self, line: Line) -> bool:
        return any(line.id in {one.id for one in lines} for lines in self.serves.values())

    # Patients

    def _ask(self) -> Token:
        state_id = self.chance.choice(STATES)
        older = self.chance.random() < 0.12
        account = factories.AccountFactory(home_state_id=state_id)
        patient: Patient = factories.PatientFactory(
            account=account, birth_date=datetime.date(1950 if older else 1989, 3, 4)
        )
        factories.ConsentFactory(patient=patient)
        if self.chance.random() < 0.45:
            return self._token(self._ask_hub(patient))
        *in_states, national = self.lines
        clinics = [
            line for line in in_states if line.kind == LineKind.CLINIC and line.state_id == state_id
        ]
        line = national if self.chance.random() < 0.4 else self.chance.choice(clinics)
        actor = factories.person(patient.account_id, state_id)
        self.care[patient.id] = actor, patient
        return self._token(
            services.request(
                actor,
                patient=patient,
                clinic=self._open(line),
                content=factories.told(patient, **TROUBLE),
                language=self.chance.choice(["en", "hi"]),
                gender_preference=self.chance.choices(["", "female"], [0.93, 0.07])[0],
                request_key=uuid7(),
            )
        )

    def _ask_hub(self, patient: Patient) -> Consultation:
        actor = self.workers[patient.state_id]
        self.care[patient.id] = actor, patient
        take_in(actor, patient_id=patient.id)
        choice = self.chance.choice(hubs_for(patient.state_id, self.spokes[patient.state_id].id))
        on_duty = [
            self.practitioners[practitioner_id]
            for practitioner_id, lines in self.serves.items()
            if choice.line.id in {line.id for line in lines}
        ]
        return spokes.ask_hub(
            actor,
            patient=patient,
            choice=choice,
            content=EMERGENCY
            if self.chance.random() < 0.03
            else factories.told(patient, **TROUBLE),
            language=self.chance.choice(["en", "hi"]),
            request_key=uuid7(),
            practitioner=self.chance.choice(on_duty)
            if on_duty and self.chance.random() < 0.25
            else None,
        )

    def _ask_the_same(self, earlier: Consultation) -> None:
        actor, patient = self.care[earlier.patient_id]
        line = Line.objects.get(state_id=earlier.state_id, id=earlier.line_id)
        self._joined(
            self._token(
                transfers.request_follow_up(
                    actor,
                    patient=patient,
                    clinic=self._open(self._pool(line)),
                    earlier=earlier,
                    content=factories.told(patient, **TROUBLE),
                    language=earlier.language,
                    request_key=uuid7(),
                )
            )
        )

    @staticmethod
    def _open(line: Line) -> OpenClinic:
        clinic = clinic_of_line(line.state_id, line.id)
        assert clinic is not None
        return clinic

    def _pool(self, line: Line) -> Line:
        """The line itself, or that of which it is a doctor's own lane."""
        return next(one for one in self.lines if one.id == (line.parent_id or line.id))

    def _token(self, asked: Consultation) -> Token:
        """The token of a consultation just opened; its lane is the day's from then on."""
        if asked.line_id not in self.waiting:
            lane = Line.objects.get(state_id=asked.state_id, id=asked.line_id)
            assert lane.practitioner_id is not None
            pool = self._pool(lane)
            self.waiting[lane.id] = {}
            self.lanes[lane.id] = lane
            self.serves[lane.practitioner_id].append(lane)
            self.doctors[lane.id] = 1
            self.titles[lane.id] = f"{self.titles[pool.id]}, by name"
            self.mean_service[lane.id] = self.mean_service[pool.id]
        return services.token_of(asked)

    # The desk and the patient's side

    def _claim(self, practitioner_id: uuid.UUID) -> Token:
        practitioner = self.practitioners[practitioner_id]
        called = services.call_next(factories.doctor(practitioner), practitioner=practitioner)
        self.calls[called.line_id] += 1
        self.served_from.setdefault(practitioner_id, set()).add((called.state_id, called.line_id))
        return services.token_of(called)

    def _miss(self, token: Token) -> None:
        services.not_answered(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _begin(self, token: Token) -> None:
        actor, _patient = self.care[token.subject_id]
        services.answer(actor, state_id=token.state_id, consultation_id=token.consultation_id)

    def _cancel(self, token: Token) -> None:
        actor, _patient = self.care[token.subject_id]
        services.cancel(actor, state_id=token.state_id, consultation_id=token.consultation_id)

    def _drop(self, practitioner_id: uuid.UUID, token_id: uuid.UUID) -> None:
        token = self.people[token_id].token
        interruptions.interrupt(
            SYSTEM, state_id=token.state_id, consultation_id=token.consultation_id
        )
        back_in_line = super()._drop
        self._at(self.now + interruptions.GRACE, lambda: back_in_line(practitioner_id, token_id))

    def _lose(self, token: Token) -> None:
        interruptions.dropped(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _end(self, practitioner_id: uuid.UUID, person: Person) -> None:
        practitioner = self.practitioners[practitioner_id]
        held = services.get(person.token.state_id, person.token.consultation_id)
        desk: dict[str, Any] = {
            "practitioner": practitioner,
            "state_id": held.state_id,
            "consultation_id": held.id,
        }
        actor = factories.doctor(practitioner)
        services.write_note(
            actor, **desk, content=services.NoteContent(advice="Rest"), diagnoses=[]
        )
        opened = self._send_on(actor, desk, held) if self.chance.random() < 0.15 else None
        if opened is not None:
            self._came_over(person, self._token(opened))
            return
        completed = services.complete(actor, **desk, outcome=Outcome.ADVICE)
        if held.spoke_id is None and self.chance.random() < 0.1:
            self._at(
                self.now + self.chance.uniform(10, 60) * MINUTE,
                lambda: self._ask_the_same(completed),
            )

    def _send_on(
        self, actor: Actor, desk: dict[str, Any], held: Consultation
    ) -> Consultation | None:
        """Redirect or refer to another line with a doctor, None where there is none."""
        if held.spoke_id is not None:
            hubs = [one for one in transfers.hubs_beyond(held) if self._attended(one.line)]
            if not hubs:
                return None
            verb = self.chance.choice([transfers.redirect_to_hub, transfers.refer_up])
            self._count(verb.__name__)
            return verb(actor, **desk, choice=self.chance.choice(hubs), reason="Skin")
        line = self._pool(Line.objects.get(state_id=held.state_id, id=held.line_id))
        clinics = [
            one
            for one in transfers.alternatives(held.patient_state_id, line)
            if self._attended(one.line)
        ]
        if not clinics:
            return None
        self._count("redirect")
        return transfers.redirect(actor, **desk, clinic=self.chance.choice(clinics), reason="Skin")

    def _came_over(self, person: Person, token: Token) -> None:
        """Somebody waits in another line, and has lost nothing by it."""
        left, person.token = person.token, token
        assert token.waiting_since == left.waiting_since
        assert token.priority_class == left.priority_class
        person.came_over, person.end = True, ""
        self.people[token.id] = person
        self.waiting[token.line_id][token.id] = token

    # The sweeper

    def _sweep(self) -> None:
        """Let the sweeper move whom doctors left behind, and hold it against the day's own list."""
        sweeper.sweep_lines()
        stored = {
            token.id: token
            for state_id in (*STATES, NATIONAL)
            for token in Token.objects.filter(state_id=state_id, status=TokenStatus.WAITING)
        }
        listed = {token_id for tokens in self.waiting.values() for token_id in tokens}
        moved_to = {token.subject_id: token for token in stored.values() if token.id not in listed}
        for token_id in sorted(listed - stored.keys()):
            person = self.people[token_id]
            left = self.waiting[person.token.line_id].pop(token_id)
            self._count(self._why_moved(left))
            self._came_over(person, moved_to.pop(left.subject_id))
        assert not moved_to, "a token that nobody asked for"
        for line_id in self.left:
            if self.waiting[line_id]:
                since = self.left_since.setdefault(line_id, self.now)
                assert self.now - since < sweeper.MOVE_AFTER, "left behind"
        for lane in self.lanes.values():
            for token in self.waiting[lane.id].values():
                assert self._attended(lane), "left behind in a lane"
                assert self.now - token.waiting_since <= transfers.LANE_PATIENCE
        if self.now < self.latest and (self.events or any(self.waiting.values())):
            self._at(self.now + SWEEP_EVERY, self._sweep)

    def _why_moved(self, left: Token) -> str:
        """Say why the sweeper may move a token; fail when nothing allows it."""
        lane = self.lanes.get(left.line_id)
        if lane is None:
            assert self.now - self.left_since[left.line_id] >= sweeper.MOVE_AFTER
            return "moved: no doctor in the line"
        if not self._attended(lane):
            return "moved: the named doctor left"
        assert self.now - left.waiting_since > transfers.LANE_PATIENCE
        return "moved: the named doctor was busy too long"

    def _count(self, what: str) -> None:
        self.happened[what] += 1

    # The report

    def tenants_served(self) -> list[set[int]]:
        """The tenants from which each doctor on several lines has called somebody."""
        shared = list(self.practitioners)[: self.shared]
        return [{state_id for state_id, _line_id in self.served_from[one]} for one in shared]

    def rows(self) -> list[Row]:
        """The longest waits of each line; the lanes of its doctors are one row beside it."""
        targets = {line.id: line.target_wait_minutes for line in self.lines}
        rows: dict[str, Row] = {}
        for line_id, title in sorted(self.titles.items(), key=lambda item: item[1]):
            lane = self.lanes.get(line_id)
            target = targets[lane.parent_id if lane else line_id]  # type: ignore[index]
            row = rows.setdefault(title, Row(title, target))
            row.doctors += self.doctors[line_id]
            row.calls += self.calls[line_id]
            for (of_line, order_class, came_over), wait in self.report.longest.items():
                if of_line == line_id:
                    key = order_class, came_over
                    row.longest[key] = max(wait, row.longest.get(key, 0))
        return list(rows.values())
