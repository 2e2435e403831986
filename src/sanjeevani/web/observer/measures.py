"""What the observers' table compares: a column each, by which its rows can be put in order."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sanjeevani.reporting.tallies import Tally


class Kind(enum.StrEnum):
    """How a value is written."""

    COUNT = "count"
    SHARE = "share"
    MINUTES = "minutes"
    RATING = "rating"


@dataclass(frozen=True)
class Measure:
    """A column. `of` returns a count, a share from 0 to 1, seconds or stars; None for no figure."""

    key: str
    heading: Promise
    kind: Kind
    of: Callable[[Tally], float | None]


@dataclass(frozen=True)
class Row:
    """A state or an OPD with its figures. `state` is its code where there is a page about it."""

    name: str
    state: str
    tally: Tally


@dataclass(frozen=True)
class Order:
    """By which measure rows stand, the highest first or the lowest."""

    measure: Measure
    falling: bool = True

    @property
    def key(self) -> str:
        """The order in an address: the measure's key, with a minus where the highest is first."""
        return f"-{self.measure.key}" if self.falling else self.measure.key

    def by(self, measure: Measure) -> str:
        """Return the order to go to from here when the measure's heading is pressed."""
        return Order(measure, falling=measure != self.measure or not self.falling).key

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows in this order; rows without a figure are last in either."""
        known: list[tuple[float, Row]] = []
        unknown: list[Row] = []
        for row in sorted(rows, key=lambda row: row.name):
            value = self.measure.of(row.tally)
            if value is None:
                unknown.append(row)
            else:
                known.append((value, row))
        known.sort(key=lambda pair: pair[0], reverse=self.falling)
        return [*(row for _value, row in known), *unknown]


def _share(column: str) -> Callable[[Tally], float | None]:
    def of(tally: Tally) -> float | None:
        return getattr(tally, column) / tally.requested if tally.requested else None

    return of


MEASURES = (
    Measure("requested", _("Asked for"), Kind.COUNT, lambda tally: tally.requested),
    Measure("completed", _("Held"), Kind.COUNT, lambda tally: tally.completed),
    Measure("cancelled", _("Given back"), Kind.SHARE, _share("cancelled")),
    Measure("not_answered", _("Not answered"), Kind.SHARE, _share("not_answered")),
    Measure("sent_home", _("OPD closed"), Kind.SHARE, _share("sent_home")),
    Measure("lost", _("Lost or ended early"), Kind.SHARE, _share("lost")),
    Measure("redirected", _("Sent on"), Kind.COUNT, lambda tally: tally.redirected),
    Measure("median_wait", _("Median wait"), Kind.MINUTES, lambda tally: tally.median_wait),
    Measure("long_wait", _("Nine in ten"), Kind.MINUTES, lambda tally: tally.long_wait),
    Measure("duration", _("Length"), Kind.MINUTES, lambda tally: tally.median_duration),
    Measure("rating", _("Rating"), Kind.RATING, lambda tally: tally.mean_rating),
)


def order_of(key: str) -> Order:
    """Return the order that an address names, the busiest first where it names none of ours."""
    for measure in MEASURES:
        if key.removeprefix("-") == measure.key:
            return Order(measure, falling=key.startswith("-"))
    return Order(MEASURES[0])


def measures_from(order: Order) -> list[Measure]:
    """Return all measures, that of the order first: beside the names, where a phone shows it."""
    return [order.measure, *(one for one in MEASURES if one != order.measure)]
