"""Bring a database to what this version of the product needs."""

import os

import django
from django.conf import settings
from django.core.management import call_command


def prepare() -> None:
    """Migrate as the owner, load reference data, collect static files; load demo data once.

    Safe to repeat. `SANJEEVANI_DEMO=0`, and production, leave the demo data out.
    """
    django.setup()
    # Models can be imported only now.
    from sanjeevani.directory.services import load_states

    call_command("migrate", database="owner", interactive=False)
    call_command("load_reference")
    load_states()
    call_command("collectstatic", interactive=False, verbosity=0)
    loaded = settings.DATA_DIR / "demo-loaded"
    wanted = os.environ.get("SANJEEVANI_DEMO", "0" if settings.PRODUCTION else "1") == "1"
    if wanted and not loaded.exists():
        call_command("load_demo")
        loaded.touch()
