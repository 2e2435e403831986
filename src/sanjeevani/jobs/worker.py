"""The job worker: relay, listeners, sweeper and deferred jobs, each in its own loop.

A loop that meets an error says so, waits and goes on: PostgreSQL or NATS may be restarting. The
deferred jobs' worker ends when PostgreSQL goes, and the process with it; the supervisor restarts
both.
"""

import asyncio
import contextlib
import json
import logging
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import nats
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from nats.aio.client import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from sanjeevani.foundation.live import Hint, hints_for
from sanjeevani.foundation.outbox import BATCH, deliver_all, number_facts
from sanjeevani.jobs.sweeper import sweep_deadlines, sweep_lines

T = TypeVar("T")

logger = logging.getLogger(__name__)

RELAY_SECONDS = 0.1
DEADLINES_SECONDS = 1.0
LINES_SECONDS = 20.0
LISTENERS_SECONDS = 5.0
LISTENERS_PAUSE = 0.5
"""Between two batches: each costs its statements whether it brings one fact or five hundred."""
RETRY_SECONDS = 1.0
QUEUES = {"default": 4, "messages": 2}
"""How many jobs of a queue run at once. While an operator takes no messages all that send them wait
for it, for as long as that lasts: they must not hold up what has nothing to do with it."""
FLUSH_SECONDS = 2
MOST_UNTOLD = 20_000
"""So many topics are told of once the bus is back. Beyond it the screens find out by themselves:
they look once a minute all the same."""


async def work() -> None:
    """Run until SIGTERM or SIGINT, or until the deferred jobs' worker ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    facts_arrived = asyncio.Event()
    facts_arrived.set()
    tasks = [
        asyncio.create_task(_relay(facts_arrived), name="relay"),
        asyncio.create_task(_listeners(facts_arrived), name="listeners"),
        asyncio.create_task(_sweeper(sweep_deadlines, DEADLINES_SECONDS), name="deadlines"),
        asyncio.create_task(_sweeper(sweep_lines, LINES_SECONDS), name="lines"),
        asyncio.create_task(_deferred_jobs(), name="deferred jobs"),
        asyncio.create_task(stop.wait(), name="stop"),
    ]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def _connected() -> Client:
    """Connect to NATS, however long it takes; afterwards the client reconnects by itself."""
    while True:
        with contextlib.suppress(OSError, nats.errors.Error):
            return await nats.connect(
                [node.strip() for node in settings.NATS_URL.split(",")],
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                # As the gateway does: a line that died without a word is found out soon.
                ping_interval=10,
                error_cb=_say_nothing,
            )
        await asyncio.sleep(RETRY_SECONDS)


async def _say_nothing(error: Exception) -> None:
    logger.warning("bus: %s", type(error).__name__)


def _number_and_hint() -> tuple[int, dict[str, Hint]]:
    facts = number_facts()
    return len(facts), hints_for(facts)


class Untold:
    """Hints on their way to the bus.

    While it is away from us it may be there for the gateway, whose screens then trust in it: what
    they were not told of is told as soon as the bus is back.
    """

    def __init__(self) -> None:
        self._hints: dict[str, Hint] = {}

    def add(self, hints: Mapping[str, Hint]) -> None:
        """Take hints; of one topic the newest says it all, but because of everything."""
        for topic, hint in hints.items():
            earlier = self._hints.get(topic)
            if earlier is not None:
                hint = hint.copy()
                if "causes" in earlier and "causes" in hint:
                    hint["causes"] = [*earlier["causes"], *hint["causes"]]
                else:
                    hint.pop("causes", None)
            self._hints[topic] = hint
        if len(self._hints) > MOST_UNTOLD:
            self._hints.clear()

    async def tell(self, client: Client) -> None:
        """Publish them, if the bus is there, and forget those that it has."""
        if not self._hints or not client.is_connected:
            return
        try:
            for topic, hint in self._hints.items():
                await client.publish(f"look.{topic}", json.dumps(hint).encode())
            await client.flush(FLUSH_SECONDS)
        except (nats.errors.Error, OSError) as error:
            logger.warning("bus: %s", type(error).__name__)
        else:
            self._hints.clear()


async def _relay(facts_arrived: asyncio.Event) -> None:
    """Number facts and hint at them. Without NATS facts are still numbered; screens poll."""
    connecting = asyncio.create_task(_connected())
    untold = Untold()
    with ThreadPoolExecutor(1, "relay") as thread:
        while True:
            count, hints = await guarded(thread, _number_and_hint) or (0, {})
            if count:
                facts_arrived.set()
            untold.add(hints)
            if connecting.done():
                await untold.tell(connecting.result())
            if count < BATCH:
                await asyncio.sleep(RELAY_SECONDS)


def _deliver() -> None:
    deliver_all(time.monotonic())


async def _listeners(facts_arrived: asyncio.Event) -> None:
    with ThreadPoolExecutor(1, "listeners") as thread:
        while True:
            # The time limit brings a batch back whose listener failed, without a new fact.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTENERS_SECONDS):
                    await facts_arrived.wait()
            facts_arrived.clear()
            await guarded(thread, _deliver)
            await asyncio.sleep(LISTENERS_PAUSE)


async def _sweeper(sweep: Callable[[], None], every: float) -> None:
    with ThreadPoolExecutor(1, sweep.__name__) as thread:
        while True:
            await guarded(thread, sweep)
            await asyncio.sleep(every)


async def _deferred_jobs() -> None:
    connector = app.connector
    if not isinstance(connector, DjangoConnector):
        raise TypeError("procrastinate is not set up through Django")
    with app.replace_connector(connector.get_worker_connector()):
        async with app.open_async(), asyncio.TaskGroup() as workers:
            for queue, concurrency in QUEUES.items():
                workers.create_task(
                    app.run_worker_async(
                        queues=[queue],
                        concurrency=concurrency,
                        install_signal_handlers=False,
                        # With its events a job is four rows; a nation has 100,000 a day.
                        delete_jobs="successful",
                    )
                )


async def guarded(thread: ThreadPoolExecutor, step: Callable[[], T]) -> T | None:
    """Run a step in the loop's own thread; on an error say so, drop its connection, and wait.

    A step may defer jobs, through connections that belong to this event loop. `sync_to_async` tells
    the step's thread of the loop; otherwise the step would make a loop of its own, and once all
    connections are in use it would not hear that one is free until it gives up after 30 seconds.

    Cancelled, it waits for the step: whoever closes the thread waits for it without the event loop,
    and a step that defers a job then waits for the event loop.
    """

    def run() -> T:
        try:
            return step()
        except Exception:
            connections.close_all()
            raise

    running = asyncio.ensure_future(sync_to_async(run, thread_sensitive=False, executor=thread)())
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the loop must go on
        logger.warning("%s: %s", getattr(step, "__name__", "step"), _names(error))
        await asyncio.sleep(RETRY_SECONDS)
        return None


def _names(error: BaseException) -> str:
    """Name an error and its parts without their texts, which may hold personal data."""
    if isinstance(error, ExceptionGroup):
        return ", ".join(_names(part) for part in error.exceptions)
    return " ".join([type(error).__name__, *getattr(error, "__notes__", [])])
