"""What must be heard over a bad link (docs/performance.md has the table)."""

import pytest

from tests.load.calls import MIDDLE, NARROW, SETTLING_SECONDS, listen, seconds_until_back


@pytest.mark.verify
def test_speech_survives_a_narrow_and_lossy_link() -> None:
    for heard in listen(NARROW, settling=SETTLING_SECONDS, seconds=60):
        assert heard.lost < 0.10
        assert heard.concealed < 0.02


@pytest.mark.verify
def test_a_middling_link_carries_a_moving_picture() -> None:
    for heard in listen(MIDDLE, settling=45, seconds=60):
        assert heard.lost < 0.10
        assert heard.frames_per_second >= 10


@pytest.mark.verify
def test_a_call_comes_back_by_itself_after_a_cut() -> None:
    assert seconds_until_back(NARROW, 25) < 10
