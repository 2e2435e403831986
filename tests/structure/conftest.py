"""What verbs need: the reference tables."""

from tests.terminology.conftest import _reference_committed

__all__ = ["_reference_committed"]
