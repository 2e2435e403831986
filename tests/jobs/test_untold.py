"""What the screens are told while the bus is away from the job worker, and not from the gateway."""

import asyncio
import json
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, FlushTimeoutError

from sanjeevani.foundation.live import Hint
from sanjeevani.jobs import worker


class Bus(Client):
    """A bus that comes and goes."""

    def __init__(self) -> None:
        self.is_there = True
        self.fails: Exception | None = None
        self.told: list[tuple[str, dict[str, Any]]] = []

    @property
    def is_connected(self) -> bool:
        return self.is_there

    async def publish(self, subject: str, payload: bytes = b"", *_more: Any, **_: Any) -> None:
        if isinstance(self.fails, ConnectionClosedError):
            raise self.fails
        self.told.append((subject, json.loads(payload)))

    async def flush(self, timeout: float = 0) -> None:
        if self.fails is not None:
            raise self.fails


def hint(place: int, *causes: str) -> Hint:
    told: Hint = {"all": {}, "each": {"token": {"place": place}}}
    if causes:
        told["causes"] = list(causes)
    return told


def test_what_the_bus_missed_is_told_when_it_is_back() -> None:
    bus, untold = Bus(), worker.Untold()
    bus.is_there = False
    untold.add({"line.a": hint(3, "first"), "consultation.c": hint(0)})
    asyncio.run(untold.tell(bus))
    untold.add({"line.a": hint(2, "second")})
    assert bus.told == []
    bus.is_there = True
    asyncio.run(untold.tell(bus))
    # The newest place; who knows only the second cause lacks the first.
    assert dict(bus.told) == {
        "look.line.a": hint(2, "first", "second"),
        "look.consultation.c": hint(0),
    }
    asyncio.run(untold.tell(bus))
    assert len(bus.told) == 2


def test_a_cause_that_is_not_known_spares_nobody() -> None:
    bus, untold = Bus(), worker.Untold()
    untold.add({"line.a": hint(3)})
    untold.add({"line.a": hint(2, "second")})
    asyncio.run(untold.tell(bus))
    assert dict(bus.told) == {"look.line.a": hint(2)}


@pytest.mark.parametrize("fails", [ConnectionClosedError(), FlushTimeoutError()])
def test_what_a_dying_line_has_swallowed_is_told_again(fails: Exception) -> None:
    bus, untold = Bus(), worker.Untold()
    bus.fails = fails
    untold.add({"line.a": hint(3)})
    asyncio.run(untold.tell(bus))
    bus.fails, bus.told = None, []
    asyncio.run(untold.tell(bus))
    assert bus.told == [("look.line.a", hint(3))]


def test_after_hours_without_a_bus_the_screens_look_by_themselves() -> None:
    bus, untold = Bus(), worker.Untold()
    untold.add({f"line.{number}": hint(1) for number in range(worker.MOST_UNTOLD + 1)})
    asyncio.run(untold.tell(bus))
    assert bus.told == []
