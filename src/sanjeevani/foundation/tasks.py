"""Periodic work of the foundation."""

from procrastinate.contrib.django import app

from sanjeevani.foundation import idempotency, outbox


@app.periodic(cron="17 3 * * *")
@app.task(name="foundation.forget_old_keys", queueing_lock="foundation.forget_old_keys")
def forget_old_keys(timestamp: int) -> None:
    """Delete idempotency keys that nobody will send again."""
    idempotency.forget_old_keys()


@app.periodic(cron="53 2 * * *")
@app.task(name="foundation.forget_old_facts", queueing_lock="foundation.forget_old_facts")
def forget_old_facts(timestamp: int) -> None:
    """Delete facts that everybody has read: ten million come a day, and the disk is one."""
    outbox.forget_old_facts()
