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


class EnteredVisit(ShardedModel):
    """That a spoke entered a patient's visit without a link, and sent it once there was one.

    In the patient's state, which is the spoke's. It is to be continued while its draft is there:
    a request takes the draft away. `key` is the tablet's, `entered_at` its time.
    """

    facility_id = models.UUIDField()
    key = models.UUIDField()
    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    draft_id = models.UUIDField()
    by_post_id = models.UUIDField()
    entered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "key"], name="entered_visit_once"
            )
        ]
        indexes = [
            models.Index(fields=["state_id", "facility_id", "-id"], name="entered_visits_newest")
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
