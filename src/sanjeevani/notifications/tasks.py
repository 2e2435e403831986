"""Periodic messages."""

from procrastinate.contrib.django import app

from sanjeevani.notifications import handlers


@app.periodic(cron="7 * * * *")
@app.task(name="notifications.tell_handlers", queueing_lock="notifications.tell_handlers")
def tell_handlers(timestamp: int) -> None:
    """Every hour, so that a worker that stood still in the morning makes up for it."""
    handlers.tell_handlers()
