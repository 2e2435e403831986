"""Periodic work of intake."""

from procrastinate.contrib.django import app

from sanjeevani.intake.services import forget_drafts


@app.periodic(cron="29 2 * * *")
@app.task(name="intake.forget_drafts", queueing_lock="intake.forget_drafts")
def forget_old_drafts(timestamp: int) -> None:
    """Delete what was typed and photographed and never sent."""
    forget_drafts()
