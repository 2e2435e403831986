"""Steps of the job worker defer jobs through connections that belong to its event loop."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.psycopg_connector import PsycopgConnector
from pytest_django import Settings

from sanjeevani.jobs.worker import _connected, guarded
from sanjeevani.messaging.tasks import send_soon
from tests.product import free_ports

SECONDS = 15
"""The connections' pool gives up after 30: by then the code that somebody waits for has expired."""


async def deferred_once_a_connection_is_free() -> None:
    """Let a step want a connection while all are in use, and then give them back."""
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    assert isinstance(connector, PsycopgConnector)
    with app.replace_connector(connector), ThreadPoolExecutor(1) as thread:
        async with app.open_async():
            pool = connector.pool
            held = [await pool.getconn() for _connection in range(pool.max_size)]
            step = asyncio.create_task(guarded(thread, lambda: send_soon([])))
            while not (step.done() or pool.get_stats().get("requests_waiting")):
                await asyncio.sleep(0.01)
            assert not step.done()
            for connection in held:
                await pool.putconn(connection)
            async with asyncio.timeout(SECONDS):
                await step
        await asyncio.get_running_loop().run_in_executor(thread, connections.close_all)


@pytest.mark.django_db(transaction=True)
def test_a_step_that_waits_for_a_connection_goes_on_when_one_is_free() -> None:
    asyncio.run(deferred_once_a_connection_is_free())
    job = ProcrastinateJob.objects.get(status="todo")
    assert job.queueing_lock == "messaging.send_queued"


async def stopped_in_the_middle_of_a_step() -> bool:
    """Stop a loop whose step goes on to defer a job; return whether the step was let end."""
    ended, begun, stopped = [], threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        stopped.wait(SECONDS)
        send_soon([])
        connections.close_all()
        ended.append(True)

    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    thread = ThreadPoolExecutor(1)
    with app.replace_connector(connector):
        async with app.open_async():
            running = asyncio.create_task(guarded(thread, step))
            await asyncio.to_thread(begun.wait, SECONDS)
            running.cancel()
            # The step goes on once it is known that it is to stop.
            asyncio.get_running_loop().call_later(0.1, stopped.set)
            await asyncio.wait([running], timeout=SECONDS)
            let_end = bool(ended)
            while not ended:
                await asyncio.sleep(0.01)
    thread.shutdown()
    assert running.cancelled()
    return let_end


@pytest.mark.django_db(transaction=True)
def test_a_loop_that_is_stopped_lets_its_step_end() -> None:
    """Its thread would wait for the event loop, and the event loop for its thread: for ever."""
    assert asyncio.run(stopped_in_the_middle_of_a_step())


def test_the_relay_finds_the_bus_while_one_of_its_nodes_is_away(
    nats_url: str, settings: Settings
) -> None:
    settings.NATS_URL = f"nats://127.0.0.1:{free_ports(1)}, {nats_url}"

    async def finds() -> None:
        async with asyncio.timeout(SECONDS):
            bus = await _connected()
        assert bus.is_connected
        await bus.close()

    asyncio.run(finds())
