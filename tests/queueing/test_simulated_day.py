"""Order, loss and promises over a whole day."""

import statistics
import sys

import pytest

from sanjeevani.queueing.models import PriorityClass
from tests.queueing.simulated_day import Day, Report

pytestmark = pytest.mark.django_db(databases=["default", "owner"])


def play(**size: float) -> Report:
    """Play a day; its own asserts hold every claim against the definition of order."""
    day = Day(seed=20261123, **size)  # type: ignore[arg-type]
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
    lines = sorted({line_id for line_id, _class in report.longest})
    for number, line_id in enumerate(lines, start=1):
        classes = ", ".join(
            f"{PriorityClass(each).label} {report.longest[line_id, each]:.0f}"
            for each in PriorityClass
            if (line_id, each) in report.longest
        )
        sys.stdout.write(f"  line {number}: longest wait in minutes: {classes}\n")


def test_a_short_day() -> None:
    """Four lines with a dozen doctors: nobody is lost, nobody passed over."""
    report = play(lines=4, doctors=12, patients=300, hours=3)
    assert report.claims > 300


@pytest.mark.verify
def test_a_whole_day() -> None:
    """Twenty lines, sixty doctors, three thousand patients: promises hold eight times in ten."""
    report = play(lines=20, doctors=60, patients=3000, hours=6)
    say(report)
    assert 0.75 <= report.inside <= 0.9
    assert report.median_width <= statistics.median(report.waits)
