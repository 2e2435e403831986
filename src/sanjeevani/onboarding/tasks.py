"""Imports in the background.

Each runs in a process of its own: reading half a million rows beside the relay would hold up the
hints of a whole nation, and its memory goes when it ends.
"""

import contextlib
import os
import subprocess
import sys

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from sanjeevani.onboarding.proceeding import waiting
from sanjeevani.onboarding.services import forget_unused

NICE = 10


@app.periodic(cron="* * * * *")
@app.task(name="onboarding.go_on", queueing_lock="onboarding.go_on", lock="onboarding.go_on")
def go_on(timestamp: int | None = None) -> None:
    """Work on the imports that wait, also on those whose process has died."""
    for state_id, import_id in waiting():
        subprocess.run(
            [
                sys.executable,
                "-m",
                "sanjeevani",
                "import-network",
                "--go-on",
                f"{state_id}:{import_id}",
            ],
            check=False,
            preexec_fn=lambda: os.nice(NICE),
            stdout=subprocess.DEVNULL,
        )


def go_on_soon() -> None:
    """Let the work begin now rather than at the full minute."""
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        go_on.defer()


@app.periodic(cron="37 3 * * *")
@app.task(name="onboarding.forget_unused", queueing_lock="onboarding.forget_unused")
def forget_files(timestamp: int) -> None:
    """Delete once a day the files of imports that nobody went on with."""
    forget_unused()
