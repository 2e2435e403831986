"""The service loses its processes in the middle of a replay, and nobody loses anything."""

import pytest

from tests.product import Product
from tests.replay.faults import TARGETS, replay

pytestmark = pytest.mark.xdist_group("product")


def test_every_process_is_killed_once(product: Product) -> None:
    outcome = replay(product, list(TARGETS), consultations=16, concurrency=8, every=4)
    outcome.check(16)


@pytest.mark.verify
@pytest.mark.parametrize("with_signal", ["kill", "stop"])
@pytest.mark.parametrize("name", TARGETS)
def test_one_process_is_lost(product: Product, name: str, with_signal: str) -> None:
    outcome = replay(
        product, [name], consultations=100, concurrency=16, first_after=15, with_signal=with_signal
    )
    outcome.check(100)
