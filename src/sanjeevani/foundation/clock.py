"""The one source of time, so that a simulated day runs the same code as a real one."""

import contextlib
import datetime
from collections.abc import Callable, Iterator

from django.utils import timezone

_source: Callable[[], datetime.datetime] = timezone.now


def now() -> datetime.datetime:
    """Return the present instant, aware, in UTC."""
    return _source()


def today() -> datetime.date:
    """Return the calendar day in India, where every tenant keeps one time zone."""
    return timezone.localdate(now())


@contextlib.contextmanager
def driven_by(source: Callable[[], datetime.datetime]) -> Iterator[None]:
    """Take the time from `source` inside the block: simulations and tests."""
    global _source
    previous, _source = _source, source
    try:
        yield
    finally:
        _source = previous
