"""One product with its demo for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.product import Product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The product, running. Tests that kill its processes leave it as it comes back."""
    with Product() as running:
        yield running
