"""Limits out of the way of tests that are about something else."""

import pytest
from pytest_django import Settings

from tests.identity.helpers import lift_limits


@pytest.fixture
def unlimited(settings: Settings) -> None:
    """Nobody asks or guesses too often."""
    lift_limits(settings)
