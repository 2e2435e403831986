"""What pages need to be rendered: the reference tables."""

from tests.terminology.conftest import _reference_committed, reference

__all__ = ["_reference_committed", "reference"]
