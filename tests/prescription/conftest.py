"""The reference tables, for rules that ask them."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.races.conftest import committed_rows
from tests.terminology.conftest import _reference_committed, reference

__all__ = ["_reference_committed", "reference"]


@pytest.fixture
def committed_reference(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Committed data beside the reference tables."""
    from sanjeevani.terminology.services import load_reference

    with committed_rows(django_db_blocker):
        load_reference()
        yield
