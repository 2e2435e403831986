"""Reference data, for those who need terms."""

from tests.terminology.conftest import _reference_committed, reference

__all__ = ["_reference_committed", "reference"]
