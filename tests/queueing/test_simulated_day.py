"""Order, loss and promises over a whole day."""

import statistics
import sys

import pytest

from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.queueing.models import PriorityClass
from tests.queueing.several_lines import STATES, DayOfSeveralLines, Row
from tests.queueing.simulated_day import Day, Report

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

SEED = 20261123


def play(day: Day) -> Report:
    """Play a day; its own asserts hold every claim against the definition of order."""
    report = day.run()
    assert not day.lost()
    assert not day.leases()
    return report


def say(report: Report) -> None:
    """Print the figures of the day."""
    sys.stdout.write(
        f"\n{len(report.people)} patients, {report.claims} claims;"
        f" median wait {statistics.median(report.waits):.1f} min,"
        f" 90th percentile {statistics.quantiles(report.waits, n=10)[-1]:.1f} min;"
        f" promises held {report.inside:.3f}, median width {report.median_width:.1f} min\n"
    )


def say_longest(rows: list[Row]) -> None:
    """Print the table of the longest waits, as it stands in docs/performance.md."""
    sys.stdout.write("| line | target | doctors | calls |")
    for each in PriorityClass:
        sys.stdout.write(f" {each.label} |")
    sys.stdout.write("\n" + "| --- " * (4 + len(PriorityClass)) + "|\n")
    for row in rows:
        waits = [
            " / ".join(
                f"{row.longest[each, came_over]:.0f}" if (each, came_over) in row.longest else "–"
                for came_over in (False, True)
            )
            for each in PriorityClass
        ]
        sys.stdout.write(
            f"| {row.title} | {row.target} | {row.doctors} | {row.calls} | {' | '.join(waits)} |\n"
        )


def play_several_lines(**size: float) -> DayOfSeveralLines:
    """Play a day of doctors on several lines, in which everything happens that the rule covers."""
    day = DayOfSeveralLines(seed=SEED, **size)  # type: ignore[arg-type]
    report = play(day)
    say(report)
    say_longest(day.rows())
    sys.stdout.write(f"{dict(day.happened)}\n")
    return day


def test_a_short_day_of_doctors_on_several_lines() -> None:
    """Nobody is lost, passed over or left behind, in two states and National."""
    day = play_several_lines(lines=2, doctors=8, shared=3, patients=55, hours=0.4)
    assert set().union(*day.tenants_served()) == {*STATES, NATIONAL}
    assert {"redirect", "refer_up", "moved: no doctor in the line"} <= set(day.happened)


@pytest.mark.verify
def test_a_whole_day_of_doctors_on_several_lines() -> None:
    """The same at length: whoever serves several lines serves all of them."""
    day = play_several_lines(lines=3, doctors=14, shared=10, patients=640, hours=4)
    assert all(tenants == {*STATES, NATIONAL} for tenants in day.tenants_served())
    assert set(day.happened) == {
        "redirect",
        "redirect_to_hub",
        "refer_up",
        "moved: no doctor in the line",
        "moved: the named doctor left",
        "moved: the named doctor was busy too long",
    }


@pytest.mark.verify
def test_a_whole_day() -> None:
    """Twenty lines, sixty doctors, three thousand patients: promises hold eight times in ten."""
    report = play(Day(lines=20, doctors=60, patients=3000, hours=6, seed=SEED))
    say(report)
    assert 0.75 <= report.inside <= 0.9
    assert report.median_width <= statistics.median(report.waits)
