"""Messages on their way out, and what the development inbox received."""

from django.db import models

from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import LocalModel


class MessageStatus(models.TextChoices):
    """Where an outgoing message stands; the last two are final."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class OutgoingMessage(LocalModel):
    """One SMS. Its text is blanked once it was sent or given up: codes and names do not linger."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    mobile = models.CharField(max_length=16)
    text = models.TextField()
    purpose = models.CharField(max_length=40)
    language = models.CharField(max_length=3)
    status = models.CharField(
        max_length=6, choices=MessageStatus.choices, default=MessageStatus.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    # Also the end of a sender's lease: a message whose sender died comes up again.
    next_attempt_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=100, blank=True)
    failure = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            # What expires first leaves first, so that a code never waits behind reminders.
            models.Index(
                fields=["expires_at"], name="message_queued", condition=models.Q(status="queued")
            ),
            models.Index(fields=["queued_at"], name="message_by_age"),
        ]


class InboxMessage(LocalModel):
    """A message as the development inbox received it. No row of this table exists in production."""

    id = models.UUIDField(primary_key=True)
    mobile = models.CharField(max_length=16)
    text = models.TextField()
    purpose = models.CharField(max_length=40)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["received_at"], name="inbox_by_age"),
            models.Index(fields=["mobile", "received_at"], name="inbox_by_mobile"),
        ]
