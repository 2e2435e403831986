"""Periodic messages."""

from procrastinate.contrib.django import app

from sanjeevani.notifications import handlers, recalls


@app.periodic(cron="7 * * * *")
@app.task(name="notifications.tell_handlers", queueing_lock="notifications.tell_handlers")
def tell_handlers(timestamp: int) -> None:
    """Every hour, so that a worker that stood still in the morning makes up for it."""
    handlers.tell_handlers()


@app.periodic(cron="23 * * * *")
@app.task(name="notifications.recall_patients", queueing_lock="notifications.recall_patients")
def recall_patients(timestamp: int) -> None:
    """Every hour by day, so that a worker that stood still in the morning makes up for it."""
    recalls.recall_patients()
