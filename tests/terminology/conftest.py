"""The reference tables, loaded from the product's own data files."""

import pytest
from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="session")
def _reference_committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    from sanjeevani.terminology.services import load_reference

    with django_db_blocker.unblock():
        load_reference()


@pytest.fixture
def reference(_reference_committed: None, db: None) -> None:
    """Loaded once for all tests, and again should a transactional test have emptied the tables."""
    from sanjeevani.terminology.services import load_reference

    load_reference()
