"""Consultations, the doctor's notes, and what the patient thought of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.calls.models import Seat
from sanjeevani.directory.models import Gender
from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class ConsultationStatus(models.TextChoices):
    """Where a consultation stands."""

    REQUESTED = "requested", _("Requested")
    IN_PROGRESS = "in_progress", _("In progress")
    INTERRUPTED = "interrupted", _("Interrupted")
    COMPLETED = "completed", _("Completed")
    RETURNED = "returned", _("Sent back for more information")
    CANCELLED = "cancelled", _("Cancelled")
    ABANDONED = "abandoned", _("Not held")
    REDIRECTED = "redirected", _("Redirected")


LIVE = (
    ConsultationStatus.REQUESTED,
    ConsultationStatus.IN_PROGRESS,
    ConsultationStatus.INTERRUPTED,
    ConsultationStatus.RETURNED,
)
"""Not over: somebody has to go on with it."""


class Outcome(models.TextChoices):
    """What a consultation led to."""

    ADVICE = "advice", _("Advice")
    PRESCRIPTION = "prescription", _("Prescription")
    REFERRED_UP = "referred_up", _("Referred to a specialist")
    IN_PERSON = "in_person", _("To be seen in person")
    EMERGENCY = "emergency", _("Emergency care")


class EncounterKind(models.TextChoices):
    """First consult or follow-up: the guidelines' drug lists depend on it."""

    FIRST = "first", _("First consultation")
    FOLLOW_UP = "follow_up", _("Follow-up")


class Link(models.TextChoices):
    """Why a consultation points at an earlier one, in whichever tenant."""

    FOLLOW_UP = "follow_up", _("Follow-up")
    REDIRECTED = "redirected", _("Redirected")
    REFERRED = "referred", _("Referred")
    RETURNED = "returned", _("Asked again")


class Consultation(ShardedModel):
    """One question of one patient to one line, in the tenant of the line.

    The patient may be registered in another state, the practitioner too: the facts that must stay
    as they were are copied here, and no foreign key crosses tenants. `reason` says why it was
    returned, redirected, not held, or handed back to the line; `carries_wait` that the clinic
    closed before the patient's turn, so that the next request to it goes first;
    `follow_up_with_id` the practitioner whom a follow-up is meant for: seen by another, it is a
    first consultation. `spoke_id` the facility, of the patient's state, whose staff sit beside the
    patient and have asked; `asked_by_post_id` who of them. `due_at`: a written request, answered by
    then without a call. `follow_up_on`: the day on which the doctor wants to see the patient again.
    `consented_at` and `consent_by`: when the patient agreed, and who of the staff obtained it;
    unknown of what was asked before this was kept. `consent_confirmed_at`: when the patient said so
    to the doctor.
    """

    status = models.CharField(
        max_length=12, choices=ConsultationStatus.choices, default=ConsultationStatus.REQUESTED
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    encounter_kind = models.CharField(
        max_length=10, choices=EncounterKind.choices, default=EncounterKind.FIRST
    )
    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    token_id = models.UUIDField()
    token = sharded_relation("queueing.Token", "token_id")
    room_id = models.UUIDField()
    room = sharded_relation("calls.Room", "room_id")

    patient_state_id = models.SmallIntegerField()
    patient_id = models.UUIDField()
    patient_account_id = models.UUIDField()
    patient_name = models.CharField(max_length=100)
    patient_gender = models.CharField(max_length=6, choices=Gender.choices)
    patient_birth_date = models.DateField()
    patient_address = models.CharField(max_length=270)
    language = models.CharField(max_length=3)
    consent_id = models.UUIDField()
    consented_at = models.DateTimeField(null=True)
    consent_by = models.CharField(max_length=100, blank=True, db_default="")
    consent_confirmed_at = models.DateTimeField(null=True)
    spoke_id = models.UUIDField(null=True)
    asked_by_post_id = models.UUIDField(null=True)
    due_at = models.DateTimeField(null=True)
    follow_up_on = models.DateField(null=True)

    practitioner_state_id = models.SmallIntegerField(null=True)
    practitioner_id = models.UUIDField(null=True)
    practitioner_name = models.CharField(max_length=100, blank=True)
    practitioner_qualification = models.CharField(max_length=100, blank=True)
    practitioner_registration = models.CharField(max_length=100, blank=True)

    follows_state_id = models.SmallIntegerField(null=True)
    follows_id = models.UUIDField(null=True)
    follow_up_with_id = models.UUIDField(null=True)
    link = models.CharField(max_length=10, choices=Link.choices, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    carries_wait = models.BooleanField(default=False)

    request_key = models.UUIDField()
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "request_key"], name="consultation_request_once"
            ),
            models.UniqueConstraint(fields=["state_id", "token_id"], name="consultation_token"),
            models.UniqueConstraint(fields=["state_id", "room_id"], name="consultation_room"),
            models.CheckConstraint(
                name="consultation_consent_confirmed",
                condition=models.Q(consent_confirmed_at__isnull=True)
                | models.Q(spoke_id__isnull=False, due_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["state_id", "practitioner_id", "id"], name="consultation_by_practitioner"
            ),
            models.Index(
                fields=["state_id", "patient_id", "line_id"],
                condition=models.Q(carries_wait=True),
                name="consultation_carries_wait",
            ),
            models.Index(
                fields=["state_id", "spoke_id"],
                condition=models.Q(spoke_id__isnull=False, status__in=LIVE),
                name="consultation_live_at_spoke",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether a practitioner has the patient: notes and prescription may be written."""
        return self.status in (ConsultationStatus.IN_PROGRESS, ConsultationStatus.INTERRUPTED)

    @property
    def awaits_consent(self) -> bool:
        """Whether the doctor should hear from the patient that they agree.

        Others obtained it at a spoke; from home the patient has agreed themselves. In writing
        nobody can be asked.
        """
        return (
            self.status == ConsultationStatus.IN_PROGRESS
            and self.spoke_id is not None
            and self.due_at is None
            and self.consent_confirmed_at is None
        )


class ConsultationReference(ShardedModel):
    """In the patient's state: where a consultation lives. Its id is the consultation's.

    `follow_up_on` is copied from it, so that the family's list and the reminder find what is due;
    `recalled_at`: when the reminder was decided on; `put_away_at`: the family wants none.
    """

    patient_id = models.UUIDField()
    patient = sharded_relation("patients.Patient", "patient_id")
    account_id = models.UUIDField()
    consultation_state_id = models.SmallIntegerField()
    follows_id = models.UUIDField(null=True)
    spoke_id = models.UUIDField(null=True)
    follow_up_on = models.DateField(null=True)
    recalled_at = models.DateTimeField(null=True)
    put_away_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state_id", "account_id", "follow_up_on"],
                condition=models.Q(
                    follow_up_on__isnull=False, spoke_id__isnull=True, put_away_at__isnull=True
                ),
                name="follow_up_of_account",
            ),
            models.Index(
                fields=["follow_up_on"],
                condition=models.Q(
                    follow_up_on__isnull=False, spoke_id__isnull=True, recalled_at__isnull=True
                ),
                name="follow_up_to_recall",
            ),
            models.Index(
                fields=["state_id", "spoke_id", "id"],
                condition=models.Q(spoke_id__isnull=False),
                name="consultation_of_spoke",
            ),
            models.Index(fields=["state_id", "account_id", "id"], name="consultation_of_account"),
            models.Index(fields=["state_id", "patient_id", "id"], name="consultation_of_patient"),
        ]


class Note(ShardedModel):
    """What the doctor wrote, one row a consultation, changed only while it is in progress.

    `allergies` and `medicines` (those taken now): what the patient had not told before.
    """

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    history = models.TextField(blank=True, max_length=4000)
    allergies = models.TextField(blank=True, max_length=1000, db_default="")
    medicines = models.TextField(blank=True, max_length=1000, db_default="")
    findings = models.TextField(blank=True, max_length=4000)
    investigations = models.TextField(blank=True, max_length=2000)
    advice = models.TextField(blank=True, max_length=4000)
    come_back = models.TextField(blank=True, max_length=1000)
    height_cm = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    weight_kg = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    last_menstrual_period = models.DateField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "consultation_id"], name="note_once")
        ]


class Diagnosis(ShardedModel):
    """A coded diagnosis (ICD-10), provisional or confirmed."""

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    code = models.CharField(max_length=8)
    title = models.CharField(max_length=255)
    provisional = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id", "code"], name="diagnosis_once"
            )
        ]


class Feedback(ShardedModel):
    """The patient's word on a consultation: once."""

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    rating = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=1000, blank=True)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "consultation_id"], name="feedback_once"),
            models.CheckConstraint(
                name="feedback_rating", condition=models.Q(rating__gte=1, rating__lte=5)
            ),
        ]


class Urgency(models.TextChoices):
    """How soon somebody should be seen in person."""

    EMERGENCY = "emergency", _("At once")
    WITHIN_A_DAY = "within_a_day", _("Within a day")
    WITHIN_A_WEEK = "within_a_week", _("Within a week")
    ROUTINE = "routine", _("When convenient")


class ReferralLetter(ShardedModel):
    """Where a consultation sends the patient in person, and why: once, insert-only.

    What else stands in the letter is the consultation's own, which no longer changes. The doctor's
    address may change, and is copied.
    """

    insert_only = True

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    refer_to = models.CharField(max_length=200)
    urgency = models.CharField(max_length=14, choices=Urgency.choices)
    reason = models.CharField(max_length=1000)
    practitioner_address = models.CharField(max_length=300)
    practitioner_contact = models.CharField(max_length=100)
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "consultation_id"], name="letter_once")
        ]

    @property
    def number(self) -> str:
        """The number on the letter: the consultation's random part, in fours."""
        digits = self.consultation_id.hex[-12:].upper()
        return "-".join(digits[start : start + 4] for start in (0, 4, 8))


class NoteTemplate(ShardedModel):
    """What a practitioner writes often, in the practitioner's state; `shorthand` brings it back.

    `diagnosis_codes` are of ICD-10; `lines` are prescription lines as doctors type them, read anew
    by the rules each time. A favourite stands on the desk as a button.
    """

    practitioner_id = models.UUIDField()
    practitioner = sharded_relation("directory.Practitioner", "practitioner_id")
    shorthand = models.CharField(max_length=20)
    favourite = models.BooleanField(default=False)
    history = models.TextField(blank=True, max_length=4000)
    findings = models.TextField(blank=True, max_length=4000)
    investigations = models.TextField(blank=True, max_length=2000)
    advice = models.TextField(blank=True, max_length=4000)
    come_back = models.TextField(blank=True, max_length=1000)
    diagnosis_codes = ArrayField(models.CharField(max_length=8), default=list)
    lines = ArrayField(models.CharField(max_length=200), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "practitioner_id", "shorthand"], name="note_template_once"
            ),
            models.CheckConstraint(
                name="note_template_shorthand", condition=~models.Q(shorthand="")
            ),
        ]


class Block(ShardedModel):
    """In the patient's state: an account and a practitioner who are never brought together again.

    `by` is who asked for it. It holds for everybody in the account's care.
    """

    account_id = models.UUIDField()
    practitioner_id = models.UUIDField()
    by = models.CharField(max_length=5, choices=Seat.choices)
    consultation_state_id = models.SmallIntegerField()
    consultation_id = models.UUIDField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "account_id", "practitioner_id"], name="block_once"
            )
        ]


class ConductReport(ShardedModel):
    """That somebody was mistreated in a consultation, with the evidence as it was. Insert-only.

    `evidence` holds what was written, the modes and the seats, with their times: nothing is
    recorded of sound or picture.
    """

    insert_only = True

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    by = models.CharField(max_length=5, choices=Seat.choices)
    account_id = models.UUIDField()
    practitioner_id = models.UUIDField()
    evidence = models.JSONField()
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id", "by", "practitioner_id"],
                name="conduct_report_once",
            )
        ]


class ShownBy(models.TextChoices):
    """How it was shown that the patient was there."""

    PHOTO = "photo", _("Photo")
    CODE = "code", _("Code to the mobile")


class PatientPresence(ShardedModel):
    """That the patient really sat at the spoke: padded figures are this arm's known disease.

    Once a consultation, insert-only. `upload_id` is the photo, in the patient's state.
    """

    insert_only = True

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    shown_by = models.CharField(max_length=5, choices=ShownBy.choices)
    upload_id = models.UUIDField(null=True)
    by_post_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id"], name="patient_presence_once"
            ),
            models.CheckConstraint(
                name="patient_presence_photo",
                condition=models.Q(shown_by="photo", upload_id__isnull=False)
                | models.Q(shown_by="code", upload_id__isnull=True),
            ),
        ]


class ToDoKind(models.TextChoices):
    """Why the staff of a spoke speak to a patient again."""

    CALL_BACK = "call_back", _("Not held: ring the patient and ask again")
    ANSWER = "answer", _("The answer has come: tell the patient")
    FOLLOW_UP = "follow_up", _("The doctor wants to see the patient again")
    MEDICINE = "medicine", _("A medicine is in stock again: tell the patient")
    CHANGED = "changed", _("The prescription was changed or cancelled: tell the patient")


class SpokeToDo(ShardedModel):
    """In the spoke's state: what its staff have to do for a patient, and whether it is done.

    Once a consultation and kind. `due_on` is the day on which it is to be done. A medicine that
    came back is found by the prescription, and stands here only once it was ticked.
    """

    facility_id = models.UUIDField()
    kind = models.CharField(max_length=9, choices=ToDoKind.choices)
    consultation_state_id = models.SmallIntegerField()
    consultation_id = models.UUIDField()
    patient_id = models.UUIDField()
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    done_by_post_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "consultation_id", "kind"],
                name="spoke_to_do_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["state_id", "facility_id", "due_on"],
                condition=models.Q(done_at__isnull=True),
                name="spoke_to_do_open",
            ),
            models.Index(
                fields=["state_id", "facility_id", "-done_at"],
                condition=models.Q(done_at__isnull=False),
                name="spoke_to_do_done",
            ),
        ]


class AskStatus(models.TextChoices):
    """Where it stands that a colleague is asked in; the moves are in `states.py`."""

    ASKED = "asked", _("Asked")
    LATER = "later", _("Comes later")
    PRESENT = "present", _("Has come in")
    LEFT = "left", _("Was there")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Taken back")
    OBJECTED = "objected", _("The patient objected")
    LAPSED = "lapsed", _("No answer")


OPEN_ASKS = (AskStatus.ASKED, AskStatus.LATER, AskStatus.PRESENT)
"""One of these a consultation, for there is one third seat."""


class Ask(ShardedModel):
    """That a doctor asks a colleague in by name, and what the colleague advises.

    What tells who it was is copied, as in the consultation. `answer_by`: when it lapses without an
    answer; `comes_at`: when a colleague who comes later wants to; `word`: why one who declined did;
    `read_until`: the end of the day, to which the colleague may read and write.
    """

    consultation_id = models.UUIDField()
    consultation = sharded_relation("consultation.Consultation", "consultation_id")
    status = models.CharField(max_length=9, choices=AskStatus.choices, default=AskStatus.ASKED)
    speciality_code = models.CharField(max_length=30)
    colleague_state_id = models.SmallIntegerField()
    colleague_id = models.UUIDField()
    colleague_name = models.CharField(max_length=100)
    colleague_qualification = models.CharField(max_length=100)
    colleague_registration = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    comes_at = models.DateTimeField(null=True)
    word = models.CharField(max_length=300, blank=True)
    read_until = models.DateTimeField()
    advice = models.TextField(blank=True, max_length=4000)
    advised_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "consultation_id"],
                condition=models.Q(status__in=["asked", "later", "present"]),
                name="ask_one_open",
            ),
            models.CheckConstraint(
                name="ask_later", condition=~models.Q(status="later", comes_at__isnull=True)
            ),
            models.CheckConstraint(
                name="ask_advice",
                condition=models.Q(advice="", advised_at__isnull=True)
                | ~models.Q(advice="") & models.Q(advised_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["state_id", "consultation_id", "id"], name="ask_of_consultation"),
            models.Index(
                fields=["answer_by"],
                condition=models.Q(status__in=["asked", "later"]),
                name="ask_unanswered",
            ),
        ]


class AskReference(ShardedModel):
    """In the colleague's state: where an ask lives. Its id is the ask's. Insert-only."""

    insert_only = True

    colleague_id = models.UUIDField()
    ask_state_id = models.SmallIntegerField()
    read_until = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["state_id", "colleague_id", "read_until"], name="ask_of_colleague")
        ]
