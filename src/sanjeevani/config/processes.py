"""What runs: PostgreSQL, NATS, the web workers, the gateway and the job worker.

`sanjeevani run` hands the list to supervisor (`running.py`); in production each entry is a unit of
systemd or a container instead (docs/running.md).
"""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from sanjeevani.config.embedded import EmbeddedPostgres
from sanjeevani.config.secrets import read_secret


class CannotRun(Exception):
    """Starting is refused; the text is one line for the operator."""


@dataclass(frozen=True)
class Installation:
    """One data folder and the ports it is served on."""

    data_dir: Path
    host: str
    port: int

    @property
    def reached_at(self) -> str:
        """Where our own processes find the web workers."""
        return "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104

    @property
    def gateway_port(self) -> int:
        """The live process listens next to the web workers."""
        return self.port + 1

    @property
    def bus_port(self) -> int:
        """NATS, on the loopback only."""
        return self.port + 2

    @property
    def logs(self) -> Path:
        """Where every process writes."""
        return self.data_dir / "logs"

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The cluster in the data folder."""
        return EmbeddedPostgres(self.data_dir)


def installation() -> Installation:
    """Read the installation from the environment. Raises `CannotRun`."""
    given = os.environ.get("PORT", "8000")
    if not given.isdecimal() or not 1 <= int(given) <= 65_533:
        raise CannotRun(f"PORT must be a number from 1 to 65533, not {given!r}.")
    return Installation(
        data_dir=Path(os.environ.get("SANJEEVANI_DATA") or ".data").resolve(),
        host=os.environ.get("SANJEEVANI_HOST") or "127.0.0.1",
        port=int(given),
    )


def environment(place: Installation) -> dict[str, str]:
    """Return the variables that lead every process, and every command, to this installation.

    What the operator has set wins. Makes the secrets on first use.
    """
    token = read_secret("SANJEEVANI_NATS_TOKEN", place.data_dir)
    ours = {
        "DJANGO_SETTINGS_MODULE": "sanjeevani.config.settings",
        "PORT": str(place.port),
        "SANJEEVANI_DATA": str(place.data_dir),
        **place.postgres.environment(),
        "SANJEEVANI_NATS_URL": f"nats://{token}@127.0.0.1:{place.bus_port}",
        "SANJEEVANI_LIVE_SECRET": read_secret("SANJEEVANI_LIVE_SECRET", place.data_dir),
        "SANJEEVANI_PUBLIC_URL": f"http://localhost:{place.port}",
        "SANJEEVANI_GATEWAY_URL": f"http://localhost:{place.gateway_port}",
        "SANJEEVANI_GATEWAY_PORT": str(place.gateway_port),
        "SANJEEVANI_GATEWAY_HOST": place.host,
        "SANJEEVANI_INTERNAL_URL": f"http://{place.reached_at}:{place.port}",
    }
    return {**ours, **{name: os.environ[name] for name in ours if name in os.environ}}


@dataclass(frozen=True)
class Program:
    """One entry of the supervisor's list."""

    name: str
    command: list[str]
    stop_signal: str = "TERM"
    first: bool = False
    """Started at once, before the database is prepared, and stopped last."""
    last: bool = False
    """Started when the pages answer: until then they need the processors more."""


def programs(place: Installation) -> list[Program]:
    """List what must run. A service whose address the operator has set is not ours to start."""
    here = Path(sys.executable).parent
    die_with_supervisor = ["setpriv", "--pdeathsig=TERM"]
    workers = max(2, min(os.cpu_count() or 2, 8))
    listed = []
    if "SANJEEVANI_DB_HOST" not in os.environ:
        listed.append(Program("postgres", place.postgres.command(), stop_signal="INT", first=True))
    if "SANJEEVANI_NATS_URL" not in os.environ:
        configuration = str(place.data_dir / "nats.conf")
        listed.append(Program("nats", [str(here / "nats-server"), "-c", configuration], first=True))
    listed += [
        Program(
            "web",
            [
                str(here / "granian"),
                "sanjeevani.config.asgi:application",
                "--interface=asginl",
                f"--host={place.host}",
                f"--port={place.port}",
                f"--workers={workers}",
                # Counted in connections: browsers keep theirs open between requests.
                "--backlog=4096",
                "--backpressure=2048",
                "--no-ws",
                "--respawn-failed-workers",
                "--respawn-interval=0.2",
                "--workers-kill-timeout=10",
            ],
        ),
        Program("gateway", [sys.executable, "-m", "gateway"]),
        Program("work", [str(here / "sanjeevani"), "work"], last=True),
    ]
    return [
        program
        if program.command[0] == "setpriv"
        else replace(program, command=die_with_supervisor + program.command)
        for program in listed
    ]
