"""`python -m replay`: drive whole consultations against a running service, then audit it."""

import argparse
import asyncio
import contextlib
import csv
import itertools
import json
import math
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from replay.audit import violations
from replay.doctors import JsonDoctor, PageDoctor
from replay.measuring import GROUPS, Processes, Steps
from replay.patients import JsonPatient, PagePatient
from replay.person import Failed, World
from replay.spokes import SpokeDesk
from replay.visit import new_case

JSON_EVERY = 5
"""One in so many patients and doctors speaks JSON."""

ADOPTION = Path(__file__).parent / "data" / "adoption.csv"
"""Consultations per state as published on 2021-06-10: patients come in this proportion."""

SETTLE_SECONDS = 1.5
PROGRESS_EVERY_SECONDS = 10
MEMORY_EVERY_SECONDS = 60
MOST_DOCTORS = 60
LONGEST_VISIT_SECONDS = 600
"""After so long a patient who was not served to the end counts as failed."""

DOCTORS = """
SELECT login, min(turn), min(line_state_id) FROM (
  SELECT account.login, line_state_id,
    row_number() OVER (PARTITION BY line_id ORDER BY account.login) AS turn
  FROM roster_assignment AS assigned
  JOIN directory_practitioner AS doctor
    ON doctor.state_id = assigned.practitioner_state_id AND doctor.id = assigned.practitioner_id
  JOIN identity_account AS account ON account.id = doctor.account_id
  WHERE account.is_active AND account.password <> '' AND doctor.verified_at IS NOT NULL
) AS listed GROUP BY login ORDER BY min(turn), login
"""


SPOKES = """
SELECT account.login, post.state_id FROM directory_post AS post
JOIN identity_account AS account ON account.id = post.account_id
JOIN directory_facility AS facility
  ON facility.state_id = post.state_id AND facility.id = post.facility_id
WHERE post.role = 'health_worker' AND post.ended_at IS NULL AND facility.is_spoke
  AND account.is_active AND account.password <> ''
ORDER BY account.login
"""


def chosen(listed: list[tuple[str, int, int]], weights: dict[int, int], wanted: int) -> list[str]:
    """Choose doctors from `(login, turn in the line, state)`: one for every line, then by demand.

    A line without a doctor would keep its patients for ever. Where most patients come from most
    doctors are on duty; otherwise one line makes all wait.
    """
    first = [row for row in listed if row[1] == 1]
    rest = [row for row in listed if row not in first]
    on_duty = Counter(state_id for _login, _turn, state_id in first)
    while rest and len(first) < wanted:
        needed = max(rest, key=lambda row: weights.get(row[2], 1) / (on_duty[row[2]] + 1))
        rest.remove(needed)
        first.append(needed)
        on_duty[needed[2]] += 1
    return [login for login, _turn, _state_id in first]


def mixed(text: str) -> dict[str, float]:
    """Read shares like `opd=0.6,hub=0.4`. Raises ValueError."""
    shares = {
        arm: float(share) for arm, _is, share in (one.partition("=") for one in text.split(","))
    }
    if not shares.keys() <= {"opd", "hub"} or abs(sum(shares.values()) - 1) > 0.001:
        raise ValueError(text)
    return shares


def parsed() -> argparse.Namespace:
    """Read the command line."""
    data_dir = Path(os.environ.get("SANJEEVANI_DATA") or ".data").resolve()
    parser = argparse.ArgumentParser(prog="sanjeevani replay", description=__doc__)
    parser.add_argument("--consultations", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument(
        "--mix",
        type=mixed,
        default="opd=1",
        metavar="opd=0.6,hub=0.4",
        help="shares of patients at home and of patients at spokes",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here too")
    parser.add_argument(
        "--url",
        default=os.environ.get("SANJEEVANI_PUBLIC_URL")
        or f"http://localhost:{os.environ.get('PORT', '8000')}",
    )
    parser.add_argument("--data-dir", type=Path, default=data_dir, help="of the running service")
    parser.add_argument(
        "--dsn",
        help="its database, for the audit; by default the one that the service runs",
    )
    parser.add_argument("--sign-ins", type=Path, help="the file with the demo's password")
    parser.add_argument(
        "--doctors",
        type=int,
        help="on duty, at least one for every line; by default as many as help",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        help="seconds to try again while the service is away; by default that is an error",
    )
    parser.add_argument(
        "--per-second",
        type=float,
        default=0,
        help="patients who come per second; by default the next comes when one is done",
    )
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    options.sign_ins = options.sign_ins or options.data_dir / "demo-sign-ins.txt"
    options.dsn = options.dsn or _own_database(options.data_dir)
    return options


def _own_database(data_dir: Path) -> str:
    host = os.environ.get("SANJEEVANI_DB_HOST") or data_dir.resolve() / "run" / "postgres"
    name = os.environ.get("SANJEEVANI_DB_NAME", "sanjeevani")
    return f"host={host} dbname={name} user={os.environ.get('SANJEEVANI_DB_USER', 'sanjeevani')}"


class Replay:
    """One run."""

    def __init__(self, options: argparse.Namespace, devices: contextlib.AsyncExitStack) -> None:
        self.options = options
        self.devices = devices
        """Those that stay to the end: of doctors and at spokes."""
        self.world = World(
            url=options.url,
            steps=Steps(),
            tls=httpx.create_ssl_context(verify=False),
            patience=options.patience,
            random=random.Random(options.seed),  # noqa: S311
        )
        with ADOPTION.open(encoding="utf-8", newline="") as rows:
            self.adoption = {
                int(row["lgd_code"]): int(row["consultations"]) for row in csv.DictReader(rows)
            }
        self.desks: dict[int, asyncio.Queue[SpokeDesk]] = {}
        self.at_home = itertools.count()
        self.held: Counter[str] = Counter()
        """Patients who were served to the end, by arm."""
        self.lags: list[float] = []
        self.memory: list[dict[str, float]] = []
        self.started = 0.0

    async def run(self) -> dict[str, Any]:
        """Drive all consultations; return the result."""
        options, world = self.options, self.world
        doctors = await self._doctors()
        processes = Processes(options.data_dir)
        watching = [
            asyncio.create_task(self._watch_own_lag()),
            asyncio.create_task(self._watch_memory(processes)),
            asyncio.create_task(self._say_progress()),
        ]
        since = _database_time(options.dsn)
        self.desks = await self._desks()
        numbers = iter(range(options.consultations))
        failures: list[str] = []
        visitors = min(options.concurrency, options.consultations)
        # A doctor who stumbles over a fault of the benchmark ends it: nobody would be served.
        async with asyncio.TaskGroup() as duty:
            serving = [duty.create_task(doctor.serve()) for doctor in doctors]
            await asyncio.sleep(SETTLE_SECONDS)
            spent_before, own_before = processes.cpu_seconds(), time.process_time()
            started = self.started = time.perf_counter()
            await asyncio.gather(*(self._visit(numbers, failures) for _number in range(visitors)))
            seconds = time.perf_counter() - started
            await asyncio.sleep(SETTLE_SECONDS)
            spent = processes.cpu_seconds()
            own = time.process_time() - own_before
            for task in [*serving, *watching]:
                task.cancel()
        for doctor in doctors:
            with contextlib.suppress(Failed):
                await doctor.end()
        each = 1000 / max(1, self.held.total())
        by_group = {group: (spent[group] - spent_before[group]) * each for group in GROUPS}
        return {
            "consultations": self.held.total(),
            "held": dict(self.held),
            "concurrency": options.concurrency,
            "doctors": len(doctors),
            "seconds": round(seconds, 2),
            "per_second": round(self.held.total() / seconds, 2),
            "cpu_ms_per_consultation": {
                "total": round(sum(by_group.values()), 1),
                **{group: round(value, 1) for group, value in by_group.items()},
            },
            "driver": {
                "cpu_ms_per_consultation": round(own * each, 1),
                "lag_p99_ms": round(sorted(self.lags)[int(len(self.lags) * 0.99)] * 1000, 1)
                if self.lags
                else 0.0,
            },
            "memory_mb": processes.memory_mb(),
            "memory_mb_by_minute": self.memory,
            "steps": world.steps.report(),
            "errors": sum(world.steps.errors.values()),
            "failed_consultations": len(failures),
            "failures": sorted(set(failures))[:20],
            "repeated_requests": sum(world.steps.repeated.values()),
            "longest_gap_ms": world.steps.longest_gap_ms(),
            "refusals": len(world.refusals),
            "violations": violations(options.dsn, world, since, options.concurrency),
        }

    async def _doctors(self) -> list[PageDoctor | JsonDoctor]:
        wanted = self.options.doctors or min(MOST_DOCTORS, self.options.concurrency)
        password = _password(self.options.sign_ins)
        with psycopg.connect(self.options.dsn) as connection:
            listed = connection.execute(DOCTORS).fetchall()
        logins = chosen(listed, self.adoption, wanted)
        found: list[PageDoctor | JsonDoctor] = [
            (JsonDoctor if number % JSON_EVERY == JSON_EVERY - 1 else PageDoctor)(
                self.world, login, password
            )
            for number, login in enumerate(logins)
        ]
        for doctor in found:
            await self.devices.enter_async_context(doctor)
            await doctor.begin()
        return found

    async def _desks(self) -> dict[int, asyncio.Queue[SpokeDesk]]:
        """Sign in at as many tablets as patients can sit at, by state."""
        share = self.options.mix.get("hub", 0)
        if not share:
            return {}
        password = _password(self.options.sign_ins)
        with psycopg.connect(self.options.dsn) as connection:
            listed = connection.execute(SPOKES).fetchall()
        if not listed:
            sys.exit("replay: no spoke has staff who can sign in")
        found: dict[int, asyncio.Queue[SpokeDesk]] = {}
        tablets = max(len(listed), math.ceil(self.options.concurrency * share))
        for login, state_id in itertools.islice(itertools.cycle(listed), tablets):
            desk = SpokeDesk(self.world, login, password)
            await self.devices.enter_async_context(desk)
            await desk.begin()
            found.setdefault(state_id, asyncio.Queue()).put_nowait(desk)
        return found

    async def _visit(self, numbers: Any, failures: list[str]) -> None:
        """Be one patient after the other."""
        for number in numbers:
            if self.options.per_second:
                due = self.started + number / self.options.per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            share = self.options.mix.get("hub", 0)
            at_spoke = math.floor((number + 1) * share) > math.floor(number * share)
            try:
                async with asyncio.timeout(LONGEST_VISIT_SECONDS):
                    await (self._sit_at_spoke() if at_spoke else self._ask_from_home())
            except Failed as failure:
                failures.append(str(failure))
            except TimeoutError:
                failures.append(f"not served within {LONGEST_VISIT_SECONDS} s")
            else:
                self.held["hub" if at_spoke else "opd"] += 1

    async def _ask_from_home(self) -> None:
        by_json = next(self.at_home) % JSON_EVERY == JSON_EVERY - 1
        kind = JsonPatient if by_json else PagePatient
        state_id = self._state_among(self.adoption)
        async with kind(self.world, new_case(self.world, state_id)) as patient:
            await patient.consult()

    async def _sit_at_spoke(self) -> None:
        state_id = self._state_among(self.desks)
        desk = await self.desks[state_id].get()
        try:
            await desk.consult(new_case(self.world, state_id))
        finally:
            self.desks[state_id].put_nowait(desk)

    def _state_among(self, states: Collection[int]) -> int:
        weights = [self.adoption.get(state_id, 1) for state_id in states]
        return self.world.random.choices(list(states), weights)[0]

    async def _watch_memory(self, processes: Processes) -> None:
        while True:
            await asyncio.sleep(MEMORY_EVERY_SECONDS)
            self.memory.append(processes.memory_mb())

    async def _say_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_SECONDS)
            errors = self.world.steps.errors
            most = "".join(f", most {step} ({why})" for (step, why), _n in errors.most_common(1))
            print(
                f"{self.held.total()} of {self.options.consultations} held,"
                f" {errors.total()} errors{most}",
                file=sys.stderr,
            )

    async def _watch_own_lag(self) -> None:
        """How late this process runs what is due: if it is late, the times are its own."""
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.05)
            self.lags.append(time.perf_counter() - started - 0.05)


def _password(sign_ins: Path) -> str:
    found = re.search(r"password (\S+)", sign_ins.read_text(encoding="utf-8"))
    if found is None:
        sys.exit(f"replay: {sign_ins} names no password")
    return found.group(1)


def _database_time(dsn: str) -> datetime:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT now()").fetchone()
    assert row
    now: datetime = row[0]
    return now


def _print(result: dict[str, Any]) -> None:
    cpu = result["cpu_ms_per_consultation"]
    print(
        f"{result['consultations']} consultations in {result['seconds']} s,"
        f" {result['per_second']} per second, {result['doctors']} doctors on duty"
    )
    print("CPU ms per consultation: " + ", ".join(f"{name} {cpu[name]}" for name in cpu))
    print(f"{'step':<32}{'count':>8}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}")
    for name, step in result["steps"].items():
        print(
            f"{name:<32}{step['count']:>8}{step['p50_ms'] or 0:>10.1f}"
            f"{step['p99_ms'] or 0:>10.1f}{step['errors']:>8}"
        )
    for failure in result["failures"]:
        print(f"failed: {failure}")
    print("Violations: " + ", ".join(f"{k} {v}" for k, v in result["violations"].items()))


async def _drive(options: argparse.Namespace) -> dict[str, Any]:
    async with contextlib.AsyncExitStack() as devices:
        return await Replay(options, devices).run()


def main() -> int:
    """Run, print, write; return 1 on any violation or error."""
    options = parsed()
    result = asyncio.run(_drive(options))
    _print(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    unheld = result["consultations"] != options.consultations
    return int(any(result["violations"].values()) or result["errors"] > 0 or unheld)


if __name__ == "__main__":
    sys.exit(main())
