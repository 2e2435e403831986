"""Periodic work on identity."""

from procrastinate.contrib.django import app

from sanjeevani.identity import services


@app.periodic(cron="*/10 * * * *")
@app.task(name="identity.forget_expired", queueing_lock="identity.forget_expired")
def forget_expired(timestamp: int) -> None:
    """Delete codes, counters and sessions whose time is over."""
    services.forget_expired()
