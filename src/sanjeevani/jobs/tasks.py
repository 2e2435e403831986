"""Periodic work: on the deferred jobs themselves, and on what is late by minutes."""

import datetime

from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from sanjeevani.foundation import clock
from sanjeevani.jobs.sweeper import end_silent_duties


@app.periodic(cron="* * * * *")
@app.task(name="jobs.take_back_stalled", queueing_lock="jobs.take_back_stalled")
async def take_back_stalled(timestamp: int) -> None:
    """Let jobs be done again whose worker was killed, within two minutes.

    Left alone they count as running for ever: their lock would hold up all that come after them.
    """
    for job in await app.job_manager.get_stalled_jobs():
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # Another one that does the same waits already.
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


HEARD_AGAIN = datetime.timedelta(minutes=5)
"""So long after a gap every desk that is open has asked: each does once a minute."""
LONGEST_GAP = datetime.timedelta(minutes=3)
"""Between two looks, which come once a minute. Beyond it the service was down, or asleep, or its
clock was set."""


class Listening:
    """Since when the service has heard without a gap who has the desk open.

    Kept in the process: one that starts anew knows of nothing before.
    """

    def __init__(self) -> None:
        self._since: datetime.datetime | None = None
        self._last: datetime.datetime | None = None

    def is_long_enough(self) -> bool:
        """Tell, once a minute, whether whoever was not heard of has been silent indeed."""
        now = clock.now()
        goes_on = self._last is not None and abs(now - self._last) <= LONGEST_GAP
        if self._since is None or not goes_on:
            self._since = now
        self._last = now
        return now - self._since >= HEARD_AGAIN


_listening = Listening()


@app.periodic(cron="* * * * *")
@app.task(name="jobs.end_silent_duties", queueing_lock="jobs.end_silent_duties")
def end_silent_duties_again(timestamp: int) -> None:
    """Once a minute. After an outage every desk seems silent, and nobody's duty ends for that."""
    if _listening.is_long_enough():
        end_silent_duties()
