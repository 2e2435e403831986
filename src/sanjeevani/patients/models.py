"""The registry of patients, their consents, and who may see them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Gender
from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class Relation(models.TextChoices):
    """How the patient is related to the holder of the mobile."""

    SELF = "self", _("Myself")
    CHILD = "child", _("My child")
    SPOUSE = "spouse", _("My wife or husband")
    PARENT = "parent", _("My mother or father")
    OTHER = "other", _("Someone else in my care")


class Patient(ShardedModel):
    """A person in the state of registration. Several may share the account of one mobile."""

    account_id = models.UUIDField()
    relation = models.CharField(max_length=10, choices=Relation.choices)
    name = models.CharField(max_length=100)
    gender = models.CharField(max_length=6, choices=Gender.choices)
    birth_date = models.DateField()
    birth_date_is_estimated = models.BooleanField()
    address = models.CharField(max_length=200)
    district = models.CharField(max_length=60)
    registered_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["state_id", "account_id"], name="patient_by_account")]


class ConsentDecision(models.TextChoices):
    """Given, or withdrawn as easily as it was given."""

    GIVEN = "given", _("Given")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Consent(ShardedModel):
    """One decision of a patient on one version of a notice. Insert-only: the last one counts."""

    insert_only = True

    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    notice_version = models.CharField(max_length=20)
    language = models.CharField(max_length=3)
    decision = models.CharField(max_length=10, choices=ConsentDecision.choices)
    decided_at = models.DateTimeField()
    obtained_by_post_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state_id", "patient_id", "id"], name="consent_by_patient")]


class AccessGrant(ShardedModel):
    """That a practitioner may read a patient's record because of a consultation."""

    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    practitioner_id = models.UUIDField()
    consultation_state_id = models.SmallIntegerField()
    consultation_id = models.UUIDField()
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id", "practitioner_id"], name="access_grant_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["state_id", "patient_id", "practitioner_id"], name="access_grant_reader"
            )
        ]
