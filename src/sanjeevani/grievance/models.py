"""Grievances and their steps."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import KeyedModel, ShardedModel, sharded_relation


class GrievanceKind(models.TextChoices):
    """What it is about, in the words of whoever complains."""

    WAITING = "waiting", _("Waiting too long, or not called")
    DOCTOR = "doctor", _("The doctor, or the advice")
    PRESCRIPTION = "prescription", _("The prescription, or the medicines")
    TECHNICAL = "technical", _("The page, the picture or the sound did not work")
    STAFF = "staff", _("How I was treated by other staff")
    SAFETY = "safety", _("I was harassed or threatened")
    PRIVACY = "privacy", _("My privacy: who saw or used what is mine")
    SUGGESTION = "suggestion", _("A suggestion, or praise")
    OTHER = "other", _("Something else")


class GrievanceStatus(models.TextChoices):
    """How far it has come; the moves are in `states.py`."""

    RECEIVED = "received", _("Received")
    IN_PROGRESS = "in_progress", _("Being looked into")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Opened again")


WAITING_FOR_US = (
    GrievanceStatus.RECEIVED,
    GrievanceStatus.IN_PROGRESS,
    GrievanceStatus.REOPENED,
)


class Grievance(ShardedModel):
    """A complaint or suggestion, in the tenant of whom it concerns."""

    number = models.CharField(max_length=17)
    kind = models.CharField(max_length=12, choices=GrievanceKind.choices)
    status = models.CharField(
        max_length=12, choices=GrievanceStatus.choices, default=GrievanceStatus.RECEIVED
    )
    text = models.TextField(max_length=4000)
    facility_id = models.UUIDField(null=True)
    facility = sharded_relation("directory.Facility", "facility_id", null=True)
    consultation_id = models.UUIDField(null=True)
    consultation = sharded_relation("consultation.Consultation", "consultation_id", null=True)
    about_account_id = models.UUIDField(null=True)
    """Who of a spoke's staff asked for the consultation, where it is about the staff."""
    account_id = models.UUIDField(null=True)
    name = models.CharField(max_length=100, blank=True)
    mobile = models.CharField(max_length=16, blank=True)
    language = models.CharField(max_length=3)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answer = models.TextField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "number"], name="grievance_number"),
        ]
        indexes = [
            models.Index(
                fields=["state_id", "due_at"],
                condition=models.Q(status__in=["received", "in_progress", "reopened"]),
                name="grievance_waiting_for_us",
            ),
            models.Index(
                fields=["state_id", "answered_at"],
                condition=models.Q(status="answered"),
                name="grievance_answered",
            ),
        ]

    @property
    def waits_for_us(self) -> bool:
        """Whether an answer is still due."""
        return self.status in WAITING_FOR_US


class GrievanceStep(ShardedModel):
    """One move of a grievance: when, by whom, and the answer or the reason. Insert-only."""

    insert_only = True

    grievance_id = models.UUIDField()
    grievance = sharded_relation("grievance.Grievance", "grievance_id")
    status = models.CharField(max_length=12, choices=GrievanceStatus.choices)
    at = models.DateTimeField()
    post_id = models.UUIDField(null=True)
    text = models.TextField(max_length=4000, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state_id", "grievance_id", "id"], name="grievance_step_order")
        ]


class HandlerTold(KeyedModel):
    """When somebody who answers was last told what waits: once a day. Its id is the account's."""

    id = models.UUIDField(primary_key=True)
    day = models.DateField()
    told_at = models.DateTimeField()
