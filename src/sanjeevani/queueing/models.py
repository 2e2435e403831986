"""Line days, tokens, and the practitioner's lease."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import KeyedModel, ShardedModel, sharded_relation


class TokenStatus(models.TextChoices):
    """Where a token stands."""

    WAITING = "waiting", _("Waiting")
    CALLED = "called", _("Called")
    SERVING = "serving", _("With the doctor")
    SERVED = "served", _("Served")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")
    REDIRECTED = "redirected", _("Redirected")


class PriorityClass(models.IntegerChoices):
    """The smaller goes first."""

    EMERGENCY = 0, _("Emergency")
    PRIORITY = 1, _("Priority")
    ORDINARY = 2, _("Ordinary")


class LineDay(ShardedModel):
    """The counters of a line on a day: numbers given, places taken."""

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    day = models.DateField()
    issued = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    unattended_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "line_id", "day"], name="line_day_once")
        ]


class Token(ShardedModel):
    """A numbered place in a line on a day.

    `priority_class` and `waiting_since` are the patient's claim to be served; `order_class` and
    `order_at` the place in the order, which differ only after a call was not answered.
    `holds_place`: one of the day's places is this token's, and free again if it is given back.
    `calls`: those that the patient missed, and the one that is on; not one that the doctor handed
    back or the line dropped.

    Whatever locks a waiting token hides it from Next for as long, and the one behind it would be
    called: only what takes a token out of the line, or to another place in it, may lock one.
    """

    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    day = models.DateField()
    number = models.PositiveIntegerField()
    subject_id = models.UUIDField()
    consultation_id = models.UUIDField()
    status = models.CharField(
        max_length=10, choices=TokenStatus.choices, default=TokenStatus.WAITING
    )
    priority_class = models.PositiveSmallIntegerField(choices=PriorityClass.choices)
    waiting_since = models.DateTimeField()
    order_class = models.PositiveSmallIntegerField()
    order_at = models.DateTimeField()
    language = models.CharField(max_length=3)
    gender_preference = models.CharField(max_length=6, blank=True)
    not_for = ArrayField(models.UUIDField(), default=list)
    practitioner_id = models.UUIDField(null=True)
    calls = models.PositiveSmallIntegerField(default=0)
    called_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    served_from = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    holds_place = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "line_id", "day", "number"], name="token_number_once"
            ),
            models.UniqueConstraint(
                fields=["state_id", "line_id", "subject_id"],
                condition=models.Q(status__in=["waiting", "called", "serving"]),
                name="token_waits_once",
            ),
            models.UniqueConstraint(
                fields=["state_id", "practitioner_id"],
                condition=models.Q(status__in=["called", "serving"]),
                name="token_one_per_practitioner",
            ),
            models.CheckConstraint(
                name="token_practitioner_when_called",
                condition=~models.Q(status__in=["called", "serving"])
                | models.Q(practitioner_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["state_id", "line_id", "order_class", "order_at", "number"],
                condition=models.Q(status="waiting"),
                name="token_order",
            ),
            models.Index(
                fields=["deadline_at"],
                condition=models.Q(status__in=["called", "serving"], deadline_at__isnull=False),
                name="token_deadlines",
            ),
            models.Index(
                fields=["state_id", "line_id", "called_at"],
                condition=models.Q(called_at__isnull=False),
                name="token_calls",
            ),
        ]


class WaitPromise(ShardedModel):
    """What a patient was told about the wait, kept so that it can be judged. Insert-only."""

    insert_only = True

    token_id = models.UUIDField()
    token = sharded_relation("queueing.Token", "token_id")
    line_id = models.UUIDField()
    place = models.PositiveSmallIntegerField()
    doctors = models.PositiveSmallIntegerField()
    low_minutes = models.PositiveSmallIntegerField()
    high_minutes = models.PositiveSmallIntegerField()
    promised_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["state_id", "line_id", "id"], name="wait_promise_by_line"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["state_id", "token_id"], name="wait_promise_once")
        ]


class NearNotice(ShardedModel):
    """That a patient was told that the turn is near: once. Insert-only."""

    insert_only = True

    token_id = models.UUIDField()
    token = sharded_relation("queueing.Token", "token_id")
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "token_id"], name="near_notice_once")
        ]


class Lease(KeyedModel):
    """A practitioner's one live consultation, across all states. Taken before the claim."""

    practitioner_id = models.UUIDField(primary_key=True)
    token_state_id = models.SmallIntegerField(null=True)
    token_id = models.UUIDField(null=True)
    taken_at = models.DateTimeField()
