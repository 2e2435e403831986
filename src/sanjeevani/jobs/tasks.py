"""Periodic work: on the deferred jobs themselves, and on what is late by minutes."""

from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

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


@app.periodic(cron="* * * * *")
@app.task(name="jobs.end_silent_duties", queueing_lock="jobs.end_silent_duties")
def end_silent_duties_again(timestamp: int) -> None:
    """Once a minute."""
    end_silent_duties()
