"""Periodic work of documents."""

from procrastinate.contrib.django import app

from sanjeevani.documents.links import remove_expired_links


@app.periodic(cron="23 2 * * *")
@app.task(name="documents.forget_expired_links", queueing_lock="documents.forget_expired_links")
def forget_expired_links(timestamp: int) -> None:
    """Delete links that nobody can open any more."""
    remove_expired_links()
