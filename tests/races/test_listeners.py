"""A listener that somebody holds, while figures are counted anew for hours, holds up nobody."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.db import connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from sanjeevani.foundation import outbox
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import ListenerCursor
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.verbs import Fact, _write_facts
from tests.races.conftest import committed_rows


@dataclass(frozen=True, kw_only=True)
class Rang(Fact):
    """A bell rang."""

    kind: ClassVar[str] = "test.Rang"


Heard = dict[str, int]


@pytest.fixture
def committed_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Committed rows; whoever waits for a lock gives up."""
    with committed_rows(django_db_blocker):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        yield


@pytest.fixture
def heard(committed_once: None, monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Two listeners of bells and one of nothing that happens, with how much they have heard."""
    heard = {"held": 0, "bell": 0}
    monkeypatch.setattr(outbox, "_listeners", {})

    def hear(name: str) -> None:
        def listener(facts: Sequence[StoredFact]) -> None:
            heard[name] += len(facts)

        outbox.listen(name, frozenset({Rang.kind}), listener)

    hear("held")
    hear("bell")
    outbox.listen("deaf", frozenset({"test.Nothing"}), lambda facts: None)
    happen()
    return heard


def happen() -> None:
    _write_facts([Rang(state_id=28)], uuid7())
    outbox.number_facts()


def held(name: str, taken: threading.Event, done: threading.Event) -> None:
    try:
        with transaction.atomic():
            ListenerCursor.objects.select_for_update().get(listener=name)
            taken.set()
            assert done.wait(30)
    finally:
        connections.close_all()


@pytest.mark.parametrize("name", ["held", "deaf"])
def test_who_is_held_is_passed_over_and_comes_to_it_later(heard: Heard, name: str) -> None:
    outbox.deliver_all()
    happen()
    taken, done = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(held, name, taken, done)
        assert taken.wait(30)
        try:
            outbox.deliver_all()
        finally:
            done.set()
        holding.result(30)
    assert heard == {"held": 1 if name == "held" else 2, "bell": 2}
    outbox.deliver_all()
    assert heard == {"held": 2, "bell": 2}
    assert len(set(ListenerCursor.objects.values_list("position", flat=True))) == 1
