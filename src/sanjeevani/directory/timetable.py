"""Weeks of openings and shifts: what makes one wrong. Pure.

Times are Indian time. A span ends on the day on which it begins; what goes over midnight is two
spans, the first of which ends at `MIDNIGHT`.
"""

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import Invalid

MIDNIGHT = datetime.time.max
"""The end of a day: the last moment that a time of day can say."""

WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One span on a weekday (0 is Monday): an opening of a clinic, a shift of a doctor."""

    weekday: int
    opens: datetime.time
    closes: datetime.time


def faults(openings: Sequence[Opening]) -> Iterator[tuple[int, Promise | str]]:
    """Yield, for each opening that is wrong, its index and what to do about it."""
    for index, opening in enumerate(openings):
        if not 0 <= opening.weekday < len(WEEKDAYS):
            yield index, _("Choose a day of the week.")
        elif opening.closes == opening.opens:
            yield index, _("This begins and ends at the same time. Check both times.")
        elif opening.closes < opening.opens:
            yield (
                index,
                _(
                    "This ends before it begins. For a time that goes over midnight write two:"
                    " %(day)s from %(opens)s to 00:00, and %(next)s from 00:00 to %(closes)s."
                )
                % {
                    "day": WEEKDAYS[opening.weekday],
                    "next": WEEKDAYS[(opening.weekday + 1) % len(WEEKDAYS)],
                    "opens": f"{opening.opens:%H:%M}",
                    "closes": f"{opening.closes:%H:%M}",
                },
            )
    ordered = sorted(enumerate(openings), key=lambda pair: (pair[1].weekday, pair[1].opens))
    for (_earlier, earlier), (index, later) in itertools.pairwise(ordered):
        if earlier.weekday == later.weekday and later.opens < earlier.closes:
            yield (
                index,
                _("This overlaps with %(opens)s to %(closes)s on the same day.")
                % {"opens": f"{earlier.opens:%H:%M}", "closes": written(earlier.closes)},
            )


def check(openings: Sequence[Opening]) -> list[Opening]:
    """Return the openings in their order. Raises Invalid for the first that is wrong."""
    for _index, message in faults(openings):
        raise Invalid(message, field="hours")
    return sorted(openings, key=lambda opening: (opening.weekday, opening.opens))


def written(time: datetime.time) -> str:
    """Return a time of day as 24 hours write it; the end of the day is 24:00."""
    return "24:00" if time == MIDNIGHT else f"{time:%H:%M}"
