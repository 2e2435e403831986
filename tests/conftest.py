"""The tests' own PostgreSQL and NATS: real servers, made for one run and gone after it.

The environment is set on import, before Django's settings are read. The process that pytest was
started in owns PostgreSQL; the workers of `-n` inherit its environment and share the cluster, each
with a database of its own. Every process has its own NATS.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django
import hypothesis
import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation
from filelock import FileLock
from pytest_django.plugin import DjangoDbBlocker

from sanjeevani.config.embedded import EmbeddedPostgres
from tests.statements import watch_statements


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


OWN_WORKER = {"test_gallery.py", "test_lookups.py"}
WORKER = "PYTEST_XDIST_WORKER" in os.environ
if not WORKER:
    for name in [name for name in os.environ if name.startswith("SANJEEVANI_")]:
        del os.environ[name]
    # PostgreSQL runs as another user when we are root, and must reach its folder.
    data_dir = Path(tempfile.mkdtemp(prefix="sanjeevani-test-"))
    data_dir.chmod(0o711)
    # Where the web workers would find the collected files; whitenoise asks for the folder.
    (data_dir / "static").mkdir()
    os.environ["SANJEEVANI_DATA"] = str(data_dir)
DATA_DIR = Path(os.environ["SANJEEVANI_DATA"])
POSTGRES = EmbeddedPostgres(DATA_DIR, durable=False)
os.environ.update(POSTGRES.environment())
os.environ["SANJEEVANI_NATS_URL"] = f"nats://127.0.0.1:{free_port()}"
os.environ["DJANGO_SETTINGS_MODULE"] = "sanjeevani.config.settings"
# Other conftest modules import models, and the plugin sets up only what it finds configured.
django.setup()
# A worker inherits the variable above, so that the plugin has read the settings before this line.
settings.NATS_URL = os.environ["SANJEEVANI_NATS_URL"]

# No test measures time, and on a busy machine drawing an example may take a second.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

_cleanup = contextlib.ExitStack()
if not WORKER:
    _cleanup.callback(shutil.rmtree, DATA_DIR, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL, once for all workers."""
    if not WORKER and not config.option.collectonly:
        _cleanup.enter_context(POSTGRES.running())
    watch_statements()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file that starts servers or browsers for itself on one worker."""
    for item in items:
        wanted = item.path.parent.name in {"api", "gateway"} or item.path.name in OWN_WORKER
        if wanted and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_unconfigure() -> None:
    """Stop PostgreSQL and remove what the run made."""
    _cleanup.close()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Make the test database as its owner, whichever aliases the tests name.

    The plugin would set up only those that are named, and a mirror does not migrate.
    """
    with django_db_blocker.unblock():
        made = setup_databases(
            0,
            interactive=False,
            aliases={"default": False, "owner": False},
            serialized_aliases=[],
        )
    yield
    with django_db_blocker.unblock():
        connections["default"].close()
        teardown_databases(made, 0)


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    """A running NATS server: the one that `settings.NATS_URL` names."""
    url = os.environ["SANJEEVANI_NATS_URL"]
    port = int(url.rpartition(":")[2])
    server = subprocess.Popen(
        [
            "setpriv",
            "--pdeathsig=TERM",
            Path(sys.executable).with_name("nats-server"),
            "-a",
            "127.0.0.1",
            "-p",
            str(port),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _attempt in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.05):
                break
            time.sleep(0.05)
        else:
            pytest.fail("the NATS server does not answer")
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """What one test reads in Hindi, the next does not."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Collect the static files once for all workers: their addresses carry their digests."""
    from django.core.management import call_command

    with FileLock(DATA_DIR / "static.lock"):
        if not (settings.STATIC_ROOT / "staticfiles.json").exists():
            call_command("collectstatic", interactive=False, verbosity=0)
