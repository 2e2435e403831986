"""What the patient says: drafted in the patient's state, frozen into the consultation's tenant."""

from django.db import models

from sanjeevani.foundation.sharding import ShardedModel


class IntakeDraft(ShardedModel):
    """The one draft of a patient, kept so that nothing typed is lost."""

    patient_id = models.UUIDField()
    content = models.JSONField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "patient_id"], name="intake_draft_once")
        ]


class Intake(ShardedModel):
    """What was said when the consultation was requested, insert-only.

    A returned and repeated request freezes a new one; the newest counts.
    """

    insert_only = True

    consultation_id = models.UUIDField()
    content = models.JSONField()
    frozen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["state_id", "consultation_id", "id"], name="intake_newest")]
