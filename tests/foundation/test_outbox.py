"""The outbox's listeners: who is called when, and what it costs to have nothing to do."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from sanjeevani.directory.models import State
from sanjeevani.foundation import clock, outbox
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import ListenerCursor, OutboxFact
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import Fact, _write_facts
from tests.factories import StateFactory

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Rang(Fact):
    """A bell rang."""

    kind: ClassVar[str] = "test.Rang"


@dataclass(frozen=True, kw_only=True)
class Knocked(Fact):
    """Somebody knocked."""

    kind: ClassVar[str] = "test.Knocked"


Heard = dict[str, list[list[int]]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Two listeners of bells, of whom one takes its time, and one of knocks."""
    with across_states():
        # Tests that commit may have left some.
        OutboxFact.objects.all().delete()
    ListenerCursor.objects.all().delete()
    heard: Heard = {"bell": [], "slow": [], "door": []}
    monkeypatch.setattr(outbox, "_listeners", {})

    def hear(name: str, kind: str, every: float = 0) -> None:
        def listener(facts: Sequence[StoredFact]) -> None:
            heard[name].append([fact.position for fact in facts])

        outbox.listen(name, frozenset({kind}), listener, every=every)

    hear("bell", Rang.kind)
    hear("slow", Rang.kind, every=10)
    hear("door", Knocked.kind)
    return heard


def happen(*facts: Fact) -> int:
    """Let facts be written and numbered; return the number before the first."""
    _write_facts(list(facts), uuid7())
    return outbox.number_facts()[0].position - 1


def positions() -> dict[str, int]:
    return dict(ListenerCursor.objects.values_list("listener", "position"))


def test_everybody_hears_their_own_and_moves_past_the_rest(heard: Heard) -> None:
    start = happen(Rang(state_id=1), Knocked(state_id=1), Rang(state_id=2))
    outbox.deliver_all()
    bells = [[start + 1, start + 3]]
    assert heard == {"bell": bells, "slow": bells, "door": [[start + 2]]}
    happen(Rang(state_id=1))
    outbox.deliver_all()
    assert heard["door"] == [[start + 2]]
    assert set(positions().values()) == {start + 4}


def test_who_takes_time_is_called_once_with_all_that_came(heard: Heard) -> None:
    start = happen(Rang(state_id=1))
    outbox.deliver_all(100.0)
    for moment in (100.5, 109.9):
        happen(Rang(state_id=1))
        outbox.deliver_all(moment)
    assert heard["slow"] == [[start + 1]]
    assert len(heard["bell"]) == 3
    outbox.deliver_all(110.0)
    assert heard["slow"] == [[start + 1], [start + 2, start + 3]]


def test_facts_for_nobody_cost_three_statements_however_many_listen(heard: Heard) -> None:
    happen(Knocked(state_id=1))
    outbox.deliver_all()
    for number in range(20):
        outbox.listen(f"deaf-{number}", frozenset({"test.Nothing"}), lambda facts: None)
    newest = happen(*[Rang(state_id=1)] * 2) + 2
    outbox.deliver("bell")
    outbox.deliver("slow")
    with CaptureQueriesContext(connection) as captured:
        outbox.deliver_all()
    assert len(captured) == 3
    assert len(heard["door"]) == 1
    assert set(positions().values()) == {newest}


def test_a_listener_far_behind_reads_batch_after_batch(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 3)
    start = happen(*[Rang(state_id=1)] * 3)
    for _batch in range(2):
        happen(*[Rang(state_id=1)] * 3)
    outbox.deliver_all()
    assert heard["bell"] == [[start + 3 * batch + one for one in (1, 2, 3)] for batch in range(3)]
    assert heard["door"] == []
    assert set(positions().values()) == {start + 9}


def test_who_is_far_behind_does_not_keep_the_others_from_what_happens_meanwhile(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage: a call by phone is placed before half an hour of messages is queued."""
    monkeypatch.setattr(outbox, "BATCH", 3)
    order: list[str] = []

    def read(facts: Sequence[StoredFact]) -> None:
        if not order:
            happen(Knocked(state_id=1))
        order.append("reads")

    outbox.listen("far", frozenset({Rang.kind}), read)
    outbox.listen("door", frozenset({Knocked.kind}), lambda facts: order.append("door"))
    for _batch in range(3):
        happen(*[Rang(state_id=1)] * 3)
    outbox.deliver_all(100.0)
    assert order == ["reads", "door", "reads", "reads"]


def test_one_that_fails_reads_again_and_holds_nobody_up(heard: Heard) -> None:
    broken: list[Sequence[StoredFact]] = []

    def fail(facts: Sequence[StoredFact]) -> None:
        broken.append(facts)
        raise RuntimeError

    outbox.listen("broken", frozenset({Rang.kind}), fail)
    start = happen(Rang(state_id=1))
    for _round in range(2):
        with pytest.raises(ExceptionGroup):
            outbox.deliver_all()
    assert len(broken) == 2
    assert heard["bell"] == [[start + 1]]


def months_ago(*positions: int) -> None:
    with across_states():
        OutboxFact.objects.filter(position__in=positions).update(
            recorded_at=clock.now() - datetime.timedelta(days=40)
        )


def kept() -> list[int | None]:
    with across_states():
        return list(OutboxFact.objects.order_by("position").values_list("position", flat=True))


def test_what_everybody_has_read_is_forgotten_after_a_month(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FORGOTTEN_AT_ONCE", 2)
    start = happen(*[Rang(state_id=1), Rang(state_id=2)] * 3)
    outbox.deliver_all()
    months_ago(*range(start + 1, start + 6))
    outbox.forget_old_facts()
    assert kept() == [start + 6]


@pytest.mark.parametrize("behind", ["bell", "new"])
def test_what_somebody_has_not_read_is_kept(heard: Heard, behind: str) -> None:
    start = happen(Rang(state_id=1), Rang(state_id=1))
    outbox.deliver_all()
    if behind == "new":
        outbox.listen("new", frozenset({Rang.kind}), lambda facts: None)
    else:
        ListenerCursor.objects.filter(listener=behind).update(position=start + 1)
    months_ago(start + 1, start + 2)
    outbox.forget_old_facts()
    assert kept() == ([start + 1, start + 2] if behind == "new" else [start + 2])


def test_one_fact_that_cannot_be_heard_does_not_silence_the_others(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []

    def tell(facts: Sequence[StoredFact]) -> None:
        for fact in facts:
            told.append(fact.position)
            State.objects.filter(lgd_code=fact.state_id).update(name_hi="told")
            if fact.state_id == 13:
                raise KeyError("a name")

    outbox.listen("tell", frozenset({Rang.kind}), tell)
    for state_id in (1, 13, 2):
        StateFactory.create(lgd_code=state_id)
    start = happen(Rang(state_id=1), Rang(state_id=13), Rang(state_id=2))
    outbox.deliver_all()
    assert told == [start + 1, start + 2, start + 1, start + 2, start + 3]
    assert positions()["tell"] == start + 3
    # What it had begun of the fact that failed is undone.
    assert set(State.objects.filter(name_hi="told").values_list("lgd_code", flat=True)) == {1, 2}
    (line,) = [record.getMessage() for record in caplog.records]
    assert "tell" in line
    assert "KeyError" in line
    assert "a name" not in line


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_nothing_is_passed_over_while_the_database_is_away(
    heard: Heard, error: type[Exception]
) -> None:
    def away(facts: Sequence[StoredFact]) -> None:
        if len(facts) > 1 or facts[0].state_id == 13:
            raise error

    outbox.listen("away", frozenset({Rang.kind}), away)
    start = happen(Rang(state_id=1), Rang(state_id=13), Rang(state_id=2))
    with pytest.raises(ExceptionGroup):
        outbox.deliver_all()
    assert positions().get("away", 0) <= start
