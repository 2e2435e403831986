"""The order of a line: who is next, who waits behind whom, who keeps the place."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sanjeevani.directory.models import Gender, Line
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.errors import (
    AlreadyServing,
    AlreadyWaiting,
    CallExpired,
    LineFull,
    NobodyWaiting,
    WaitingRoomFull,
)
from sanjeevani.queueing.models import Lease, LineDay, PriorityClass, Token
from sanjeevani.queueing.queries import line_heads, live_token_of, place_of
from tests.factories import LineFactory

pytestmark = pytest.mark.django_db

MORNING = datetime.datetime(2026, 11, 23, 4, 0, tzinfo=datetime.UTC)


class Hall:
    """A line on a clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = MORNING
        self.line: Line = LineFactory()

    def wait(self, minutes: float) -> None:
        """Let time pass."""
        self.now += datetime.timedelta(minutes=minutes)

    def join(self, **more: Any) -> Token:
        """Give the next patient a token, a minute after the one before."""
        self.wait(1)
        arguments: dict[str, Any] = {
            "state_id": self.line.state_id,
            "line_id": self.line.id,
            "places": 100,
            "waiting_places": 100,
            "subject_id": uuid7(),
            "consultation_id": uuid7(),
            "language": "en",
        }
        return queueing.issue_token(SYSTEM, **(arguments | more))

    def next(self, server: queueing.Server | None = None) -> Token:
        """Let a doctor press Next."""
        server = server or a_doctor()
        queueing.take_lease(SYSTEM, practitioner_id=server.practitioner_id)
        return queueing.claim_next(
            SYSTEM, server=server, lines=[(self.line.state_id, self.line.id)]
        )

    def miss(self, token: Token) -> Token:
        """Let the deadline of a call pass."""
        self.now += datetime.timedelta(seconds=queueing.ANSWER_SECONDS + 1)
        return queueing.not_answered(SYSTEM, **key(token))

    def numbers(self) -> list[int]:
        """The numbers of those who wait, in order."""
        return list(
            Token.objects.filter(
                state_id=self.line.state_id, line_id=self.line.id, status="waiting"
            )
            .order_by("order_class", "order_at", "number")
            .values_list("number", flat=True)
        )

    def day(self) -> LineDay:
        """The counters of today."""
        return LineDay.objects.get(state_id=self.line.state_id, line_id=self.line.id)


@pytest.fixture
def hall(db: None) -> Iterator[Hall]:
    """An empty line in the morning."""
    empty = Hall()
    with clock.driven_by(lambda: empty.now):
        yield empty


def key(token: Token) -> dict[str, Any]:
    """A token's key as arguments."""
    return {"state_id": token.state_id, "token_id": token.id}


def a_doctor(*languages: str, gender: str = Gender.FEMALE) -> queueing.Server:
    """A doctor who speaks English, or what is said."""
    return queueing.Server(uuid.uuid4(), languages or ("en", "hi"), gender)


def test_first_come_first_served(hall: Hall) -> None:
    joined = [hall.join() for _ in range(3)]
    assert [place_of(token) for token in joined] == [1, 2, 3]
    assert [hall.next().number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(NobodyWaiting):
        hall.next()


def test_emergencies_and_priority_go_first(hall: Hall) -> None:
    hall.join()
    hall.join(priority_class=PriorityClass.PRIORITY)
    hall.join(priority_class=PriorityClass.EMERGENCY)
    hall.join(priority_class=PriorityClass.PRIORITY)
    assert hall.numbers() == [3, 2, 4, 1]


def test_no_answer_waits_behind_the_next_two(hall: Hall) -> None:
    for _ in range(5):
        hall.join()
    called = hall.next()
    hall.miss(called)
    assert hall.numbers() == [2, 3, 1, 4, 5]
    assert not Lease.objects.exists()


@pytest.mark.parametrize(("others", "order"), [(0, [1]), (1, [2, 1]), (2, [2, 3, 1])])
def test_no_answer_in_a_short_line_waits_behind_the_last(
    hall: Hall, others: int, order: list[int]
) -> None:
    for _ in range(1 + others):
        hall.join()
    hall.miss(hall.next())
    assert hall.numbers() == order


def test_no_answer_of_a_priority_patient_lets_two_pass_of_whatever_class(hall: Hall) -> None:
    hall.join(priority_class=PriorityClass.PRIORITY)
    for _ in range(3):
        hall.join()
    hall.miss(hall.next())
    assert hall.numbers() == [2, 3, 1, 4]


def test_a_second_miss_expires(hall: Hall) -> None:
    hall.join()
    assert hall.miss(hall.next()).status == "waiting"
    again = hall.next()
    assert again.calls == 2
    assert hall.miss(again).status == "expired"
    assert hall.numbers() == []
    assert not Lease.objects.exists()


def test_only_calls_that_the_patient_missed_count(hall: Hall) -> None:
    """Handed back and dropped, the patient has answered, or was not to: the first miss is one."""
    hall.join()
    for _ in range(2):
        server = a_doctor()
        called = hall.next(server)
        queueing.hand_back(SYSTEM, practitioner_id=server.practitioner_id, **key(called))
        queueing.drop(SYSTEM, **key(queueing.answer(SYSTEM, **key(hall.next()))))
    assert hall.miss(hall.next()).status == "waiting"
    server = a_doctor()
    queueing.hand_back(SYSTEM, practitioner_id=server.practitioner_id, **key(hall.next(server)))
    assert hall.miss(hall.next()).status == "expired"


def test_the_deadline_is_the_patients_to_the_last_moment(hall: Hall) -> None:
    called = (hall.join(), hall.next())[1]
    hall.now += datetime.timedelta(seconds=queueing.ANSWER_SECONDS)
    with pytest.raises(Stale):
        queueing.not_answered(SYSTEM, **key(called))
    assert queueing.answer(SYSTEM, **key(called)).status == "serving"


def test_after_the_deadline_the_call_is_over(hall: Hall) -> None:
    called = (hall.join(), hall.next())[1]
    assert called.deadline_at == hall.now + datetime.timedelta(seconds=120)
    hall.now += datetime.timedelta(seconds=121)
    with pytest.raises(CallExpired):
        queueing.answer(SYSTEM, **key(called))


def test_handed_back_is_at_the_head_for_another_doctor(hall: Hall) -> None:
    for _ in range(3):
        hall.join()
    first = a_doctor()
    called = hall.next(first)
    queueing.hand_back(SYSTEM, practitioner_id=first.practitioner_id, **key(called))
    assert hall.numbers() == [1, 2, 3]
    assert hall.next(first).number == 2
    assert hall.next().number == 1


def test_only_the_caller_hands_back(hall: Hall) -> None:
    called = (hall.join(), hall.next())[1]
    with pytest.raises(Stale):
        queueing.hand_back(SYSTEM, practitioner_id=uuid.uuid4(), **key(called))


def test_a_dropped_patient_keeps_the_place(hall: Hall) -> None:
    for _ in range(3):
        hall.join()
    serving = queueing.answer(SYSTEM, **key(hall.next()))
    hall.join(priority_class=PriorityClass.ORDINARY)
    hall.wait(10)
    dropped = queueing.drop(SYSTEM, **key(serving))
    assert dropped.waiting_since == serving.waiting_since
    assert hall.numbers() == [1, 2, 3, 4]
    assert not Lease.objects.exists()


def test_a_drop_after_a_missed_call_returns_to_the_own_place(hall: Hall) -> None:
    for _ in range(4):
        hall.join()
    hall.miss(hall.next())
    for _ in range(2):
        queueing.finish(SYSTEM, **key(queueing.answer(SYSTEM, **key(hall.next()))))
    late = queueing.answer(SYSTEM, **key(hall.next()))
    assert late.number == 1
    queueing.drop(SYSTEM, **key(late))
    assert hall.numbers() == [1, 4]


def test_a_language_is_respected_while_the_wait_allows(hall: Hall) -> None:
    hall.join(language="ta")
    hall.join(language="hi")
    hindi_only = a_doctor("hi")
    assert hall.next(hindi_only).number == 2
    Lease.objects.all().delete()
    with pytest.raises(NobodyWaiting):
        hall.next(hindi_only)
    assert hall.next(a_doctor("ta", "en")).number == 1


def test_a_language_holds_nobody_back_for_long(hall: Hall) -> None:
    hall.join(language="ta")
    hall.now += queueing.PREFERENCE_LIMIT
    with pytest.raises(NobodyWaiting):
        hall.next(a_doctor("hi"))
    hall.now += datetime.timedelta(seconds=1)
    assert hall.next(a_doctor("hi")).number == 1


def test_a_womans_wish_for_a_woman_doctor(hall: Hall) -> None:
    hall.join(gender_preference=Gender.FEMALE)
    hall.join()
    assert hall.next(a_doctor(gender=Gender.MALE)).number == 2
    assert hall.next(a_doctor(gender=Gender.FEMALE)).number == 1


def test_the_head_that_a_desk_shows_is_the_one_that_next_claims(hall: Hall) -> None:
    hall.join(language="ta")
    second = hall.join()
    server = a_doctor("en")
    (head,) = line_heads([(hall.line.state_id, hall.line.id)], server)
    assert (head.waiting, head.head_since) == (2, second.waiting_since)
    assert hall.next(server).id == second.id


def test_places_of_the_day(hall: Hall) -> None:
    hall.join(places=2)
    second = hall.join(places=2)
    with pytest.raises(LineFull):
        hall.join(places=2)
    queueing.cancel(SYSTEM, **key(second))
    assert hall.join(places=2).number == 3
    assert (hall.day().issued, hall.day().taken) == (3, 2)


def test_a_token_without_a_place_frees_none(hall: Hall) -> None:
    """Redirected here with the time waited: never counted, so nothing to give back."""
    hall.join(places=1)
    redirected = hall.join(takes_place=False, waiting_since=MORNING)
    assert hall.numbers() == [2, 1]
    queueing.cancel(SYSTEM, **key(redirected))
    with pytest.raises(LineFull):
        hall.join(places=1)


def test_a_place_kept_for_who_asks_again(hall: Hall) -> None:
    token = hall.join(places=1)
    queueing.cancel(SYSTEM, keeps_place=True, **key(token))
    with pytest.raises(LineFull):
        hall.join(places=1)
    again = hall.join(
        takes_place=False, holds_place=True, subject_id=token.subject_id, waiting_since=MORNING
    )
    queueing.cancel(SYSTEM, **key(again))
    assert hall.join(places=1).number == 3


def test_the_waiting_room_is_smaller_than_the_day(hall: Hall) -> None:
    hall.join(waiting_places=1)
    with pytest.raises(WaitingRoomFull):
        hall.join(waiting_places=1)
    hall.next()
    hall.join(waiting_places=1)
    assert hall.day().taken == 2


def test_a_refusal_uses_up_no_number(hall: Hall) -> None:
    hall.join(waiting_places=1)
    with pytest.raises(WaitingRoomFull):
        hall.join(waiting_places=1)
    assert hall.join().number == 2


def test_a_patient_waits_once_in_a_line(hall: Hall) -> None:
    first = hall.join()
    with pytest.raises(AlreadyWaiting):
        hall.join(subject_id=first.subject_id)
    queueing.cancel(SYSTEM, **key(first))
    assert hall.join(subject_id=first.subject_id).number == 2


def test_numbers_start_again_on_the_next_day(hall: Hall) -> None:
    hall.join()
    hall.wait(24 * 60)
    assert hall.join().number == 1


def test_one_live_consultation_at_a_time(hall: Hall) -> None:
    hall.join()
    hall.join()
    server = a_doctor()
    called = hall.next(server)
    with pytest.raises(AlreadyServing):
        hall.next(server)
    assert live_token_of(server.practitioner_id) == (called.state_id, called.id)
    queueing.finish(SYSTEM, **key(queueing.answer(SYSTEM, **key(called))))
    assert live_token_of(server.practitioner_id) is None
    assert hall.next(server).number == 2


def test_a_called_patient_cannot_cancel(hall: Hall) -> None:
    called = (hall.join(), hall.next())[1]
    with pytest.raises(Stale):
        queueing.cancel(SYSTEM, **key(called))
