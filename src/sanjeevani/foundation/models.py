"""The audit trail, the outbox, and the keys of requests that may be sent again."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sanjeevani.foundation.sharding import KeyedModel, LocalModel, ReferenceModel, ShardedModel


class AuditEvent(ShardedModel):
    """Who, acting in which post, did what to which record, when, from where. Insert-only."""

    insert_only = True

    at = models.DateTimeField()
    verb = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=10)
    account_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    record_type = models.CharField(max_length=40)
    record_id = models.UUIDField()
    patient_id = models.UUIDField(null=True)
    break_glass = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["state_id", "patient_id", "id"], name="audit_by_patient"),
            models.Index(fields=["state_id", "account_id", "id"], name="audit_by_account"),
        ]


class OutboxFact(ShardedModel):
    """A fact as it was written in its transaction. The relay gives it its position once visible."""

    kind = models.CharField(max_length=80)
    payload = models.JSONField()
    topics = ArrayField(models.CharField(max_length=90))
    cause = models.UUIDField(null=True)
    """The audit row of the verb that published it; facts of before have none."""
    recorded_at = models.DateTimeField()
    position = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="outbox_unnumbered", condition=models.Q(position__isnull=True)
            ),
            models.Index(fields=["position"], name="outbox_by_position"),
        ]


class ListenerCursor(LocalModel):
    """How far a listener has read the outbox; the relay's own row holds the last position given."""

    listener = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)


class IdempotencyKey(KeyedModel):
    """A key that an account's program used, with the answer it got. Keyed by the account.

    `digest` is a SHA-256 in hex; `body` the answer as JSON text. Status 0 is never committed.
    """

    pk = models.CompositePrimaryKey("account_id", "key")
    account_id = models.UUIDField()
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    used_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["used_at"], name="idempotency_by_age")]


class Mark(ReferenceModel):
    """A change of what seldom changes (`steady.py`). All values together are the edition."""

    value = models.BigIntegerField(primary_key=True)
