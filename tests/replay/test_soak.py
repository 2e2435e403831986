"""Half an hour at half the highest rate: nothing violated, no process grows."""

import os

import pytest

from tests.product import Product
from tests.replay.running import replayed

pytestmark = pytest.mark.xdist_group("product")

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
SETTLED = 1 / 3
"""By then caches and pools are full; what grows afterwards would grow for ever."""
GROWTH = 1.15
SMALL_MB = 15


@pytest.mark.verify
def test_half_an_hour_at_half_the_rate(product: Product) -> None:
    done, highest = replayed(product, "--consultations", "100", "--concurrency", "64")
    assert done.returncode == 0, done.stdout[-2000:]
    rate = highest["per_second"] / 2
    number = str(int(rate * MINUTES * 60))
    done, soaked = replayed(
        product,
        *("--consultations", number, "--per-second", str(rate), "--concurrency", "128"),
        seconds=MINUTES * 90,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    samples = soaked["memory_mb_by_minute"]
    settled = samples[int(len(samples) * SETTLED)]
    # `make verify` shows it with -s.
    print(f"\n{number} at {rate} a second, MB: {samples[0]}, {settled}, {samples[-1]}")  # noqa: T201
    for group, held in samples[-1].items():
        assert held <= settled[group] * GROWTH + SMALL_MB, (group, [one[group] for one in samples])
