"""Kills a process of a running product in the middle of a replay, and says what came of it.

`python -m tests.replay.faults` prints the table of gaps for docs/performance.md.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import psycopg

from tests.product import SANJEEVANI, Product

PATIENCE = 90
"""How many seconds patients and doctors of the replay try again while the service is away."""

SILENT_SECONDS = 0.5
"""Facts not numbered for so long mean that the job worker is away."""


@dataclass(frozen=True)
class Target:
    """A process to lose: how it is found, and how it is seen whether its work is done."""

    name: str
    command: str
    probe: Callable[[Product], bool]
    worker: bool = False
    """One of its children is meant, not the process itself."""
    stop: signal.Signals = signal.SIGTERM

    def process(self, product: Product) -> psutil.Process:
        """Find it."""
        found = psutil.Process(product.child(self.command))
        return found.children()[0] if self.worker else found


def _answers(port: int, path: str, part: str = "") -> bool:
    try:
        answer = httpx.get(f"http://localhost:{port}{path}", timeout=2)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and (not part or answer.json()[part] is True)


def _facts_are_numbered(product: Product) -> bool:
    try:
        with psycopg.connect(product.owner_dsn, connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT count(*) FROM foundation_outboxfact WHERE position IS NULL"
                " AND recorded_at < now() - make_interval(secs => %s)",
                [SILENT_SECONDS],
            ).fetchone()
    except psycopg.Error:
        return False
    return row == (0,)


TARGETS = {
    target.name: target
    for target in (
        Target("web worker", "granian", lambda run: _answers(run.port, "/readyz"), worker=True),
        Target("web", "granian", lambda run: _answers(run.port, "/readyz")),
        Target("gateway", "-m gateway", lambda run: _answers(run.port + 1, "/healthz")),
        Target("job worker", "sanjeevani work", _facts_are_numbered),
        Target("NATS", "nats-server", lambda run: _answers(run.port + 1, "/metrics", "nats")),
        Target(
            "PostgreSQL",
            "pginstall18",
            lambda run: _answers(run.port, "/readyz"),
            stop=signal.SIGINT,
        ),
    )
}


@dataclass
class Gap:
    """How long a part was away."""

    target: str
    away_ms: float = 0
    """The longest time in which the probe failed."""
    back: bool = False


@dataclass
class Outcome:
    """A replay in which something was killed."""

    status: int
    said: str
    result: dict[str, Any]
    gaps: list[Gap] = field(default_factory=list)

    def check(self, consultations: int) -> None:
        """Fail unless all was held, nothing is violated, and what was killed came back."""
        assert not any(self.result["violations"].values()), (self.result["violations"], self.said)
        assert self.result["consultations"] == consultations, self.said
        assert all(gap.back for gap in self.gaps), self.gaps


def replay(
    product: Product,
    targets: list[str],
    *,
    consultations: int,
    concurrency: int,
    first_after: float = 1,
    every: float = 6,
    with_signal: str = "kill",
) -> Outcome:
    """Run a replay, and lose one target after the other while it runs."""
    written = product.data_dir / "replay.json"
    written.unlink(missing_ok=True)
    command = [
        str(SANJEEVANI),
        "replay",
        *("--json", str(written)),
        *("--consultations", str(consultations)),
        *("--concurrency", str(concurrency)),
        *("--patience", str(PATIENCE)),
    ]
    running = subprocess.Popen(
        command,
        env=product.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    gaps = []
    try:
        _wait_for_patients(product, running)
        time.sleep(first_after)
        for name in targets:
            target = TARGETS[name]
            with _watched(product, target) as gap:
                _end(target.process(product), with_signal, target.stop)
                deadline = time.monotonic() + every
                while time.monotonic() < deadline and running.poll() is None:
                    time.sleep(0.1)
            gaps.append(gap)
        said, _none = running.communicate(timeout=600)
    except BaseException:
        running.kill()
        running.communicate()
        raise
    result = json.loads(written.read_text()) if written.exists() else {}
    return Outcome(running.returncode, said[-4000:], result, gaps)


def _wait_for_patients(product: Product, running: subprocess.Popen[str]) -> None:
    """Wait until the doctors have signed in and somebody has a token."""
    started = time.time()
    while running.poll() is None and time.time() < started + 300:
        with contextlib.suppress(psycopg.Error), psycopg.connect(product.owner_dsn) as connection:
            found = connection.execute(
                "SELECT EXISTS (SELECT FROM queueing_token"
                " WHERE waiting_since >= to_timestamp(%s))",
                [started],
            ).fetchone()
            if found == (True,):
                return
        time.sleep(0.2)


def _end(process: psutil.Process, with_signal: str, stop: signal.Signals) -> None:
    process.send_signal(signal.SIGKILL if with_signal == "kill" else stop)


@contextlib.contextmanager
def _watched(product: Product, target: Target) -> Iterator[Gap]:
    """Ask again and again whether the target does its work; wait at the end until it does."""
    gap = Gap(target.name)
    ended = threading.Event()

    def watch() -> None:
        failing_since = None
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            well = target.probe(product)
            now = time.monotonic()
            if not well:
                failing_since = failing_since or now
            elif failing_since is not None:
                gap.away_ms = max(gap.away_ms, (now - failing_since) * 1000)
                failing_since = None
            gap.back = well
            if well and ended.is_set():
                return
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(0.1)
    try:
        yield gap
    finally:
        ended.set()
        watcher.join()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print how long each part was away, killed and stopped, and what a patient noticed."""
    _say("| process | kill -9 | people saw | stopped | people saw |")
    _say("| --- | --- | --- | --- | --- |")
    with Product() as product:
        for name in TARGETS:
            cells = []
            for with_signal in ("kill", "stop"):
                outcome = replay(
                    product, [name], consultations=30, concurrency=12, with_signal=with_signal
                )
                outcome.check(30)
                [gap] = outcome.gaps
                cells += [
                    f"{gap.away_ms / 1000:.1f} s",
                    f"{outcome.result['longest_gap_ms'] / 1000:.1f} s",
                ]
            _say(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
