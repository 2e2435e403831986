"""Real threads on committed data: every race here is held on PostgreSQL itself."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from sanjeevani.foundation.sharding import TableKind, manifest

T = TypeVar("T")

RUNS = [0, *(pytest.param(run, marks=pytest.mark.verify) for run in range(1, 10))]
"""How often every race is held: a fault that shows in half the runs hides in one of 1,024.

One of the ten at every change, the others with the long proofs.
"""

SHAKE_SECONDS = 0.01

KINDS_EMPTIED = (TableKind.SHARDED, TableKind.KEYED, TableKind.LOCAL)
REFERENCE_EMPTIED = ("directory_state", "directory_servedstate")


@contextlib.contextmanager
def committed_rows(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Data that other connections see. Afterwards the owner empties what tests fill."""
    with blocker.unblock():
        try:
            yield
        finally:
            tables = ", ".join(
                f'"{table}"'
                for table, kind in manifest().items()
                if kind in KINDS_EMPTIED or table in REFERENCE_EMPTIED
            )
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"TRUNCATE {tables}")
            connections["default"].close()
            connections["owner"].close()


@pytest.fixture(params=RUNS, ids=lambda run: f"run{run}")
def committed(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Committed rows, as often as every race is held."""
    with committed_rows(django_db_blocker):
        yield


def at_once(
    calls: Sequence[Callable[[], T]],
    threads: int,
    expected: type[Exception] | tuple[type[Exception], ...] = (),
    *,
    shaken: bool = False,
) -> list[T | Exception]:
    """Run all calls on so many threads that start together; return results in the calls' order.

    An `expected` error is a result; any other fails the test. Each thread has a connection of its
    own, which it opens before the start and closes at its end. `shaken`: every call starts some
    milliseconds off, so that each side of a race of two wins at times.
    """
    start = threading.Barrier(threads)
    pending = iter(range(len(calls)))
    taking = threading.Lock()
    results: list[T | Exception | None] = [None] * len(calls)

    def work() -> None:
        with contextlib.closing(connections["default"]):
            connections["default"].ensure_connection()
            start.wait(30)
            while True:
                with taking:
                    index = next(pending, None)
                if index is None:
                    return
                if shaken:
                    time.sleep(random.uniform(0, SHAKE_SECONDS))
                try:
                    results[index] = calls[index]()
                except expected as error:
                    results[index] = error

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work) for _thread in range(threads)]:
            future.result(60)
    return results  # type: ignore[return-value]
