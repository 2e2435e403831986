"""Periodic work of grievances."""

import contextlib
import datetime

from procrastinate.contrib.django import app

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.sharding import across_states
from sanjeevani.grievance.queries import numbers_to_close
from sanjeevani.grievance.services import REOPEN_DAYS, close


@app.periodic(cron="41 2 * * *")
@app.task(name="grievance.close_settled", queueing_lock="grievance.close_settled")
def close_settled(timestamp: int) -> None:
    """Close what was answered and not disputed within thirty days."""
    before = clock.now() - datetime.timedelta(days=REOPEN_DAYS)
    while True:
        with across_states():
            numbers = numbers_to_close(before)
        for number in numbers:
            # Disputed in the meantime after all: it stays open.
            with contextlib.suppress(Stale):
                close(SYSTEM, number=number)
        if not numbers:
            return
