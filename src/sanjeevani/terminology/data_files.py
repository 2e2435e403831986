"""The package's data files, read as they stand in `data/`."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `data/<name>.csv`, every cell a string."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read_document(name: str) -> Any:
    """Return the content of `data/<name>.json`."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def split(cell: str) -> list[str]:
    """Return the values of a cell that holds several, parted by semicolons."""
    return [value.strip() for value in cell.split(";") if value.strip()]
