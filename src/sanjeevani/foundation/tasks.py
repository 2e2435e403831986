"""Periodic work of the foundation."""

from procrastinate.contrib.django import app

from sanjeevani.foundation import idempotency


@app.periodic(cron="17 3 * * *")
@app.task(name="foundation.forget_old_keys", queueing_lock="foundation.forget_old_keys")
def forget_old_keys(timestamp: int) -> None:
    """Delete idempotency keys that nobody will send again."""
    idempotency.forget_old_keys()
