"""The service loses its processes in the middle of a replay, and nobody loses anything."""

import pytest

from tests.product import Product
from tests.replay.faults import TARGETS, replay

pytestmark = pytest.mark.xdist_group("product")


SHORT = ["web worker", "gateway", "job worker", "NATS"]


@pytest.mark.parametrize(
    ("targets", "consultations"),
    [
        pytest.param(SHORT, 8, id="short"),
        pytest.param(list(TARGETS), 16, id="all", marks=pytest.mark.verify),
    ],
)
def test_processes_are_killed_one_after_the_other(
    product: Product, targets: list[str], consultations: int
) -> None:
    outcome = replay(product, targets, consultations=consultations, concurrency=8, every=4)
    outcome.check(consultations)


@pytest.mark.verify
@pytest.mark.parametrize("with_signal", ["kill", "stop"])
@pytest.mark.parametrize("name", TARGETS)
def test_one_process_is_lost(product: Product, name: str, with_signal: str) -> None:
    outcome = replay(
        product, [name], consultations=100, concurrency=16, first_after=15, with_signal=with_signal
    )
    outcome.check(100)
