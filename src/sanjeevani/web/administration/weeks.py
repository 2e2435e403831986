"""A week of openings or shifts as a form: each weekday has its times, and one more to fill in."""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import ClinicHours
from sanjeevani.directory.timetable import MIDNIGHT, WEEKDAYS, Opening, faults
from sanjeevani.web.fields import PlainForm

MOST_A_DAY = 6
NEXT_DAY = datetime.time(0)
"""How midnight is written at the end of a time: the day's last moment has no other name."""


Span = Opening | ClinicHours


class TimeWidget(forms.TimeInput):
    """A time of day, with the browser's own help where it has some."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class WeekForm(PlainForm):
    """The times of a week. Empty pairs are left out; what goes over midnight can be split."""

    can_split = False
    """Whether something ends before it begins: over midnight, that is."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, openings: Iterable[Span] = ()
    ) -> None:
        initial: dict[str, datetime.time] = {}
        self.counts = [0] * len(WEEKDAYS)
        for opening in openings:
            number = self.counts[opening.weekday]
            self.counts[opening.weekday] += 1
            initial[f"opens_{opening.weekday}_{number}"] = opening.opens
            initial[f"closes_{opening.weekday}_{number}"] = (
                NEXT_DAY if opening.closes == MIDNIGHT else opening.closes
            )
        if data is not None:
            self.counts = [_sent_times(data, weekday) for weekday in range(len(WEEKDAYS))]
        self.counts = [min(max(1, count), MOST_A_DAY) for count in self.counts]
        super().__init__(data, initial=initial)
        for weekday, count in enumerate(self.counts):
            for number in range(count):
                self._add_pair(weekday, number)

    @classmethod
    def reopened(cls, typed: Mapping[str, Any]) -> "WeekForm":
        """Return the form with what was typed as it stands, not judged yet."""
        form = cls(typed)
        form.is_bound = False
        form.initial = dict(typed)
        return form

    def _add_pair(self, weekday: int, number: int) -> None:
        wrong = {"invalid": _("Write the time like 09:30.")}
        for name, label in (("opens", _("From")), ("closes", _("To"))):
            self.fields[f"{name}_{weekday}_{number}"] = forms.TimeField(
                label=label,
                required=False,
                input_formats=["%H:%M", "%H.%M", "%H"],
                widget=TimeWidget(),
                error_messages=wrong,
            )

    @property
    def days(self) -> list[tuple[int, Any, list[tuple[str, str]]]]:
        """The weekdays with the names of their pairs of fields, for the template."""
        return [
            (
                weekday,
                WEEKDAYS[weekday],
                [
                    (f"opens_{weekday}_{number}", f"closes_{weekday}_{number}")
                    for number in range(count)
                ],
            )
            for weekday, count in enumerate(self.counts)
        ]

    def _pairs(self) -> list[tuple[str, Opening]]:
        found = []
        for weekday, _label, pairs in self.days:
            for opens_name, closes_name in pairs:
                opens = self.cleaned_data.get(opens_name)
                closes = self.cleaned_data.get(closes_name)
                if opens is not None and closes is not None:
                    end = MIDNIGHT if closes == NEXT_DAY else closes
                    found.append((closes_name, Opening(weekday=weekday, opens=opens, closes=end)))
        return found

    def clean(self) -> dict[str, Any]:
        """Say beside each time what is wrong with it, with the day's name."""
        said: dict[str, Any] = super().clean() or {}
        for _weekday, label, pairs in self.days:
            for opens_name, closes_name in pairs:
                if {opens_name, closes_name} & set(self.errors):
                    continue
                filled = [said.get(name) is not None for name in (opens_name, closes_name)]
                if any(filled) and not all(filled):
                    missing = closes_name if filled[0] else opens_name
                    message = _("%(day)s: fill in both times, or neither.")
                    self.add_error(missing, message % {"day": label})
        pairs_said = self._pairs()
        self.can_split = any(opening.closes < opening.opens for _name, opening in pairs_said)
        if not self._is_to_split:
            for index, fault in faults([opening for _name, opening in pairs_said]):
                name, opening = pairs_said[index]
                if not self.has_error(name):
                    self.add_error(name, f"{WEEKDAYS[opening.weekday]}: {fault}")
        return said

    @property
    def _is_to_split(self) -> bool:
        return self.data.get("do") == "split"

    def openings(self) -> list[Opening]:
        """Return the openings of a valid form, cut at midnight if that was asked for.

        Check them again: what was cut may overlap with the next day.
        """
        found: list[Opening] = []
        for _name, opening in self._pairs():
            if opening.closes < opening.opens:
                found += split(opening)
            else:
                found.append(opening)
        return found


def split(opening: Opening) -> list[Opening]:
    """Cut what goes over midnight into its two days."""
    return [
        Opening(weekday=opening.weekday, opens=opening.opens, closes=MIDNIGHT),
        Opening(
            weekday=(opening.weekday + 1) % len(WEEKDAYS), opens=NEXT_DAY, closes=opening.closes
        ),
    ]


def _sent_times(data: Mapping[str, Any], weekday: int) -> int:
    numbers = [
        int(found.group(1))
        for name in data
        if (found := re.fullmatch(rf"(?:opens|closes)_{weekday}_(\d)", name))
    ]
    return max(numbers, default=-1) + 1


def changed(data: Mapping[str, Any], do: str) -> dict[str, Any]:
    """Return what was typed, with a further time on a day or one day copied to others.

    `do`: `add_<weekday>`, `copy_days` (Monday's times to Saturday) or `copy_week` (to Sunday).
    """
    typed = {
        name: value for name, value in data.items() if re.match(r"(opens|closes)_\d_\d$", name)
    }
    if do.startswith("add_") and do[4:] in "0123456" and len(do) == 5:
        weekday = int(do[4:])
        further = min(_sent_times(typed, weekday), MOST_A_DAY - 1)
        typed.setdefault(f"opens_{weekday}_{further}", "")
        typed.setdefault(f"closes_{weekday}_{further}", "")
    elif do in ("copy_days", "copy_week"):
        last = 5 if do == "copy_days" else 6
        monday = {name: value for name, value in typed.items() if name.split("_")[1] == "0"}
        typed = {
            name: value for name, value in typed.items() if not 1 <= int(name.split("_")[1]) <= last
        }
        for name, value in monday.items():
            edge, _weekday, number = name.split("_")
            typed |= {f"{edge}_{day}_{number}": value for day in range(1, last + 1)}
    return typed
