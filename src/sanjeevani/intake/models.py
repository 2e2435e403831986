"""What the patient says: drafted in the patient's state, frozen into the consultation's tenant."""

from django.db import models

from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class IntakeDraft(ShardedModel):
    """The one draft of a patient, kept so that nothing typed is lost."""

    patient_id = models.UUIDField()
    content = models.JSONField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "patient_id"], name="intake_draft_once")
        ]
        indexes = [models.Index(fields=["updated_at"], name="intake_draft_age")]


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


class Paper(ShardedModel):
    """That a photo or paper belongs to a consultation, or to the draft (None) of its patient.

    In the patient's state, beside the file. A consultation that continues an earlier one has rows
    of its own for the same files.
    """

    upload_id = models.UUIDField()
    upload = sharded_relation("documents.UploadedFile", "upload_id")
    patient_id = models.UUIDField()
    consultation_state_id = models.SmallIntegerField(null=True)
    consultation_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "upload_id", "consultation_id"],
                nulls_distinct=False,
                name="paper_once",
            ),
            models.CheckConstraint(
                name="paper_of_consultation",
                condition=models.Q(consultation_id__isnull=True, consultation_state_id__isnull=True)
                | models.Q(consultation_id__isnull=False, consultation_state_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["state_id", "patient_id", "consultation_id"], name="paper_of_patient"
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(consultation_id__isnull=True),
                name="paper_in_draft",
            ),
        ]
