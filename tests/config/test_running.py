"""`sanjeevani run`, seen from the operator's chair."""

import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from sanjeevani.config.processes import CannotRun, Installation
from sanjeevani.config.running import _Stopping, _Supervisor, _version
from tests.product import Product, free_ports

pytestmark = pytest.mark.xdist_group("running")


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def refusal(product: Product) -> str:
    """Start what must be refused; return its one line."""
    assert product.start().ended() == 1
    (line,) = product.lines
    return line


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    # Without demo data: this file is about processes, and its time counts.
    with Product(variables={"SANJEEVANI_DEMO": "0"}) as started:
        yield started


def test_it_says_that_it_is_alive_and_ready(product: Product) -> None:
    assert httpx.get(f"{product.url}/healthz", timeout=60).status_code == 200
    ready = httpx.get(f"{product.url}/readyz", timeout=60)
    assert ready.json() == {"database": True, "bus": True, "migrations": True}


def test_secrets_are_for_their_owner_only(product: Product) -> None:
    private = [*(product.data_dir / "secrets").iterdir(), product.data_dir / "nats.conf"]
    assert len(private) >= 3
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_the_first_page_is_served(product: Product) -> None:
    assert httpx.get(product.url, follow_redirects=True, timeout=60).status_code == 200


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_a_busy_port_is_refused_in_one_line(tmp_path: Path, offset: int) -> None:
    port = free_ports(3)
    with socket.create_server(("127.0.0.1", port + offset)):
        line = refusal(Product(tmp_path / "data", port))
    assert f"port {port + offset}" in line
    assert "PORT=" in line


def test_a_second_copy_on_the_same_data_is_refused_in_one_line(product: Product) -> None:
    line = refusal(Product(product.data_dir))
    assert "already running" in line
    assert product.ready()


def test_data_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file" in refusal(Product(tmp_path / "file" / "data"))


def test_a_port_that_is_no_number_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "PORT" in refusal(Product(tmp_path, variables={"PORT": "eighty"}))


def test_a_path_that_supervisor_would_misread_is_refused_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    assert "%" in refusal(Product(tmp_path / "100%"))


@pytest.mark.parametrize(
    "name", [pytest.param("granian", marks=pytest.mark.verify), "nats-server", "pginstall18"]
)
def test_what_is_killed_comes_back(product: Product, name: str) -> None:
    killed = psutil.Process(product.child(name))
    workers = killed.children(recursive=True)
    killed.kill()
    wait_for(lambda: product.child(name) not in {None, killed.pid})
    wait_for(product.ready)
    # Nothing of the old one serves on beside the new one.
    wait_for(lambda: not {worker.pid for worker in workers} & product.process_ids())


def test_a_killed_web_worker_comes_back_without_a_gap(product: Product) -> None:
    main = psutil.Process(product.child("granian"))

    def serving() -> list[psutil.Process]:
        """List the workers that have their own ear at the port."""
        return [
            child
            for child in main.children()
            if any(
                connection.status == psutil.CONN_LISTEN for connection in child.net_connections()
            )
        ]

    wait_for(lambda: len(serving()) > 1)
    worker, *others = serving()
    ears = _sockets_of(worker) - _sockets_of(main)
    worker.kill()
    # What asks at an ear that is still open is lost: threads hold it longer than the process lives.
    wait_for(lambda: ears.isdisjoint(_open_sockets()))
    for _request in range(20):
        # A busy machine may be slow; what must not be is a connection that nobody takes.
        assert httpx.get(f"{product.url}/healthz", timeout=60).status_code == 200
    wait_for(lambda: len(serving()) == len(others) + 1)


def _sockets_of(process: psutil.Process) -> set[str]:
    files = Path(f"/proc/{process.pid}/fd").iterdir()
    return {name for file in files if (name := str(file.readlink())).startswith("socket:")}


def _open_sockets() -> set[str]:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {f"socket:[{row.split()[9]}]" for row in rows}


def test_a_migration_of_hours_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Broken off, it would begin anew at each start, and never end."""
    place = Installation(tmp_path, "127.0.0.1", free_ports(3))
    place.logs.mkdir()
    hours = itertools.count()
    begin = subprocess.Popen
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: 3600.0 * next(hours))
        patched.setattr(time, "sleep", lambda _seconds: None)
        patched.setattr(_Supervisor, "states", lambda _self: {})
        patched.setattr(
            subprocess, "Popen", lambda *_command, **given: begin(["sleep", "0.5"], **given)
        )
        _Supervisor(place, tmp_path, {"PATH": os.environ["PATH"]}, _Stopping()).prepare()
    assert (tmp_path / "prepared").exists()
    assert "Still preparing the database" in capsys.readouterr().out


def test_a_start_that_lacks_migrations_says_so_and_the_next_one_prepares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database of a backup, for example, is older than the data folder remembers."""
    module = "sanjeevani.config.running"
    place = Installation(tmp_path, "127.0.0.1", free_ports(3))
    (tmp_path / "prepared").write_text("this version")
    state = {"database": True, "bus": True, "migrations": False}
    monkeypatch.setattr(f"{module}._state_of", lambda _place: state)
    monkeypatch.setattr(f"{module}.SECONDS_TO_ANSWER", 0)
    monkeypatch.setattr(_Supervisor, "states", lambda _self: {})
    with pytest.raises(CannotRun, match="the web pages lack migrations"):
        _Supervisor(place, tmp_path, {}, _Stopping()).wait_until_ready()
    assert not (tmp_path / "prepared").exists()


def test_another_database_is_prepared_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    own = _version()
    monkeypatch.setenv("SANJEEVANI_DB_HOST", "db.example.in")
    assert _version() != own


def test_a_disk_that_fills_is_told_once_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping = _Stopping()
    free = [5_000, 200, 100, 5_000, 250]

    def next_free(_place: Installation) -> int:
        stopping.asked = len(free) == 1
        return free.pop(0)

    monkeypatch.setattr("sanjeevani.config.running._free_megabytes", next_free)
    monkeypatch.setattr(_Supervisor, "states", lambda _self: {})
    monkeypatch.setattr(_Stopping, "wait", lambda self, _seconds: self.asked)
    place = Installation(tmp_path, "127.0.0.1", free_ports(3))
    _Supervisor(place, tmp_path, {}, stopping).watch()
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" MB")[0] for line in told] == ["Only 200", "Only 250"]


def test_in_production_it_becomes_ready_and_hears_its_own_processes() -> None:
    """By its own address, which is not the one that patients type."""
    variables = {
        "SANJEEVANI_MODE": "production",
        "SANJEEVANI_PUBLIC_URL": "https://health.example.in",
        "SANJEEVANI_GATEWAY_URL": "https://health.example.in",
        "SANJEEVANI_ALLOWED_HOSTS": "health.example.in",
        "SANJEEVANI_TRUSTED_PROXIES": "1",
        "SANJEEVANI_SMS_GATEWAY_URL": "http://127.0.0.1:9/",
        "SANJEEVANI_METRICS_TOKEN": "a token",
    }
    with Product(variables=variables) as product:
        inside = f"http://127.0.0.1:{product.port}"
        token = {"Authorization": "Bearer a token"}
        assert httpx.get(f"{inside}/metrics", headers=token, timeout=60).status_code == 200
        # Not signed; what is signed is read.
        report = httpx.post(f"{inside}/internal/calls/seats", json={}, timeout=60)
        assert report.status_code == 403
        other = httpx.get(f"{inside}/", headers={"Host": "other.example.in"}, timeout=60)
        assert other.status_code == 400


def test_it_survives_a_killed_supervisor_and_stops_without_leaving_anything(
    product: Product,
) -> None:
    supervisor = next(
        process for process in product.processes() if "supervisord" in " ".join(process.cmdline())
    )
    supervisor.kill()
    assert product.ended() == 1
    assert "supervisor stopped unexpectedly" in product.lines[-1]
    assert product.processes() == []

    product.lines.clear()
    product.start()
    product.wait_until_ready()
    # What makes the second start fast, said without a clock.
    assert "Preparing the database" not in product.lines
    assert product.stop(signal.SIGINT) == 0
    assert product.processes() == []
