"""The reference tables, for every test that speaks to the API."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.races.conftest import committed, committed_rows
from tests.terminology.conftest import _reference_committed, reference

__all__ = ["_reference_committed", "committed", "reference"]


@pytest.fixture
def committed_reference(committed: None) -> None:
    """Committed data beside reference tables, which a transactional test may have emptied."""
    from sanjeevani.terminology.services import load_reference

    load_reference()


@pytest.fixture
def committed_reference_once(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The same for a test that is held once."""
    from sanjeevani.terminology.services import load_reference

    with committed_rows(django_db_blocker):
        load_reference()
        yield
