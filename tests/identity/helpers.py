"""Codes as a patient gets them, and threads that start together."""

import datetime
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db import connections
from pytest_django import Settings

from sanjeevani.foundation import clock
from sanjeevani.identity.limits import LIMITS
from sanjeevani.messaging.models import OutgoingMessage


def sent_code(mobile: str) -> str:
    """Return the code of the newest message to a mobile."""
    message = OutgoingMessage.objects.filter(mobile=mobile).latest("queued_at")
    found = re.search(r"\b\d{6}\b", message.text)
    assert found
    return found.group()


def lift_limits(settings: Settings) -> None:
    """Let nobody ask or guess too often: for tests of what comes after."""
    settings.SIGN_IN_LIMITS = dict.fromkeys(LIMITS, (10_000, 60))


def at(instant: datetime.datetime) -> AbstractContextManager[None]:
    """Let it be that instant inside the block."""
    return clock.driven_by(lambda: instant)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the jobs in threads that start together; return what each returned or raised."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = []

    def run(job: Callable[[], Any]) -> None:
        try:
            barrier.wait(20)
            result = job()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            result = error
        finally:
            connections.close_all()
        results.append(result)

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
