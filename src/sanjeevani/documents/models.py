"""Uploaded files and links to records."""

import uuid

from django.db import models

from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import KeyedModel, ShardedModel


class UploadedFile(ShardedModel):
    """A photo or paper of a patient. The content lies in the storage under a meaningless key."""

    patient_id = models.UUIDField()
    storage_key = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveSmallIntegerField(null=True)
    height = models.PositiveSmallIntegerField(null=True)
    uploaded_by_id = models.UUIDField(null=True)
    uploaded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["state_id", "patient_id", "id"], name="upload_by_patient"),
            models.Index(fields=["storage_key"], name="upload_by_storage_key"),
        ]


class ShareLink(KeyedModel):
    """A link that opens one record to whoever holds it and knows an answer, for a while.

    The token itself is stored nowhere, only its digest.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    id = models.UUIDField(default=uuid7, editable=False)
    record_type = models.CharField(max_length=40)
    record_state_id = models.SmallIntegerField()
    record_id = models.UUIDField()
    patient_id = models.UUIDField(null=True)
    made_for = models.CharField(max_length=60, blank=True)
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    tries_left = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="share_link_expiry"),
            models.Index(fields=["record_id"], name="share_link_record"),
        ]


def storage_key() -> str:
    """Return a new place in the storage: random, so that no address tells or leads to another."""
    name = uuid.uuid4().hex
    return f"{name[:2]}/{name}"
