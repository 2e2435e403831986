"""Periodic work of reporting."""

from procrastinate.contrib.django import app

from sanjeevani.reporting.presence import count_presence


@app.periodic(cron="* * * * *")
@app.task(name="reporting.count_presence", queueing_lock="reporting.count_presence")
def count_presence_again(timestamp: int) -> None:
    """Count who is on duty: OPDs open and close without a fact about duty."""
    count_presence()
