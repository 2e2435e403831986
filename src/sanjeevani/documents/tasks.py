"""Periodic work of documents."""

import datetime

from procrastinate.contrib.django import app

from sanjeevani.documents.links import remove_expired_links
from sanjeevani.documents.uploads import FOLDERS, remove_lost_files


@app.periodic(cron="23 2 * * *")
@app.task(name="documents.forget_expired_links", queueing_lock="documents.forget_expired_links")
def forget_expired_links(timestamp: int) -> None:
    """Delete links that nobody can open any more."""
    remove_expired_links()


@app.periodic(cron="47 * * * *")
@app.task(name="documents.forget_lost_files", queueing_lock="documents.forget_lost_files")
def forget_lost_files(timestamp: int) -> None:
    """Delete files without a row: every hour a part of the folders, each of them once a day."""
    hour = datetime.datetime.fromtimestamp(timestamp, datetime.UTC).hour
    remove_lost_files(FOLDERS[hour::24])
