"""A day of many lines and doctors on a simulated clock, through the real verbs and PostgreSQL.

Patients arrive through the morning, some give up, some do not answer, some are lost and come back.
The day keeps its own list of who waits and holds every claim against the definition of order.
`Day` plays the queue alone; `several_lines.py` plays whole consultations on it.
"""

import datetime
import heapq
import random
import statistics
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sanjeevani.directory.models import Line, LineKind
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.ids import uuid7
from sanjeevani.queueing import queries
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.dispatch import Head, dispatch_order
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.models import Lease, PriorityClass, Token
from sanjeevani.roster.models import DutyLine
from tests.factories import FacilityFactory

STATE = 29
OPENS = datetime.datetime(2026, 11, 23, 3, 30, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


@dataclass
class Person:
    """A patient of the simulation and what became of them."""

    token: Token
    arrived: datetime.datetime
    promise: WaitInterval | None
    called: datetime.datetime | None = None
    left: datetime.datetime | None = None
    came_over: bool = False
    end: str = ""


@dataclass
class Report:
    """What the day showed."""

    people: list[Person] = field(default_factory=list)
    claims: int = 0
    longest: dict[tuple[uuid.UUID, int, bool], float] = field(default_factory=dict)
    """Minutes, by line, class, and whether the patient came over from another line."""

    @property
    def waits(self) -> list[float]:
        """Minutes from the token to the first call."""
        return [
            (person.called - person.arrived) / MINUTE for person in self.people if person.called
        ]

    @property
    def inside(self) -> float:
        """Share of promises that held."""
        kept = [
            person.promise.low <= (person.called - person.arrived) / MINUTE <= person.promise.high
            for person in self.people
            if person.promise and person.called
        ]
        return sum(kept) / len(kept)

    @property
    def median_width(self) -> float:
        """Median width of the promised intervals, in minutes."""
        return statistics.median(
            person.promise.high - person.promise.low
            for person in self.people
            if person.promise and person.called
        )


class Day:
    """One simulated day."""

    def __init__(self, *, lines: int, doctors: int, patients: int, hours: float, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = OPENS
        self.events: list[tuple[datetime.datetime, int, Callable[[], None]]] = []
        self.sequence = 0
        self.report = Report()
        self.waiting: dict[uuid.UUID, dict[uuid.UUID, Token]] = {}
        self.people: dict[uuid.UUID, Person] = {}
        self.idle: set[uuid.UUID] = set()
        self.serves: dict[uuid.UUID, list[Line]] = {}
        self.servers: dict[uuid.UUID, queueing.Server] = {}
        with clock.driven_by(lambda: self.now):
            self.lines = self._open_lines(lines, places=patients)
            self.mean_service = {line.id: self.chance.uniform(4, 9) for line in self.lines}
            for line in self.lines:
                self.waiting[line.id] = {}
            for number in range(doctors):
                self._bring_doctor(number)
        for _ in range(patients):
            # Arrivals thin out towards the end of the hours.
            minutes = self.chance.triangular(0, hours * 60, hours * 20)
            self._at(OPENS + minutes * MINUTE, self._arrive)

    def _open_lines(self, count: int, *, places: int) -> list[Line]:
        facility = FacilityFactory(state_id=STATE)
        return [
            Line.objects.create(
                state_id=STATE,
                id=uuid7(),
                kind=LineKind.CLINIC,
                facility_id=facility.id,
                speciality_code="general_medicine",
                places_per_day=places,
                waiting_places=places,
                target_wait_minutes=self.chance.choice([15, 30, 45]),
            )
            for _ in range(count)
        ]

    def _bring_doctor(self, number: int) -> None:
        practitioner_id = uuid7()
        own = self.lines[number % len(self.lines)]
        others = self.chance.sample(self.lines, self.chance.choice([0, 0, 1, 2]))
        self.serves[practitioner_id] = list(dict.fromkeys([own, *others]))
        self.servers[practitioner_id] = queueing.Server(
            practitioner_id,
            ["en", "hi"] if self.chance.random() < 0.9 else ["en"],
            self.chance.choice(["female", "male"]),
        )
        for line in self.serves[practitioner_id]:
            DutyLine.objects.create(
                state_id=STATE,
                id=uuid7(),
                line_id=line.id,
                practitioner_id=practitioner_id,
                since=OPENS,
            )
        self.idle.add(practitioner_id)

    def run(self) -> Report:
        """Play the day to its end."""
        with clock.driven_by(lambda: self.now):
            while self.events:
                self.now, _number, event = heapq.heappop(self.events)
                event()
                self._dispatch()
        return self.report

    def _at(self, when: datetime.datetime, event: Callable[[], None]) -> None:
        self.sequence += 1
        heapq.heappush(self.events, (when, self.sequence, event))

    def _arrive(self) -> None:
        self._joined(self._ask())

    def _ask(self) -> Token:
        line = self.chance.choice(self.lines)
        token: Token = queueing.issue_token(
            SYSTEM,
            state_id=line.state_id,
            line_id=line.id,
            places=line.places_per_day,
            waiting_places=line.waiting_places,
            subject_id=uuid7(),
            consultation_id=uuid7(),
            language=self.chance.choice(["en", "hi"]),
            gender_preference=self.chance.choices(["", "female"], [0.93, 0.07])[0],
            priority_class=self.chance.choices(
                [PriorityClass.PRIORITY, PriorityClass.ORDINARY], [0.12, 0.88]
            )[0],
        )
        return token

    def _joined(self, token: Token) -> None:
        self.waiting[token.line_id][token.id] = token
        promise = queries.wait_of(token, queries.place_of(token))
        person = Person(token, self.now, promise)
        self.people[token.id] = person
        self.report.people.append(person)
        if self.chance.random() < 0.15:
            self._at(
                self.now + self.chance.expovariate(1 / 40) * MINUTE, lambda: self._give_up(token.id)
            )

    def _give_up(self, token_id: uuid.UUID) -> None:
        person = self.people[token_id]
        token = self.waiting[person.token.line_id].pop(token_id, None)
        if token is not None:
            self._cancel(token)
            self._note_wait(token)
            person.end, person.left = "gave up", self.now

    def _cancel(self, token: Token) -> None:
        queueing.cancel(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _note_wait(self, token: Token) -> None:
        """Report how long a token waited that was not called before, with what it brought along."""
        person = self.people[token.id]
        if token.calls == 0:
            key = (token.line_id, token.priority_class, person.came_over)
            wait = (self.now - token.waiting_since) / MINUTE
            self.report.longest[key] = max(wait, self.report.longest.get(key, 0))

    def _dispatch(self) -> None:
        for practitioner_id in self.serves:
            if practitioner_id in self.idle:
                self._next(practitioner_id)

    def _next(self, practitioner_id: uuid.UUID) -> None:
        expected = self._expected(practitioner_id)
        if expected is None:
            return
        token = self._claim(practitioner_id)
        assert token.id == expected.id, "somebody was passed over"
        self._note_wait(self.waiting[token.line_id].pop(token.id))
        self.idle.discard(practitioner_id)
        self.report.claims += 1
        person = self.people[token.id]
        person.called = person.called or self.now
        if self.chance.random() < 0.06:
            self._at(
                self.now + datetime.timedelta(seconds=121),
                lambda: self._no_answer(practitioner_id, token.id),
            )
        else:
            self._at(
                self.now + self.chance.uniform(0.1, 0.8) * MINUTE,
                lambda: self._answer(practitioner_id, token.id),
            )

    def _claim(self, practitioner_id: uuid.UUID) -> Token:
        server = self.servers[practitioner_id]
        lines = [(line.state_id, line.id) for line in self.serves[practitioner_id]]
        heads = [
            Head(head.state_id, head.line_id, head.order_class, head.head_since)
            for head in queries.line_heads(lines, server)
            if head.order_class is not None and head.head_since is not None
        ]
        targets = {line.id: line.target_wait_minutes for line in self.serves[practitioner_id]}
        queueing.take_lease(SYSTEM, practitioner_id=practitioner_id)
        token: Token = queueing.claim_next(
            SYSTEM, server=server, lines=dispatch_order(heads, targets, self.now)
        )
        return token

    def _expected(self, practitioner_id: uuid.UUID) -> Token | None:
        """Whom the definition calls: the first of each line served; of these the most urgent class,
        then who has waited longest against the line's target."""
        heads = [
            (head.order_class, (head.waiting_since - self.now) / line.target_wait_minutes, head)
            for line in self.serves[practitioner_id]
            if (head := self._head(line, self.servers[practitioner_id])) is not None
        ]
        first = min(heads, key=lambda each: (*each[:2], each[2].line_id), default=None)
        return first[2] if first else None

    def _head(self, line: Line, server: queueing.Server) -> Token | None:
        """The first eligible token by the day's own list: the definition, once more."""
        patience = self.now - queueing.PREFERENCE_LIMIT
        eligible = [
            token
            for token in self.waiting[line.id].values()
            if server.practitioner_id not in token.not_for
            and (token.language in server.languages or token.waiting_since < patience)
            and (token.gender_preference in ("", server.gender) or token.waiting_since < patience)
        ]
        return min(
            eligible,
            key=lambda token: (token.order_class, token.order_at, token.number),
            default=None,
        )

    def _no_answer(self, practitioner_id: uuid.UUID, token_id: uuid.UUID) -> None:
        self._miss(self.people[token_id].token)
        self.idle.add(practitioner_id)
        if not self._waits_again(token_id):
            self.people[token_id].end = "expired"

    def _miss(self, token: Token) -> None:
        queueing.not_answered(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _waits_again(self, token_id: uuid.UUID) -> bool:
        """Put a token that is in its line again into the day's own list."""
        token = Token.objects.get(state_id=self.people[token_id].token.state_id, id=token_id)
        if token.status == "waiting":
            self.waiting[token.line_id][token_id] = token
        return bool(token.status == "waiting")

    def _answer(self, practitioner_id: uuid.UUID, token_id: uuid.UUID) -> None:
        token = self.people[token_id].token
        self._begin(token)
        minutes = self.chance.gammavariate(3, self.mean_service[token.line_id] / 3)
        ending = self._drop if self.chance.random() < 0.03 else self._finish
        self._at(self.now + minutes * MINUTE, lambda: ending(practitioner_id, token_id))

    def _begin(self, token: Token) -> None:
        queueing.answer(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _drop(self, practitioner_id: uuid.UUID, token_id: uuid.UUID) -> None:
        self._lose(self.people[token_id].token)
        assert self._waits_again(token_id)
        self.idle.add(practitioner_id)

    def _lose(self, token: Token) -> None:
        queueing.drop(SYSTEM, state_id=token.state_id, token_id=token.id)

    def _finish(self, practitioner_id: uuid.UUID, token_id: uuid.UUID) -> None:
        person = self.people[token_id]
        person.end = "served"
        self._end(practitioner_id, person)
        self.idle.add(practitioner_id)

    def _end(self, practitioner_id: uuid.UUID, person: Person) -> None:
        queueing.finish(SYSTEM, state_id=person.token.state_id, token_id=person.token.id)

    def lost(self) -> list[Person]:
        """Patients who neither were served nor left: there should be none."""
        still = {
            token_id
            for state_id in {line.state_id for line in self.lines}
            for token_id in Token.objects.filter(
                state_id=state_id, status__in=["waiting", "called", "serving"]
            ).values_list("id", flat=True)
        }
        return [
            person
            for token_id, person in self.people.items()
            if not person.end or token_id in still
        ]

    def leases(self) -> int:
        """How many doctors of the day are still bound."""
        return Lease.objects.filter(practitioner_id__in=list(self.servers)).count()
