"""A generated national network comes in by the command: broken rows reported, twice the same."""

import csv
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sanjeevani.demo.network_files import write_network
from tests.onboarding.test_import import TABLES
from tests.product import SANJEEVANI, Product

STATES = (5, 9, 29, 33)
"""Open in the demo."""


def brought_in(product: Product, paths: list[Path], told: Path) -> dict[str, set[int]]:
    """Run the command; return the lines that it left out, by file."""
    started = time.monotonic()
    done = subprocess.run(
        [SANJEEVANI, "import-network", "--findings", told, *paths],
        env=product.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    print(f"\n{time.monotonic() - started:.0f} s\n{done.stdout}")  # noqa: T201
    found: dict[str, set[int]] = {}
    with told.open(encoding="utf-8-sig", newline="") as file:
        for place, line, _column, left_out, _why in list(csv.reader(file))[1:]:
            if left_out == "yes":
                found.setdefault(place, set()).add(int(line))
    return found


def counted(product: Product) -> dict[str, int]:
    """How many rows each table has."""
    names = [model._meta.db_table for model in TABLES]
    with psycopg.connect(product.owner_dsn) as connection:
        return {
            name: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchall()[0][0]
            for name in names
        }


@pytest.mark.verify
@pytest.mark.xdist_group("product")
@pytest.mark.parametrize(
    ("spokes", "hubs", "staff"), [(20_000, 1_800, 40_000), (155_000, 14_000, 40_000)]
)
def test_a_national_network_comes_in(tmp_path: Path, spokes: int, hubs: int, staff: int) -> None:
    written = write_network(tmp_path, states=STATES, spokes=spokes, hubs=hubs, staff=staff)
    with Product() as product:
        before = counted(product)
        found = brought_in(product, written.paths, tmp_path / "first.csv")
        after = counted(product)
        again = brought_in(product, written.paths, tmp_path / "second.csv")
        assert counted(product) == after
    for name, lines in written.broken.items():
        sizes = f"{written.rows[name]} rows, {len(lines)} broken, {len(found[name])} left out"
        print(f"{name}: {sizes}")  # noqa: T201
        assert found[name] >= lines, f"{name}: broken rows that were not reported"
    # What is left out beside the broken rows of other files hangs on them.
    assert found["facilities.csv"] == written.broken["facilities.csv"]
    new = after["directory_facility"] - before["directory_facility"]
    assert new == written.rows["facilities.csv"] - len(found["facilities.csv"])
    new = after["directory_hublink"] - before["directory_hublink"]
    assert new == written.rows["hub_links.csv"] - len(found["hub_links.csv"])
    assert again == found
