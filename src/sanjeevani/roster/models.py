"""Who serves which lines, who is expected when, who is on duty now and who has been."""

import uuid

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
    """A practitioner's duty: one row for life, keyed nation-wide.

    `ended_in_silence`: off duty because nobody had the desk open any more.
    """

    practitioner_id = models.UUIDField(primary_key=True)
    status = models.CharField(max_length=5, choices=DutyStatus.choices, default=DutyStatus.OFF)
    since = models.DateTimeField()
    ended_in_silence = models.BooleanField(default=False, db_default=False)


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
    keeps the plan for a return; it counts only with an assignment. A plan that was replaced stays
    with its last day, so that weeks gone by are compared with what was planned then.
    """

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    practitioner_id = models.UUIDField()
    weekday = models.PositiveSmallIntegerField()
    begins = models.TimeField()
    ends = models.TimeField()
    since = models.DateField()
    until = models.DateField(null=True)
    """The first day on which it no longer holds."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "practitioner_id", "weekday", "begins"],
                name="weekly_plan_once",
                condition=models.Q(until__isnull=True),
            ),
            models.CheckConstraint(name="weekly_plan_weekday", condition=models.Q(weekday__lte=6)),
            models.CheckConstraint(
                name="weekly_plan_in_order", condition=models.Q(ends__gt=models.F("begins"))
            ),
        ]


class LeaveDay(KeyedModel):
    """A day on which a practitioner is away from all lines. A row a day: no two leaves overlap."""

    pk = models.CompositePrimaryKey("practitioner_id", "date")
    practitioner_id = models.UUIDField()
    date = models.DateField()
    leave_id = models.UUIDField()
    """The days that were asked for together."""

    @property
    def id(self) -> uuid.UUID:
        """The leave as the audit trail names it."""
        return self.leave_id


class OfferStatus(models.TextChoices):
    """What became of a shift that was offered."""

    OPEN = "open", _("Not answered yet")
    ACCEPTED = "accepted", _("Taken over")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    PASSED_ON = "passed_on", _("Passed on")
    GIVEN_UP = "given_up", _("Given up, with its owner again")


class ShiftOffer(ShardedModel):
    """One shift on one date, offered by who holds it to a colleague of the same line.

    `owner_id` is whose weekly plan has the shift: a shift that was taken over may be passed on.
    """

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    owner_id = models.UUIDField()
    giver_id = models.UUIDField()
    giver_state_id = models.SmallIntegerField()
    taker_id = models.UUIDField()
    taker_state_id = models.SmallIntegerField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=OfferStatus.choices, default=OfferStatus.OPEN)
    offered_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "owner_id", "begins_at"],
                name="shift_taken_over_once",
                condition=models.Q(status="accepted"),
            ),
            models.UniqueConstraint(
                fields=["state_id", "line_id", "owner_id", "begins_at", "taker_id"],
                name="shift_offered_once",
                condition=models.Q(status="open"),
            ),
            models.CheckConstraint(
                name="shift_in_order", condition=models.Q(ends_at__gt=models.F("begins_at"))
            ),
            models.CheckConstraint(
                name="shift_to_another", condition=~models.Q(taker_id=models.F("giver_id"))
            ),
        ]
        indexes = [models.Index(fields=["state_id", "line_id", "begins_at"], name="shift_by_line")]


class Spell(ShardedModel):
    """That a practitioner served a line, from going on duty to going off; `ended_at` is open yet.

    It lives with the line, so that a doctor of lines in several states has one in each.
    """

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    practitioner_id = models.UUIDField()
    practitioner_state_id = models.SmallIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "practitioner_id"],
                name="spell_open_once",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="spell_in_order",
                condition=models.Q(ended_at__isnull=True)
                | models.Q(ended_at__gte=models.F("began_at")),
            ),
        ]
        indexes = [models.Index(fields=["state_id", "line_id", "began_at"], name="spell_by_line")]


class Break(KeyedModel):
    """A break of a practitioner on duty, which counts in all lines at once."""

    pk = models.CompositePrimaryKey("practitioner_id", "began_at")
    practitioner_id = models.UUIDField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner_id"],
                name="break_open_once",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="break_in_order",
                condition=models.Q(ended_at__isnull=True)
                | models.Q(ended_at__gte=models.F("began_at")),
            ),
        ]
