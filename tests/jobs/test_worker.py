"""What becomes of jobs that are done, and of those whose worker was killed."""

import asyncio
import contextlib
import datetime
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from django.db import connections
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.models import ProcrastinateJob

from sanjeevani.calls.tasks import place_phone_call
from sanjeevani.foundation import clock
from sanjeevani.jobs.tasks import take_back_stalled
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.messaging.services import BATCH
from sanjeevani.messaging.sms_gateway import HttpGateway
from sanjeevani.messaging.tasks import send_queued
from sanjeevani.onboarding.tasks import go_on, go_on_soon

app: App = django_app  # a proxy, which its own types do not say
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

SECONDS = 20
NOW = 0


@pytest.fixture(autouse=True)
def _no_jobs(transactional_db: None) -> Iterator[None]:
    """Begin and end without any: Django empties only its own tables."""
    forget_jobs()
    yield
    forget_jobs()


def forget_jobs() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def jobs(status: str) -> list[str]:
    found = ProcrastinateJob.objects.filter(status=status).order_by("id")
    names = list(found.values_list("task_name", flat=True))
    connections.close_all()
    return names


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run something with connections of its own, as the job worker does."""

    async def connected() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as there:  # type: ignore[attr-defined]
            async with there.open_async():
                await work

    asyncio.run(connected())


async def killed_at_work(count: int) -> None:
    """Let a worker take the next jobs, and be gone."""
    gone = await app.job_manager.register_worker()
    for _job in range(count):
        assert await app.job_manager.fetch_job(queues=None, worker_id=gone) is not None
    await app.job_manager.unregister_worker(gone)


@contextlib.contextmanager
def job_worker(**variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """The job worker, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sanjeevani", "work"],
        env={
            **os.environ,
            "SANJEEVANI_DB_NAME": connections["default"].settings_dict["NAME"],
            **variables,
        },
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_import_goes_on_although_its_worker_was_killed() -> None:
    go_on.defer()
    run(killed_at_work(1))
    run(take_back_stalled(NOW))
    assert (jobs("doing"), jobs("todo")) == ([], ["onboarding.go_on"])
    run(killed_at_work(1))


def test_another_try_that_waits_already_is_the_one_that_goes_on() -> None:
    go_on.defer()
    run(killed_at_work(1))
    go_on_soon()
    with pytest.raises(AssertionError):
        run(killed_at_work(1))
    run(take_back_stalled(NOW))
    assert (jobs("doing"), jobs("todo")) == ([], ["onboarding.go_on"])
    run(killed_at_work(1))


def test_what_runs_is_left_alone() -> None:
    place_phone_call.defer(state_id=28, phone_call_id="")

    async def while_it_runs() -> None:
        alive = await app.job_manager.register_worker()
        await app.job_manager.fetch_job(queues=None, worker_id=alive)
        await take_back_stalled(NOW)
        await app.job_manager.unregister_worker(alive)

    run(while_it_runs())
    assert (jobs("doing"), jobs("todo")) == (["calls.place_phone_call"], [])


def test_what_is_done_leaves_no_row() -> None:
    go_on.defer()
    with job_worker() as process:
        deadline = time.monotonic() + SECONDS
        while jobs("todo") + jobs("doing") and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        assert process.wait(SECONDS) == 0
    assert ProcrastinateJob.objects.count() == 0


def test_an_operator_who_does_not_answer_holds_up_messages_only() -> None:
    at = clock.now()
    OutgoingMessage.objects.bulk_create(
        OutgoingMessage(
            mobile=f"+9198765{number:05}",
            text="Your turn is near",
            purpose="near",
            language="en",
            queued_at=at,
            next_attempt_at=at,
            expires_at=at + datetime.timedelta(hours=1),
        )
        for number in range(4 * BATCH)
    )
    for sender in range(4):
        send_queued.configure(queueing_lock=f"sender {sender}").defer()
    with (
        socket.create_server(("127.0.0.1", 0), backlog=1_000) as operator,
        job_worker(
            SANJEEVANI_SMS_BACKEND="sanjeevani.messaging.sms_gateway.HttpGateway",
            SANJEEVANI_SMS_GATEWAY_URL=f"http://127.0.0.1:{operator.getsockname()[1]}",
        ),
    ):
        # By now they wait for the answer.
        operator.accept()[0].close()
        time.sleep(1)
        place_phone_call.defer(state_id=28, phone_call_id=str(uuid.uuid4()))
        deadline = time.monotonic() + HttpGateway.timeout_seconds
        while "calls.place_phone_call" in jobs("todo") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "calls.place_phone_call" not in jobs("todo")
        assert "messaging.send_queued" in jobs("doing")
