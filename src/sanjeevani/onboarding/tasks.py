"""Imports in the background.

Each runs in a process of its own: reading half a million rows beside the relay would hold up the
hints of a whole nation, and its memory goes when it ends.
"""

import contextlib
import datetime
import logging
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from sanjeevani.foundation import clock
from sanjeevani.onboarding.proceeding import hanging, waiting
from sanjeevani.onboarding.services import forget_unused

logger = logging.getLogger(__name__)

Key = tuple[int, uuid.UUID]

NICE = 10
AT_ONCE = 3
"""One that hangs, or takes an hour, keeps one of these places; the others are for the others."""
PATIENCE = datetime.timedelta(hours=1)
"""So long after its lease a process is ended: undoing is one transaction, which gives no sign."""
PAUSE = datetime.timedelta(seconds=10)
"""Between two processes for one import, should each end before it has begun."""
LOOK_SECONDS = 1.0


@app.periodic(cron="* * * * *")
@app.task(name="onboarding.go_on", queueing_lock="onboarding.go_on", lock="onboarding.go_on")
def go_on(timestamp: int | None = None) -> None:
    """Work on the imports that wait, also on those whose process has died, some side by side.

    As long as one runs, those that come meanwhile are begun here: a second job waits for this one.
    """
    running: dict[Key, subprocess.Popen[bytes]] = {}
    begun: dict[Key, datetime.datetime] = {}
    while True:
        _end_hanging(running)
        for key in [key for key, process in running.items() if process.poll() is not None]:
            del running[key]
        now = clock.now()
        for key in waiting():
            if len(running) >= AT_ONCE:
                break
            if key not in running and (key not in begun or now - begun[key] >= PAUSE):
                begun[key] = now
                running[key] = _worker_on(key)
        if not running:
            return
        time.sleep(LOOK_SECONDS)


def _worker_on(key: Key) -> subprocess.Popen[bytes]:
    state_id, import_id = key
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sanjeevani",
            "import-network",
            "--go-on",
            f"{state_id}:{import_id}",
        ],
        preexec_fn=lambda: os.nice(NICE),
        stdout=subprocess.DEVNULL,
    )


def _end_hanging(running: Mapping[Key, subprocess.Popen[bytes]]) -> None:
    """End the processes of which nothing has come for long: another try follows, and then it stops
    and says so, as it does when a process dies."""
    for key in hanging(running, clock.now() - PATIENCE):
        if running[key].poll() is None:
            logger.error("import %s:%s hangs and is ended", *key)
            running[key].kill()
            running[key].wait()


def go_on_soon() -> None:
    """Let the work begin now rather than at the full minute."""
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        go_on.defer()


@app.periodic(cron="37 3 * * *")
@app.task(name="onboarding.forget_unused", queueing_lock="onboarding.forget_unused")
def forget_files(timestamp: int) -> None:
    """Delete once a day the files of imports that nobody went on with."""
    forget_unused()
