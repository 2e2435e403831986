"""The benchmark itself: a small run against the whole product, and that its audit can see."""

import random
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest

from replay.__main__ import chosen
from replay.audit import violations
from replay.html import form_with, fragments_in
from replay.measuring import Steps
from replay.person import World
from tests.product import Product
from tests.replay.running import replayed

pytestmark = pytest.mark.xdist_group("product")


def test_small_run_holds(product: Product) -> None:
    done, result = replayed(
        product, "--consultations", "15", "--concurrency", "5", "--mix", "opd=0.7,hub=0.3"
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert result["held"] == {"opd": 11, "hub": 4}
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
    assert steps["patient.ask"]["count"] == 9
    assert steps["json_patient.ask"]["count"] == 2
    assert steps["spoke.ask"]["count"] == 4
    assert all(set(step) == {"count", "p50_ms", "p99_ms", "errors"} for step in steps.values())


# Two seconds after the later one came, the earlier is called; the later, who goes first, is passed.
LATE_BUT_FIRST = """
UPDATE queueing_token AS token SET not_for = '{}', gender_preference = '',
  order_class = CASE token.id WHEN late_id THEN 0 ELSE 2 END,
  waiting_since = token.waiting_since - interval '1 day',
  called_at = since + CASE token.id WHEN late_id THEN interval '1 minute' ELSE '2 seconds' END
FROM (
  SELECT late.id AS late_id, early.id AS early_id, late.waiting_since AS since
  FROM queueing_token AS late JOIN queueing_token AS early USING (state_id, line_id, day)
  WHERE early.number < late.number AND early.calls = 1 AND early.status = 'served'
    AND late.calls = 1 AND late.holds_place LIMIT 1
) AS pair WHERE token.id IN (late_id, early_id)
"""
TWO_AT_ONCE = """
UPDATE queueing_token SET ended_at = ended_at + interval '1 hour',
  practitioner_id = (SELECT min(practitioner_id::text)::uuid FROM queueing_token)
"""

SPOILT: list[tuple[str, list[LiteralString]]] = [
    ("unaudited", ["DELETE FROM foundation_auditevent WHERE verb = 'consultation.answer'"]),
    ("unaudited", ["DELETE FROM foundation_auditevent WHERE verb = 'consultation.write_note'"]),
    ("unaudited", ["DELETE FROM foundation_auditevent WHERE verb = 'calls.send_message'"]),
    ("unaudited", ["DELETE FROM foundation_auditevent WHERE verb = 'consultation.give_feedback'"]),
    ("unaudited", ["DELETE FROM foundation_auditevent WHERE verb = 'prescription.sign'"]),
    ("lost", ["DELETE FROM consultation_feedback"]),
    ("lost", ["UPDATE consultation_note SET advice = ''"]),
    ("lost", ["DELETE FROM intake_intake"]),
    ("oversold", ["UPDATE queueing_lineday SET taken = 100000"]),
    ("out_of_order", [LATE_BUT_FIRST]),
    ("double_claims", [TWO_AT_ONCE]),
    (
        "duplicate_numbers",
        [
            "ALTER TABLE queueing_token DROP CONSTRAINT token_number_once",
            "UPDATE queueing_token SET number = 1",
        ],
    ),
]
"""What a broken service would have stored; each adds to the violations of its kind."""


@pytest.mark.verify
@pytest.mark.parametrize("concurrency", [1, 16, 32, 64, 128])
def test_nothing_is_violated_however_many_come(product: Product, concurrency: int) -> None:
    number = min(500, 20 * concurrency)
    done, _result = replayed(
        product,
        *("--consultations", str(number), "--concurrency", str(concurrency)),
        seconds=3600,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_audit_sees_what_is_wrong(product: Product) -> None:
    """Comes after what needs a sound product."""
    dsn = product.owner_dsn
    world, since = _world_of(dsn)
    assert not any(violations(dsn, world, since, 1).values())
    for kind, statements in SPOILT:
        before = violations(dsn, world, since, 1)[kind]
        with psycopg.connect(dsn) as connection:
            for statement in statements:
                connection.execute(statement)
        assert violations(dsn, world, since, 1)[kind] > before, (kind, statements)
    world.refusals += [("other", "a clinic"), ("LineFull", "a clinic with places")]
    assert violations(dsn, world, since, 1)["spurious_refusals"] == 2
    done, result = replayed(product, "--consultations", "1", "--concurrency", "1")
    assert done.returncode == 1
    assert result["violations"]["oversold"] > 0


def _world_of(dsn: str) -> tuple[World, datetime]:
    """Read from the database what patients were told, as if we had been they."""
    with psycopg.connect(dsn) as connection:

        def ids(query: LiteralString) -> set[str]:
            return {row[0] for row in connection.execute(query)}

        world = World(
            url="",
            steps=Steps(),
            tls=httpx.create_ssl_context(verify=False),
            patience=0,
            random=random.Random(0),
            # Who was sent on is served in the one that follows.
            noted=ids("SELECT consultation_id::text FROM consultation_note WHERE advice <> ''"),
            completed=ids(
                "SELECT id::text FROM consultation_consultation WHERE status <> 'redirected'"
            ),
            rated=ids("SELECT consultation_id::text FROM consultation_feedback"),
            prescriptions=ids("SELECT number FROM prescription_prescription"),
            messages=ids("SELECT id::text FROM calls_message"),
        )
        world.requested = {found: {} for found in world.completed}
        first = connection.execute("SELECT min(requested_at) FROM consultation_consultation")
        since: datetime = first.fetchone()[0]  # type: ignore[index]
    return world, since


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


def test_doctors_are_where_the_patients_are() -> None:
    listed = [("a1", 1, 9), ("b1", 1, 28), ("a2", 2, 9), ("b2", 2, 28), ("a3", 3, 9), ("a4", 4, 9)]
    assert chosen(listed, {9: 900, 28: 100}, 5) == ["a1", "b1", "a2", "a3", "a4"]
    assert chosen(listed, {9: 900, 28: 100}, 1) == ["a1", "b1"]
    assert len(chosen(listed, {}, 50)) == 6
