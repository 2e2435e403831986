"""The roll-ups. Only the listener, the task and `rebuild_rollups` write them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import LocalModel, ShardedModel
from sanjeevani.reporting.tallies import COLUMNS, End, Tally


class CountedConsultation(ShardedModel):
    """What a consultation has added to the figures so far. Its id is the consultation's."""

    patient_state_id = models.SmallIntegerField()
    line_id = models.UUIDField()
    day = models.DateField()
    end = models.CharField(max_length=12, choices=End.choices, blank=True)
    wait_seconds = models.PositiveIntegerField(null=True)
    duration_seconds = models.PositiveIntegerField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)


class FiguresModel(LocalModel):
    """Counts and histograms (`histograms.py`) of consultations, by the day of their request.

    On the coordinating node: a dashboard must not fail with one state's node, nor ask them all.
    """

    requested = models.BigIntegerField()
    completed = models.BigIntegerField()
    cancelled = models.BigIntegerField()
    not_answered = models.BigIntegerField()
    sent_home = models.BigIntegerField()
    lost = models.BigIntegerField()
    redirected = models.BigIntegerField()
    waits = ArrayField(models.BigIntegerField())
    durations = ArrayField(models.BigIntegerField())
    ratings = ArrayField(models.BigIntegerField())

    class Meta:
        abstract = True

    def tally(self) -> Tally:
        """Return the row as a tally."""
        return Tally(**{name: getattr(self, name) for name in COLUMNS})


class LineFigures(FiguresModel):
    """A line on a day, the follow-up lanes of its practitioners with it."""

    pk = models.CompositePrimaryKey("state_id", "line_id", "day")
    state_id = models.SmallIntegerField()
    line_id = models.UUIDField()
    day = models.DateField()


class Scope(models.TextChoices):
    """Whose consultations a row counts."""

    HOST = "host", _("Held by OPDs of the state")
    HOME = "home", _("Asked for by patients of the state")
    NATION = "nation", _("All")


class StateFigures(FiguresModel):
    """A state on a day. Rows of scope `nation` have the state 0."""

    pk = models.CompositePrimaryKey("scope", "state_id", "day")
    scope = models.CharField(max_length=6, choices=Scope.choices)
    state_id = models.SmallIntegerField()
    day = models.DateField()


class StateTotals(FiguresModel):
    """A state since the service began, so that a national sum is one row."""

    pk = models.CompositePrimaryKey("scope", "state_id")
    scope = models.CharField(max_length=6, choices=Scope.choices)
    state_id = models.SmallIntegerField()


NATION = -1
"""The row of the whole nation in `Presence`: a doctor who serves two tenants counts once."""


class Presence(LocalModel):
    """How many OPDs there are, how many are attended, by how many doctors, in a tenant."""

    state_id = models.SmallIntegerField(primary_key=True)
    opds = models.PositiveIntegerField()
    opds_attended = models.PositiveIntegerField()
    doctors_on_duty = models.PositiveIntegerField()
    as_of = models.DateTimeField()
