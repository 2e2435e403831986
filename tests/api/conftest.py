"""The reference tables and static files, for every test that speaks to the API."""

import pytest

from tests.races.conftest import committed
from tests.terminology.conftest import _reference_committed, reference
from tests.web.conftest import static_files

__all__ = ["_reference_committed", "committed", "reference", "static_files"]


@pytest.fixture
def committed_reference(committed: None) -> None:
    """Committed data beside reference tables, which a transactional test may have emptied."""
    from sanjeevani.terminology.services import load_reference

    load_reference()
