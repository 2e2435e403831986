"""Figures that were published before this service began, elsewhere. They stand apart from ours."""

import csv
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Adoption:
    """How many consultations a state had held by a day."""

    as_of: datetime.date
    state_id: int
    state: str
    consultations: int
    source: str


@dataclass(frozen=True)
class Milestone:
    """A national figure: `note` says how exact it is (`more than`)."""

    as_of: datetime.date
    measure: str
    value: int
    note: str
    source: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def adoption() -> tuple[Adoption, ...]:
    """Return the leading states on each day of publication, as they were ranked."""
    return tuple(
        Adoption(
            datetime.date.fromisoformat(row["as_of"]),
            int(row["lgd_code"]),
            row["state"],
            int(row["consultations"]),
            row["source"],
        )
        for row in _rows("adoption")
    )


@cache
def milestones() -> tuple[Milestone, ...]:
    """Return the national figures, by day of publication."""
    return tuple(
        Milestone(
            datetime.date.fromisoformat(row["as_of"]),
            row["measure"],
            int(row["value"]),
            row["note"],
            row["source"],
        )
        for row in _rows("national")
    )
