"""The benchmark itself: a small run against the whole product, and that its audit can see."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from replay.html import form_with, fragments_in
from tests.product import SANJEEVANI, Product

pytestmark = pytest.mark.xdist_group("product")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """The product with its demo."""
    with Product() as running:
        yield running


def replayed(product: Product, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    """Run the command against the product; return it and what it wrote."""
    target = product.data_dir / "replay.json"
    done = subprocess.run(
        [SANJEEVANI, "replay", "--json", target, *arguments],
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return done, json.loads(target.read_text()) if target.exists() else None


def test_small_run_holds(product: Product) -> None:
    done, result = replayed(product, "--consultations", "20", "--concurrency", "8")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert result["consultations"] == 20
    assert result["per_second"] > 0
    assert set(result["violations"]) == {
        "duplicate_numbers",
        "oversold",
        "double_claims",
        "lost",
        "out_of_order",
        "spurious_refusals",
        "unaudited",
    }
    cpu = result["cpu_ms_per_consultation"]
    assert set(cpu) == {"total", "web", "gateway", "jobs", "postgres", "nats"}
    assert cpu["web"] > 0
    assert cpu["postgres"] > 0
    steps = result["steps"]
    assert steps["patient.ask"]["count"] == 16
    assert steps["json_patient.ask"]["count"] == 4
    assert all(set(step) == {"count", "p50_ms", "p99_ms", "errors"} for step in steps.values())
    _audit_sees_what_is_wrong(product)


def _audit_sees_what_is_wrong(product: Product) -> None:
    """Spoil the data as a broken service would, and look whether the audit counts it."""
    dsn = f"host={product.data_dir / 'run' / 'postgres'} dbname=sanjeevani user=sanjeevani_owner"
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE queueing_lineday SET issued = issued + 1, taken = 100000 WHERE issued > 0"
        )
        connection.execute("ALTER TABLE queueing_token DROP CONSTRAINT token_number_once")
        connection.execute("UPDATE queueing_token SET number = 1")
        connection.execute(
            "UPDATE queueing_token SET practitioner_id = (SELECT min(practitioner_id::text)::uuid"
            " FROM queueing_token), ended_at = ended_at + interval '1 hour'"
        )
        connection.execute("DELETE FROM foundation_auditevent WHERE verb = 'consultation.answer'")
    # The next run gives numbers after the spoilt ones; its audit looks at the whole day.
    done, result = replayed(product, "--consultations", "1", "--concurrency", "1")
    assert done.returncode == 1
    assert result["violations"]["duplicate_numbers"] > 0
    assert result["violations"]["oversold"] > 0
    assert result["violations"]["lost"] > 0


def test_product_does_not_load_the_benchmark() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import replay.__main__, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not [name for name in said if name.startswith(("sanjeevani", "gateway", "django"))]


def test_form_is_read_as_a_browser_reads_it() -> None:
    page = """
    <form action="/a"><input name="token" type="hidden" value="x&amp;y">
    <input type="radio" name="g" value="f"><input type="radio" name="g" value="m" checked>
    <textarea name="t">one\ntwo</textarea>
    <select name="s"><option value="1">1</option><option value="2" selected>2</option></select>
    <button name="do" value="go">Go</button></form>
    """
    form = form_with(page, "do")
    assert form is not None
    assert form.action == "/a"
    assert form.values == {"token": "x&y", "g": "m", "t": "one\ntwo", "s": "2"}
    assert form.choices["g"] == ["f", "m"]


def test_live_parts_are_found_with_their_topics() -> None:
    page = (
        '<div data-live-topic="line.1 room.2" data-live-src="/s" data-live-poll="5">'
        '<b data-live-bind="place">3</b></div><ol data-live-topic="room.2" data-live-src="/m">'
    )
    first, second = fragments_in(page)
    assert first.topics == {"line.1", "room.2"}
    assert first.binds == {"place"}
    assert (second.address, second.binds) == ("/m", frozenset())


def test_package_carries_its_data() -> None:
    data = Path(__file__).parents[2] / "src" / "replay" / "data" / "adoption.csv"
    assert len(data.read_text().splitlines()) == 11
