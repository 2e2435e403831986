"""Drafts of prescriptions, and signed ones, which never change."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import KeyedModel, ShardedModel, sharded_relation


class DraftItem(ShardedModel):
    """One medicine of the draft of a consultation.

    `dose` counts units of the form (tablets, mL, drops) at one time; `frequency` is a code of the
    terminology's dosage (`BD`) or a pattern of doses through the day (`1-0-2`), in which case
    `dose` is 1 and multiplies it.
    """

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    position = models.PositiveSmallIntegerField()
    medicine_code = models.CharField(max_length=120)
    dose = models.DecimalField(max_digits=6, decimal_places=2)
    frequency = models.CharField(max_length=20)
    duration_days = models.PositiveSmallIntegerField()
    instruction_code = models.CharField(max_length=30, blank=True)
    instructions = models.CharField(max_length=200, blank=True)
    override_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id", "medicine_code"], name="draft_item_once"
            )
        ]


class Prescription(ShardedModel):
    """A signed prescription, insert-only: `signature` is a JWS over `content`'s digest."""

    insert_only = True

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    number = models.CharField(max_length=20)
    content = models.JSONField()
    signature = models.TextField()
    practitioner_id = models.UUIDField()
    supersedes_id = models.UUIDField(null=True)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "number"], name="prescription_number"),
            models.UniqueConstraint(
                fields=["state_id", "supersedes_id"], name="prescription_one_successor"
            ),
        ]
        indexes = [
            models.Index(fields=["state_id", "consultation_id", "id"], name="prescription_newest")
        ]


class EndKind(models.TextChoices):
    """How a signed prescription stops being valid."""

    SUPERSEDED = "superseded", _("Replaced by a newer one")
    CANCELLED = "cancelled", _("Cancelled")


class PrescriptionEnd(ShardedModel):
    """That a signed prescription no longer holds, and why. Insert-only.

    `reason` is the doctor's word to the patient; empty where the doctor signed again before the
    consultation ended.
    """

    insert_only = True

    prescription_id = models.UUIDField()
    prescription = sharded_relation("prescription.Prescription", "prescription_id")
    kind = models.CharField(max_length=10, choices=EndKind.choices)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "prescription_id"], name="prescription_ends_once"
            )
        ]


class PrescriptionNumber(KeyedModel):
    """Where the prescription of a number is: unique nation-wide, not guessable, not in order."""

    number = models.CharField(max_length=20, primary_key=True)
    prescription_state_id = models.SmallIntegerField()
    prescription_id = models.UUIDField()


class Handing(models.TextChoices):
    """What a patient got of a medicine."""

    FULL = "full", _("In full")
    PART = "part", _("In part")
    NONE = "none", _("Not in stock")


class Dispensing(ShardedModel):
    """What was handed out at a spoke on a prescription, medicine by medicine. Insert-only: the
    newest row of a medicine counts.

    `given`: how many units of the form the patient has got in all, where it was only a part.
    """

    insert_only = True

    prescription_id = models.UUIDField()
    prescription = sharded_relation("prescription.Prescription", "prescription_id")
    medicine_code = models.CharField(max_length=120)
    handing = models.CharField(max_length=4, choices=Handing.choices)
    given = models.PositiveSmallIntegerField(null=True)
    facility_state_id = models.SmallIntegerField()
    facility_id = models.UUIDField()
    by_post_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="dispensing_given",
                condition=models.Q(given__isnull=True) | models.Q(handing="part", given__gt=0),
            )
        ]
        indexes = [models.Index(fields=["state_id", "prescription_id", "id"], name="dispensing_of")]


class SpokePrescription(ShardedModel):
    """In the spoke's state: a prescription that its staff may hand out, and how far they are.

    Made when a patient of the spoke is prescribed something, or when the staff are shown a
    prescription that verifies; then `shown_to_post_id` says whom. `missing`: the codes of what the
    patient has not got in full. `settled_at`: nothing is missing, or the prescription has ended.
    """

    facility_id = models.UUIDField()
    prescription_state_id = models.SmallIntegerField()
    prescription_id = models.UUIDField()
    consultation_id = models.UUIDField()
    shown_to_post_id = models.UUIDField(null=True)
    since = models.DateTimeField()
    expires_at = models.DateTimeField()
    missing = ArrayField(models.CharField(max_length=120))
    handed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "prescription_id"],
                name="spoke_prescription_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["state_id", "facility_id", "-since"],
                condition=models.Q(handed_at__isnull=True, settled_at__isnull=True),
                name="spoke_prescription_waiting",
            ),
            models.Index(
                fields=["state_id", "facility_id", "-since"],
                condition=models.Q(handed_at__isnull=False, settled_at__isnull=True),
                name="spoke_prescription_missing",
            ),
        ]


class OutOfStock(ShardedModel):
    """In the spoke's state: a medicine that a spoke has none of. Everything else is taken to be
    there, so that nobody has to keep a list before the first patient comes.

    Once there is some again, the row says since when (`back_at`). `by_post_id`: who said the last
    of the two.
    """

    facility_id = models.UUIDField()
    medicine_code = models.CharField(max_length=120)
    since = models.DateTimeField()
    back_at = models.DateTimeField(null=True)
    by_post_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "medicine_code"], name="out_of_stock_once"
            )
        ]
