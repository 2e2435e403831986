"""How often somebody may ask. What is refused counts too, and a program run wild is slowed."""

import contextlib
import math
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator

from sanjeevani.foundation.errors import DomainError, TooMany
from sanjeevani.identity.limits import count_attempt, limit_of


@contextlib.contextmanager
def refusals_counted(limit: str, account_id: uuid.UUID) -> Iterator[None]:
    """Count against a limit of the account what is refused inside.

    A refusal takes back all that its transaction stored, its own count as well.
    """
    try:
        yield
    except TooMany:
        raise
    except DomainError:
        count_attempt(limit, str(account_id))
        raise


class Pace:
    """How many requests each account may send, by a bucket that fills again as time goes.

    Each process keeps its own: it stops a program run wild, not one request too many, and costs no
    statement. The accounts that asked last are remembered.
    """

    def __init__(self, limit: str, *, accounts: int = 50_000) -> None:
        self._limit = limit
        self._accounts = accounts
        self._buckets: OrderedDict[uuid.UUID, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, account_id: uuid.UUID, at: float | None = None) -> None:
        """Take one request from the account's bucket at a monotonic time. Raises TooMany."""
        at = time.monotonic() if at is None else at
        most, seconds = limit_of(self._limit)
        with self._lock:
            left, since = self._buckets.pop(account_id, (float(most), at))
            left = min(most, left + (at - since) * most / seconds)
            self._buckets[account_id] = (left - 1 if left >= 1 else left, at)
            if len(self._buckets) > self._accounts:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooMany(max(1, math.ceil((1 - left) * seconds / most)))
