"""How long steps take, what fails, and what the service's processes cost."""

import contextlib
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

GROUPS = ("web", "gateway", "jobs", "postgres", "nats")


class Steps:
    """The times of each step in milliseconds, and its errors."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: Counter[tuple[str, str]] = Counter()
        self.repeated: Counter[str] = Counter()
        self.away: list[tuple[float, float]] = []
        """When a step first failed and when it succeeded: from a clock that only goes forward."""

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Take the time of a step that succeeds."""
        started = time.perf_counter()
        yield
        self.times[step].append((time.perf_counter() - started) * 1000)

    def failed(self, step: str, reason: str) -> None:
        """Count an error."""
        self.errors[step, reason] += 1

    def report(self) -> dict[str, dict[str, Any]]:
        """Return count, p50_ms, p99_ms and errors per step."""
        names = sorted({*self.times, *(step for step, _reason in self.errors)})
        return {
            name: {
                "count": len(self.times[name]),
                "p50_ms": _percentile(self.times[name], 50),
                "p99_ms": _percentile(self.times[name], 99),
                "errors": sum(
                    count for (step, _reason), count in self.errors.items() if step == name
                ),
            }
            for name in names
        }

    def longest_gap_ms(self) -> float:
        """Return how long the service was away at most, as somebody who kept trying saw it."""
        return round(max((end - start for start, end in self.away), default=0) * 1000, 1)


def _percentile(values: list[float], percent: int) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 2)


class Processes:
    """The processes of one installation, found by their data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def cpu_seconds(self) -> dict[str, float]:
        """Return user and system time per group, with that of children already gone."""
        spent = dict.fromkeys(GROUPS, 0.0)
        for group, process in self._members():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                spent[group] += (
                    times.user + times.system + times.children_user + times.children_system
                )
        return spent

    def memory_mb(self) -> dict[str, float]:
        """Return the unshared memory per group, in MB."""
        held = dict.fromkeys(GROUPS, 0.0)
        for group, process in self._members():
            with contextlib.suppress(psutil.Error):
                held[group] += process.memory_full_info().uss / 2**20
        return {group: round(value, 1) for group, value in held.items()}

    def _members(self) -> Iterator[tuple[str, psutil.Process]]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command = " ".join(process.cmdline())
                mark = process.environ().get("SANJEEVANI_SUPERVISED")
                if mark == str(self.data_dir) or str(self.data_dir) in command:
                    group = _group_of(command)
                    if group and not command.startswith("postgres:"):
                        yield group, process
                    if group == "postgres" and "-D" in process.cmdline():
                        # A backend's title covers its environment.
                        for backend in process.children():
                            yield group, backend


def _group_of(command: str) -> str | None:
    if "supervisord" in command:
        return None
    for part, group in (
        ("granian", "web"),
        ("-m gateway", "gateway"),
        ("sanjeevani work", "jobs"),
        ("postgres", "postgres"),
        ("nats-server", "nats"),
    ):
        if part in command:
            return group
    return None
