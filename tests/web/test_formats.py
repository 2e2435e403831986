"""Figures, days and numbers as people in India read them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils.translation import override

from sanjeevani.directory.models import Facility
from sanjeevani.web import jinja
from sanjeevani.web.names import place_of


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (999, "999"), (1219689, "12,19,689"), (-1000, "-1,000"), (2.5, "2.5")],
)
@pytest.mark.parametrize("language", ["en", "hi", "kn", "ur", "mr"])
def test_figures_are_grouped_in_lakhs_with_latin_digits(
    value: float, shown: str, language: str
) -> None:
    with override(language):
        assert jinja.indian_number(value).replace("\u200e", "") == shown


def test_days_and_times_are_indias_with_the_months_name() -> None:
    late = datetime(2026, 6, 20, 20, 5, tzinfo=UTC)
    with override("en"):
        assert (jinja.day(late), jinja.clock(late)) == ("21 June 2026", "1:35 am")
        assert jinja.duration(timedelta(hours=1, minutes=5, seconds=50)) == "1 hour 5 minutes"
        assert jinja.duration(59) == "59 seconds"
    with override("hi"):
        assert jinja.day(date(2026, 6, 21)) == "21 जून 2026"
        assert jinja.duration(7200) == "2 घंटे"
        assert [jinja.clock(time(hour, 5)) for hour in (0, 3, 4, 9, 12, 16, 20)] == [
            "रात 12:05",
            "रात 3:05",
            "सुबह 4:05",
            "सुबह 9:05",
            "दोपहर 12:05",
            "शाम 4:05",
            "रात 8:05",
        ]
        assert jinja.clock(time.max) == "मध्यरात्रि 12:00"
    with override("en"):
        assert [jinja.clock(one) for one in (time(12), time.max)] == ["12:00 pm", "12:00 am"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+919876543210", "98765 43210"),
        ("9876543210", "98765 43210"),
        ("+442079460958", "+44 20 7946 0958"),
        ("ask my son", "ask my son"),
    ],
)
def test_phone_numbers_stand_in_groups(value: str, shown: str) -> None:
    assert jinja.phone(value) == shown


def test_languages_are_named_in_their_own_script() -> None:
    assert [jinja.language_name(code) for code in ("hi", "ta", "xx")] == ["हिन्दी", "தமிழ்", "xx"]
    assert jinja.quoted("<b>a\nb") == "&lt;b&gt;a<br>b"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("District Hospital, Lucknow", "District Hospital, Lucknow"),
        ("District Hospital, Lucknow 2", "District Hospital, Lucknow 2"),
        ("Civil Hospital", "Civil Hospital, Lucknow"),
        ("Lucknow Road Health Centre", "Lucknow Road Health Centre, Lucknow"),
        ("Hospital Newlucknow", "Hospital Newlucknow, Lucknow"),
    ],
)
def test_a_place_names_its_district_once(name: str, shown: str) -> None:
    facility = Facility(name=name, name_hi="अस्पताल", district="Lucknow")
    with override("en"):
        assert place_of(facility) == shown
    with override("hi"):
        assert place_of(facility) == ("अस्पताल" if name == shown else "अस्पताल, Lucknow")
