"""What pages need to be rendered: the collected static files."""

import pytest
from django.conf import settings
from django.core.management import call_command
from filelock import FileLock

from tests.terminology.conftest import _reference_committed, reference

__all__ = ["_reference_committed", "reference"]


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Collect the static files once for all workers: their addresses carry their digests."""
    with FileLock(settings.DATA_DIR / "static.lock"):
        if not settings.STATIC_ROOT.exists():
            call_command("collectstatic", interactive=False, verbosity=0)
