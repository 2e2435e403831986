"""Limits out of the way of tests that are about something else."""

import pytest
from pytest_django import Settings


@pytest.fixture
def unlimited(settings: Settings) -> None:
    """Nobody asks or guesses too often."""
    # Models are known only after the setup in the outer conftest.
    from sanjeevani.identity.limits import LIMITS

    settings.SIGN_IN_LIMITS = dict.fromkeys(LIMITS, (10_000, 60))
