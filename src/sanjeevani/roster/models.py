"""Who serves which lines, and who is on duty now."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import KeyedModel, ShardedModel, sharded_relation


class DutyStatus(models.TextChoices):
    """Whether a practitioner serves at this moment."""

    OFF = "off", _("Off duty")
    ON = "on", _("On duty")
    BREAK = "break", _("On a break")


class Assignment(KeyedModel):
    """That a practitioner may serve a line, of whichever state. Keyed by the practitioner."""

    pk = models.CompositePrimaryKey("practitioner_id", "line_id")
    practitioner_id = models.UUIDField()
    practitioner_state_id = models.SmallIntegerField()
    line_state_id = models.SmallIntegerField()
    line_id = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["line_id"], name="assignment_by_line")]


class Duty(KeyedModel):
    """A practitioner's duty: one row for life, keyed nation-wide."""

    practitioner_id = models.UUIDField(primary_key=True)
    status = models.CharField(max_length=5, choices=DutyStatus.choices, default=DutyStatus.OFF)
    since = models.DateTimeField()


class DutyLine(ShardedModel):
    """A line that a practitioner on duty (or on a break) serves. Gone when off duty."""

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    practitioner_id = models.UUIDField()
    on_break = models.BooleanField(default=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "practitioner_id"], name="duty_line_once"
            )
        ]


class WeeklyPlan(ShardedModel):
    """One shift of a practitioner in a line on a weekday (0 is Monday), in Indian time.

    It says who is expected; who serves is said by duty. A practitioner who is taken off the line
    keeps the plan for a return; it counts only with an assignment.
    """

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    practitioner_id = models.UUIDField()
    weekday = models.PositiveSmallIntegerField()
    begins = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "practitioner_id", "weekday", "begins"],
                name="weekly_plan_once",
            ),
            models.CheckConstraint(name="weekly_plan_weekday", condition=models.Q(weekday__lte=6)),
            models.CheckConstraint(
                name="weekly_plan_in_order", condition=models.Q(ends__gt=models.F("begins"))
            ),
        ]
