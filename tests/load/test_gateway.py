"""The gateway's ceilings, with 10,000 waiting patients."""

import pytest

from tests.load.gateway import measure


@pytest.mark.verify
def test_ten_thousand_wait_in_little_memory_and_hear_at_once() -> None:
    figures = measure(10_000)
    assert figures.kilobytes_each <= 20
    assert figures.all_last_ms <= 500
    assert figures.connects_per_second >= 1_000
