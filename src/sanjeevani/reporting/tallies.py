"""What one consultation adds to the figures, and sums of such additions. Pure."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.reporting.histograms import CLASSES, class_of, percentile

HIGHEST_RATING = 5

FEWEST = 10
"""A median or a mean of fewer says more about single persons than about the service."""


class End(models.TextChoices):
    """How a consultation ended, as the figures tell it apart."""

    OPEN = "", _("Not ended")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Given back by the patient before the call")
    NOT_ANSWERED = "not_answered", _("Call not answered")
    SENT_HOME = "sent_home", _("OPD closed before the turn")
    LOST = "lost", _("Connection lost for good")
    REDIRECTED = "redirected", _("Sent on to another OPD")


@dataclass(frozen=True)
class Contribution:
    """What a consultation adds. Lengths in seconds; None is what has not happened (yet)."""

    patient_state_id: int
    line_id: uuid.UUID
    day: datetime.date
    end: str
    wait_seconds: int | None
    duration_seconds: int | None
    rating: int | None


def _no_classes() -> list[int]:
    return [0] * CLASSES


@dataclass
class Tally:
    """Counts and histograms of some consultations. The fields are the columns of the roll-ups.

    `requested` leaves out those that were sent on: each is asked for once, where it came to.
    """

    requested: int = 0
    completed: int = 0
    cancelled: int = 0
    not_answered: int = 0
    sent_home: int = 0
    lost: int = 0
    redirected: int = 0
    waits: list[int] = field(default_factory=_no_classes)
    durations: list[int] = field(default_factory=_no_classes)
    ratings: list[int] = field(default_factory=lambda: [0] * HIGHEST_RATING)

    def add(self, contribution: Contribution, times: int = 1) -> None:
        """Count a consultation, or with `times` = -1 take it back."""
        if contribution.end != End.REDIRECTED:
            self.requested += times
        if contribution.end:
            setattr(self, contribution.end, getattr(self, contribution.end) + times)
        if contribution.wait_seconds is not None:
            self.waits[class_of(contribution.wait_seconds)] += times
        if contribution.duration_seconds is not None:
            self.durations[class_of(contribution.duration_seconds)] += times
        if contribution.rating is not None:
            self.ratings[contribution.rating - 1] += times

    def merge(self, other: "Tally") -> None:
        """Add another tally to this one."""
        for column in fields(self):
            mine, theirs = getattr(self, column.name), getattr(other, column.name)
            if isinstance(mine, list):
                setattr(self, column.name, [a + b for a, b in zip(mine, theirs, strict=True)])
            else:
                setattr(self, column.name, mine + theirs)

    @property
    def abandoned(self) -> int:
        """How many were not held: given back, not answered, closed before the turn, or lost."""
        return self.cancelled + self.not_answered + self.sent_home + self.lost

    @property
    def open(self) -> int:
        """How many have not ended: with it the parts add up to what was asked for."""
        return self.requested - self.completed - self.abandoned

    @property
    def median_wait(self) -> float | None:
        """Seconds from the request until the patient answered the call; None for too few."""
        return _told(self.waits, 0.5)

    @property
    def long_wait(self) -> float | None:
        """Seconds that nine in ten waited at most; None for too few."""
        return _told(self.waits, 0.9)

    @property
    def median_duration(self) -> float | None:
        """Seconds that completed consultations lasted; None for too few."""
        return _told(self.durations, 0.5)

    @property
    def rated(self) -> int:
        """How many patients gave a rating."""
        return sum(self.ratings)

    @property
    def mean_rating(self) -> float | None:
        """From 1 to 5, None for too few."""
        stars = sum(rating * count for rating, count in enumerate(self.ratings, start=1))
        return stars / self.rated if self.rated >= FEWEST else None


def _told(counts: list[int], share: float) -> float | None:
    return percentile(counts, share) if sum(counts) >= FEWEST else None


COLUMNS = tuple(column.name for column in fields(Tally))


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of several tallies."""
    total = Tally()
    for tally in tallies:
        total.merge(tally)
    return total
