"""`sanjeevani run`: prepare the data folder, run everything under supervisor, tell the operator.

Supervisor restarts what dies. Every process is told by the kernel when its parent dies, and
carries a mark by which a later start finds what is left over all the same.
"""

import contextlib
import errno
import hashlib
import http.client
import importlib.metadata
import json
import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

import filelock
import psutil
from supervisor.xmlrpc import SupervisorTransport

from sanjeevani.config.embedded import EmbeddedFailure, runtime_dir
from sanjeevani.config.processes import (
    CannotRun,
    Installation,
    Program,
    environment,
    installation,
    programs,
)
from sanjeevani.config.secrets import read_secret

PACKAGE_DIR = Path(__file__).resolve().parent.parent
ENOUGH_MEGABYTES = 300
"""Free space below which a start is refused: a database that fills the disk stops half-way."""
OPEN_FILES = 65_536
MARK = "SANJEEVANI_SUPERVISED"
"""In the environment of everything we start, with the data folder: how leftovers are known."""

SECONDS_BETWEEN_SIGNS = 60
"""Preparing takes as long as it takes: a migration that is broken off begins anew the next time."""
SECONDS_TO_ANSWER = 180
SECONDS_TO_STOP = 40
SECONDS_FOR_LEFTOVERS = 3
"""Short: their database is down by then, so patience saves no work."""


class _Stopping:
    """Whether we were told to stop.

    A plain flag: a `threading.Event` that a second signal sets again while the first is setting it
    waits for itself for ever.
    """

    def __init__(self) -> None:
        self.asked = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Sleep, and wake when asked to stop; say whether we were."""
        deadline = time.monotonic() + seconds
        while not self.asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return self.asked


def run() -> int:
    """Run the product until it is told to stop; return the exit status."""
    stopping = _Stopping()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stopping.ask)
    try:
        place = installation()
        with _only_copy(place):
            _serve(place, stopping)
    except (CannotRun, EmbeddedFailure) as refusal:
        print(f"sanjeevani: {refusal}", file=sys.stderr)
        return 1
    except OSError as failure:
        where = f" ({failure.filename})" if failure.filename else ""
        print(f"sanjeevani: cannot start: {failure.strerror}{where}", file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _only_copy(place: Installation) -> Iterator[None]:
    """Hold the data folder for this process alone."""
    place.data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    owner = place.data_dir.stat().st_uid
    if owner != os.geteuid():
        raise CannotRun(f"{place.data_dir} belongs to another user (number {owner}).")
    free = _free_megabytes(place)
    if free < ENOUGH_MEGABYTES:
        raise CannotRun(
            f"only {free} MB are free for {place.data_dir}; at least {ENOUGH_MEGABYTES} are needed."
        )
    lock = filelock.FileLock(place.data_dir / "run.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise CannotRun(f"another copy is already running on {place.data_dir}.") from None
    with lock:
        yield


def _free_megabytes(place: Installation) -> int:
    return shutil.disk_usage(place.data_dir).free // 2**20


def _serve(place: Installation, stopping: _Stopping) -> None:
    _raise_open_files()
    place.logs.mkdir(exist_ok=True, mode=0o700)
    _clear_leftovers(place)
    _refuse_busy_ports(place)
    listed = programs(place)
    if any(program.name == "postgres" for program in listed):
        place.postgres.prepare()
    variables = {**os.environ, **environment(place), MARK: str(place.data_dir), "SPT_NOENV": "1"}
    _write_bus_configuration(place)
    control = _write_supervisor_configuration(place, listed)
    with _Supervisor(place, control, variables, stopping) as supervisor:
        _say("Starting the database and the bus")
        supervisor.wait_until_services_answer([program.name for program in listed])
        if not stopping.asked:
            supervisor.prepare()
        if not stopping.asked:
            _say("Starting the web pages")
            later = [program for program in listed if not program.first]
            supervisor.start([program.name for program in later if not program.last])
            supervisor.wait_until_ready()
        if not stopping.asked:
            supervisor.start([program.name for program in later if program.last])
            _announce(place, variables)
            supervisor.watch()


def _say(text: str) -> None:
    # The terminal may have been closed; that must not keep us from stopping in order.
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _raise_open_files() -> None:
    """Every waiting phone is an open file of the gateway."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _refuse_busy_ports(place: Installation) -> None:
    wanted = [
        (place.host, place.port, "the web pages"),
        (place.host, place.gateway_port, "live updates"),
        ("127.0.0.1", place.bus_port, "the bus"),
    ]
    for host, port, purpose in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as failure:
                other = f" Choose another: PORT={place.port + 100} make run"
                raise CannotRun(
                    f"port {port}, for {purpose}, cannot be used: {failure.strerror}."
                    f"{other if failure.errno in {errno.EADDRINUSE, errno.EACCES} else ''}"
                ) from None


def _leftovers(place: Installation) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(place.data_dir):
                found.append(process)
    return found


def _clear_leftovers(place: Installation) -> None:
    """Stop what a killed supervisor left behind: the lock says that no other copy is alive."""
    place.postgres.clear_leftover()
    for stop in (psutil.Process.terminate, psutil.Process.kill):
        left = _leftovers(place)
        known = {process.pid for process in left}
        for process in left:
            with contextlib.suppress(psutil.Error):
                # A child is its parent's to stop: granian would start a new one.
                if stop is psutil.Process.kill or process.ppid() not in known:
                    stop(process)
        deadline = time.monotonic() + SECONDS_FOR_LEFTOVERS
        while _leftovers(place) and time.monotonic() < deadline:
            time.sleep(0.1)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _write_bus_configuration(place: Installation) -> None:
    token = read_secret("SANJEEVANI_NATS_TOKEN", place.data_dir)
    _write_private(
        place.data_dir / "nats.conf",
        f'listen: "127.0.0.1:{place.bus_port}"\nauthorization {{ token: "{token}" }}\n',
    )


def _write_supervisor_configuration(place: Installation, listed: list[Program]) -> Path:
    """Write `supervisord.conf`; return the path of the supervisor's socket."""
    control = runtime_dir(place.data_dir) / "supervisor.sock"
    # Said aloud, because supervisor warns of a root that nobody asked for.
    user = "user=root\n" if os.geteuid() == 0 else ""
    sections = [
        f"""\
[supervisord]
{user}nodaemon=true
silent=true
identifier=sanjeevani
directory={Path.cwd()}
logfile={place.logs / "supervisor.log"}
logfile_maxbytes=5MB
logfile_backups=3
pidfile={place.data_dir / "supervisor.pid"}
childlogdir={place.logs}

[unix_http_server]
file={control}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    ]
    sections += [
        f"""\
[program:{program.name}]
command={shlex.join(program.command)}
priority={number}
autostart={"true" if program.first else "false"}
autorestart=true
startsecs=5
startretries=1000
stopsignal={program.stop_signal}
stopwaitsecs=20
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={place.logs / program.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""
        for number, program in enumerate(listed, start=1)
    ]
    text = "\n".join(sections)
    if "%" in text:
        # Supervisor expands it, in some values twice.
        raise CannotRun(f"a % in the path of {place.data_dir} or the checkout cannot be used.")
    _write_private(place.data_dir / "supervisord.conf", text)
    return control


class _Supervisor:
    """supervisord as a child, and what is asked of it."""

    def __init__(
        self,
        place: Installation,
        control: Path,
        variables: dict[str, str],
        stopping: _Stopping,
    ) -> None:
        self.place = place
        self.variables = variables
        self.stopping = stopping
        self._control = control
        self._state: dict[str, bool] | None = None

    def __enter__(self) -> Self:
        with (self.place.logs / "supervisor.err").open("w") as errors:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig=TERM",
                    sys.executable,
                    "-m",
                    "supervisor.supervisord",
                    "-c",
                    self.place.data_dir / "supervisord.conf",
                ],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            _say("Stopping")
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_STOP)
        _clear_leftovers(self.place)

    def _remote(self) -> xmlrpc.client.ServerProxy:
        # The transport keeps a connection that it cannot use again after an error.
        return xmlrpc.client.ServerProxy(
            "http://localhost", SupervisorTransport(None, None, f"unix://{self._control}")
        )

    def states(self) -> dict[str, dict[str, Any]]:
        """Return supervisor's row of each program. Raises `CannotRun` when supervisor is gone."""
        if self._process.poll() is not None:
            raise CannotRun(f"the supervisor stopped unexpectedly; see {self.place.logs}.")
        try:
            rows: Any = self._remote().supervisor.getAllProcessInfo()
        except (OSError, http.client.HTTPException):
            return {}  # it listens a moment after its start
        return {row["name"]: row for row in rows}

    def start(self, names: list[str]) -> None:
        """Start programs that wait for the database."""
        for name in names:
            self._remote().supervisor.startProcess(name, False)

    def _until(self, done: Callable[[], bool], seconds: float, failure: str) -> None:
        """Wait until `done`, or we are told to stop; refuse to run after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.stopping.asked and not done():
            if time.monotonic() > deadline:
                raise CannotRun(failure)
            self.stopping.wait(0.1)

    def wait_until_services_answer(self, names: list[str]) -> None:
        """Wait for those of PostgreSQL and NATS that are ours."""

        def answer() -> bool:
            self.states()
            bus = ("127.0.0.1", self.place.bus_port)
            return ("nats" not in names or _connects(bus)) and (
                "postgres" not in names or self.place.postgres.answers()
            )

        self._until(
            answer,
            SECONDS_TO_ANSWER,
            f"the database or the bus did not start; see {self.place.logs}.",
        )

    def wait_until_ready(self) -> None:
        """Wait until the product itself says that it is ready."""
        try:
            self._until(self._ready, SECONDS_TO_ANSWER, "not ready")
        except CannotRun:
            # Perhaps the database is another one than was prepared: the next start looks.
            self._stamp.unlink(missing_ok=True)
            self.states()
            missing = [name for name, there in (self._state or {}).items() if not there]
            said = f"lack {' and '.join(missing)}" if missing else "do not answer"
            log = self.place.logs / "web.log"
            raise CannotRun(f"the web pages {said}; see {log}.") from None

    def _ready(self) -> bool:
        self.states()
        self._state = _state_of(self.place)
        return self._state is not None and all(self._state.values())

    @property
    def _stamp(self) -> Path:
        """Says what the database was prepared for."""
        return self.place.data_dir / "prepared"

    def prepare(self) -> None:
        """Bring the database to what this version needs; nothing to do when nothing changed."""
        version = _version()
        if self._stamp.exists() and self._stamp.read_text() == version:
            return
        _say("Preparing the database")
        log = self.place.logs / "prepare.log"
        with log.open("w") as output:
            command = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", sys.executable, "-m", "sanjeevani", "prepare"],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            began = told = time.monotonic()
            while command.poll() is None and not self.stopping.wait(0.1):
                self.states()
                if time.monotonic() - told >= SECONDS_BETWEEN_SIGNS:
                    told = time.monotonic()
                    minutes = int((told - began) / 60)
                    _say(f"Still preparing the database, for {minutes} min; with what: {log}")
        finally:
            if command.poll() is None:
                command.terminate()
                command.wait()
        if self.stopping.asked:
            return
        if command.returncode:
            raise CannotRun(f"preparing the database failed; see {log}.")
        self._stamp.write_text(version)

    def watch(self) -> None:
        """Tell of what dies and comes back, and of a full disk, until we are told to stop."""
        known = self.states()
        is_full = False
        while not self.stopping.wait(1):
            free = _free_megabytes(self.place)
            if free < ENOUGH_MEGABYTES and not is_full:
                _say(f"Only {free} MB are free for {self.place.data_dir}: make room, or it stops")
            is_full = free < ENOUGH_MEGABYTES
            states = self.states()
            for name, state in states.items():
                if known.get(name, state)["pid"] != state["pid"] and state["pid"]:
                    _say(f"{name} had stopped and was started again; see {self.place.logs}")
                elif known.get(name, state)["pid"] and not state["pid"]:
                    _say(f"{name} stopped; see {self.place.logs}")
            known = states or known


def _connects(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return False
    return True


def _state_of(place: Installation) -> dict[str, bool] | None:
    """Return what the product says of itself, None when it says nothing that can be read."""
    connection = http.client.HTTPConnection(place.reached_at, place.port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        state: dict[str, bool] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return state


def _version() -> str:
    """Return a digest of all that preparing the database depends on, and of which one it is."""
    installed = {f"{each.name}=={each.version}" for each in importlib.metadata.distributions()}
    database = [os.environ.get(f"SANJEEVANI_DB_{part}", "") for part in ("HOST", "PORT", "NAME")]
    digest = hashlib.sha256("\0".join([*database, *sorted(installed)]).encode())
    for path in sorted(PACKAGE_DIR.rglob("*")):
        if path.suffix not in {".html", ".mo", ".po", ".pyc"} and path.is_file():
            digest.update(f"{path.relative_to(PACKAGE_DIR)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _announce(place: Installation, variables: dict[str, str]) -> None:
    _say(f"\nReady: {variables['SANJEEVANI_PUBLIC_URL']}")
    sign_ins = place.data_dir / "demo-sign-ins.txt"
    if sign_ins.exists():
        _say(f"\n{sign_ins.read_text().rstrip()}")
    _say(f"\nLogs: {place.logs}\nStop with Ctrl-C.")
