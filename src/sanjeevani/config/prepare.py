"""Bring a database to what this version of the product needs."""

import os
import sys
import time

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

SECONDS_FOR_LOCK = 4
"""Whoever waits for a table holds up all who come to it later: patients, while another version
serves. So it is waited for a little at a time, and let go in between."""
PAUSE_SECONDS = 5
TRIES = 100


def prepare() -> None:
    """Migrate as the owner, load reference data, collect static files; load demo data once.

    Safe to repeat. `SANJEEVANI_DEMO=0`, and production, leave the demo data out.
    """
    django.setup()
    # Models can be imported only now.
    from sanjeevani.directory.services import load_states

    migrate()
    call_command("load_reference")
    load_states()
    call_command("collectstatic", interactive=False, verbosity=0)
    loaded = settings.DATA_DIR / "demo-loaded"
    wanted = os.environ.get("SANJEEVANI_DEMO", "0" if settings.PRODUCTION else "1") == "1"
    if wanted and not loaded.exists():
        call_command("load_demo")
        loaded.touch()


def migrate() -> None:
    """Migrate as the owner, beside a version that serves. Each migration is done in whole or not.

    Raises OperationalError when a table stays in use for a quarter of an hour.
    """
    for left in reversed(range(TRIES)):
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{SECONDS_FOR_LOCK}s'")
        try:
            call_command("migrate", database="owner", interactive=False)
            return
        except OperationalError as failure:
            if not left or not isinstance(failure.__cause__, LockNotAvailable):
                raise
            sys.stdout.write("\nA table is in use, perhaps by an import: trying again.\n")
            sys.stdout.flush()
            time.sleep(PAUSE_SECONDS)
