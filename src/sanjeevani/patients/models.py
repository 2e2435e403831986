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
    RESIDENT = "resident", _("Resident of the institution")


class Patient(ShardedModel):
    """A person in the state of registration. Several may share the account of one mobile.

    `room` tells residents of an institution apart. `decides_alone` is False for an adult who cannot
    decide or speak for themselves. `left_at`: no longer in the care of the account, the record
    stays. `same_as_id`: registered twice; the history of both is read under the other record.
    `abha_number`: 14 digits of the national health account, if there is one.
    """

    account_id = models.UUIDField()
    relation = models.CharField(max_length=10, choices=Relation.choices)
    name = models.CharField(max_length=100)
    gender = models.CharField(max_length=6, choices=Gender.choices)
    birth_date = models.DateField()
    birth_date_is_estimated = models.BooleanField()
    address = models.CharField(max_length=200)
    district = models.CharField(max_length=60)
    registered_at = models.DateTimeField()
    registration_key = models.UUIDField(null=True)
    decides_alone = models.BooleanField(default=True)
    room = models.CharField(max_length=20, blank=True, default="")
    left_at = models.DateTimeField(null=True)
    same_as_id = models.UUIDField(null=True)
    abha_number = models.CharField(max_length=14, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "abha_number"],
                condition=~models.Q(abha_number=""),
                name="patient_abha_number",
            ),
            models.UniqueConstraint(
                fields=["state_id", "account_id", "registration_key"],
                name="patient_registered_once",
            ),
            models.CheckConstraint(
                name="patient_same_as_another",
                condition=models.Q(same_as_id__isnull=True) | ~models.Q(same_as_id=models.F("id")),
            ),
        ]
        indexes = [
            models.Index(fields=["state_id", "account_id"], name="patient_by_account"),
            models.Index(
                fields=["state_id", "same_as_id"],
                condition=models.Q(same_as_id__isnull=False),
                name="patient_same_as",
            ),
        ]


class SpokePatient(ShardedModel):
    """That the staff of a spoke sit beside this patient: what lets them act for the patient.

    In the patient's state, which is the spoke's. `since` is renewed with every visit.
    `told_mobile`: what the patient says is their mobile, while it was not shown and others use it.
    """

    facility_id = models.UUIDField()
    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    by_post_id = models.UUIDField()
    since = models.DateTimeField()
    told_mobile = models.CharField(max_length=16, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "patient_id"], name="spoke_patient_once"
            )
        ]
        indexes = [
            models.Index(fields=["state_id", "facility_id", "-since"], name="spoke_patients_newest")
        ]


class InstitutionKind(models.TextChoices):
    """What sort of institution registers its residents."""

    OLD_AGE_HOME = "old_age_home", _("Old-age home")
    ORPHANAGE = "orphanage", _("Children's home or orphanage")
    JAIL = "jail", _("Jail")
    OTHER = "other", _("Another institution")


class Area(models.TextChoices):
    """Where an address lies; services are counted by it."""

    RURAL = "rural", _("Village")
    URBAN = "urban", _("Town or city")


class Institution(ShardedModel):
    """That an account belongs to an institution, whose residents are its patients.

    `responsible_name` is the adult who answers for the residents: the warden, the superintendent.
    """

    account_id = models.UUIDField()
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=InstitutionKind.choices)
    address = models.CharField(max_length=200)
    district = models.CharField(max_length=60)
    area = models.CharField(max_length=5, choices=Area.choices)
    responsible_name = models.CharField(max_length=100)
    responsible_role = models.CharField(max_length=60)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "account_id"], name="institution_once")
        ]


class Bond(models.TextChoices):
    """What somebody is to the patient."""

    PARENT = "parent", _("Mother or father")
    SPOUSE = "spouse", _("Wife or husband")
    CHILD = "child", _("Daughter or son")
    SIBLING = "sibling", _("Sister or brother")
    RELATIVE = "relative", _("Another relative")
    GUARDIAN = "guardian", _("Guardian")
    CAREGIVER = "caregiver", _("Caregiver")
    INSTITUTION = "institution", _("Responsible at the institution")
    OTHER = "other", _("Someone else")


class Representative(ShardedModel):
    """Somebody whom the patient names: to collect medicines, to speak for them, or both.

    Valid from `since` to `until` inclusive (None: until revoked).
    """

    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    name = models.CharField(max_length=100)
    bond = models.CharField(max_length=12, choices=Bond.choices)
    mobile = models.CharField(max_length=16, blank=True)
    may_collect = models.BooleanField()
    may_speak = models.BooleanField()
    since = models.DateField()
    until = models.DateField(null=True)
    named_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="representative_may_something",
                condition=models.Q(may_collect=True) | models.Q(may_speak=True),
            ),
            models.CheckConstraint(
                name="representative_period",
                condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since")),
            ),
        ]
        indexes = [
            models.Index(fields=["state_id", "patient_id"], name="representative_of_patient")
        ]


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
