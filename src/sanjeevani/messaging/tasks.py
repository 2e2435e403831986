"""Deferred and periodic work on messages."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.messaging import services


@app.periodic(cron="* * * * *")
@app.task(name="messaging.send_queued", queueing_lock="messaging.send_queued", queue="messages")
def send_queued(timestamp: int | None = None) -> None:
    """Send what is due. Every minute too, so that a lost job costs a minute, not the message."""
    retry_at = services.send_queued()
    if retry_at is not None:
        # One for each second: a message that is due soon must not wait for one that is due later.
        retry_at = retry_at.replace(microsecond=0) + datetime.timedelta(seconds=1)
        _defer_once(f"messaging.retry.{retry_at:%M%S}", retry_at)


@app.periodic(cron="17 3 * * *")
@app.task(name="messaging.forget_old_messages", queueing_lock="messaging.forget_old_messages")
def forget_old_messages(timestamp: int) -> None:
    """Delete old messages once a day."""
    services.forget_old_messages()


def send_soon(_facts: Sequence[StoredFact]) -> None:
    """Listener of `MessageQueued`: one job sends the whole batch."""
    _defer_once("messaging.send_queued")


def _defer_once(queueing_lock: str, schedule_at: datetime.datetime | None = None) -> None:
    """Defer the sending unless a job that has yet to start will do it.

    Retries have locks of their own: a job that waits for its time must not hold up new messages.
    """
    try:
        with transaction.atomic():
            send_queued.configure(queueing_lock=queueing_lock, schedule_at=schedule_at).defer()
    except AlreadyEnqueued:
        pass
