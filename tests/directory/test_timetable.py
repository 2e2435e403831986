"""What makes a week of openings wrong, and what is said about it."""

import datetime

import pytest

from sanjeevani.directory.timetable import MIDNIGHT, Opening, check, faults
from sanjeevani.foundation.errors import Invalid


def opening(weekday: int, opens: str, closes: str) -> Opening:
    """An opening; 24:00 is the end of the day."""
    end = MIDNIGHT if closes == "24:00" else datetime.time.fromisoformat(closes)
    return Opening(weekday=weekday, opens=datetime.time.fromisoformat(opens), closes=end)


def test_openings_that_touch_are_right_in_any_order() -> None:
    week = [
        opening(0, "13:00", "17:00"),
        opening(0, "09:00", "13:00"),
        opening(1, "00:00", "24:00"),
    ]
    assert list(faults(week)) == []
    assert [(item.weekday, item.opens.hour) for item in check(week)] == [(0, 9), (0, 13), (1, 0)]


def test_over_midnight_is_two_openings() -> None:
    ((index, message),) = faults([opening(0, "09:00", "12:00"), opening(6, "20:00", "02:00")])
    assert index == 1
    assert "Sunday from 20:00 to 00:00, and Monday from 00:00 to 02:00" in str(message)
    assert list(faults([opening(6, "20:00", "24:00"), opening(0, "00:00", "02:00")])) == []


def test_an_overlap_names_the_other_opening() -> None:
    ((index, message),) = faults([opening(2, "11:00", "15:00"), opening(2, "09:00", "12:00")])
    assert index == 0
    assert "overlaps with 09:00 to 12:00" in str(message)


@pytest.mark.parametrize(
    "wrong",
    [opening(0, "09:00", "09:00"), opening(7, "09:00", "10:00"), opening(3, "12:00", "09:00")],
)
def test_what_is_wrong_is_refused(wrong: Opening) -> None:
    with pytest.raises(Invalid) as refused:
        check([wrong])
    assert refused.value.field == "hours"
