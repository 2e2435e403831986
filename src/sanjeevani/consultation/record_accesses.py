"""Who has looked at a person's record: the audit trail of it, in words of the person's.

For whoever has the record in care, and for the administrators of its state.
"""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg, BoolOr
from django.db.models import (
    Case,
    CharField,
    Max,
    Min,
    Q,
    QuerySet,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, TruncDate
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.models import ConsultationReference
from sanjeevani.directory.models import Post
from sanjeevani.directory.permissions import require_state_admin
from sanjeevani.directory.queries import everywhere
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.identity.models import AccountKind
from sanjeevani.identity.queries import account_by_login
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import members_of, records_of_person

READ_ACCESSES = "patients.read_accesses"
"""An administrator's look at the list, which stands on it."""


class Act(TextChoices):
    """What somebody did with a record."""

    READ = "read", _("read the record")
    PAPER = "paper", _("looked at a photo or a paper")
    FOUND = "found", _("found it in a search")
    CONSULTED = "consulted", _("worked on a consultation")
    WROTE = "wrote", _("wrote down what was said and found")
    PRESCRIBED = "prescribed", _("wrote or changed a prescription")
    COUNTER = "counter", _("looked at the prescription, or handed out medicines")
    DETAILS = "details", _("entered or changed details")
    COMPLAINT = "complaint", _("handled a complaint about it")
    LISTED = "listed", _("looked at this list")
    LINK = "link", _("opened a shared link, or tried to")
    OTHER = "other", _("did something else")


_LINK = Q(verb="documents.open_link")

_ACTS = Case(
    When(verb="consultation.read", then=Value(Act.READ.value)),
    When(
        verb__in=["consultation.read_paper", "consultation.show_paper"],
        then=Value(Act.PAPER.value),
    ),
    When(verb="patients.find", then=Value(Act.FOUND.value)),
    When(verb=READ_ACCESSES, then=Value(Act.LISTED.value)),
    When(
        verb__in=["consultation.write_note", "consultation.write_letter", "consultation.advise"],
        then=Value(Act.WROTE.value),
    ),
    When(
        verb__in=[
            "prescription.read_at_counter",
            "prescription.look_up",
            "prescription.dispense",
        ],
        then=Value(Act.COUNTER.value),
    ),
    When(_LINK, then=Value(Act.LINK.value)),
    When(verb__startswith="prescription.", then=Value(Act.PRESCRIBED.value)),
    When(verb__startswith="consultation.", then=Value(Act.CONSULTED.value)),
    When(verb__startswith="grievance.", then=Value(Act.COMPLAINT.value)),
    When(
        Q(verb__startswith="patients.") | Q(verb__startswith="intake."),
        then=Value(Act.DETAILS.value),
    ),
    default=Value(Act.OTHER.value),
    output_field=CharField(),
)


@dataclass(frozen=True)
class Access:
    """What one member of staff did with a record on one day, or all who had a shared link.

    `id` is that of the last act, `post` None for who held a link. Of a doctor the name is told, of
    others the role and the facility.
    """

    id: uuid.UUID
    since: datetime.datetime
    until: datetime.datetime
    acts: list[Act]
    post: Post | None
    break_glass: bool

    @property
    def doctor(self) -> str:
        """The name of a doctor, empty for others."""
        practitioner = self.post.practitioner if self.post else None
        return practitioner.name if practitioner else ""


def accesses_to(patient: Patient, limit: int, *, before: uuid.UUID | None = None) -> list[Access]:
    """Return who looked at a person's record or worked on it, the newest first.

    `before`: only what was over before this act, to go on where a list ended. The caller has read
    the patient through a query of the registry.
    """
    rows = list(_accesses(records_of_person(patient.state_id, patient.id), before)[:limit])
    posts = {
        post.id: post
        for post in Post.objects.select_related("facility", "practitioner").filter(
            state_id__in=everywhere(), id__in={row["post_id"] for row in rows} - {None}
        )
    }
    return [
        Access(
            id=uuid.UUID(row["last"]),
            since=row["since"],
            until=row["until"],
            acts=[act for act in Act if act.value in row["acts"]],
            post=None if row["with_link"] else posts.get(row["post_id"]),
            break_glass=row["urgent"],
        )
        for row in rows
    ]


def _accesses(records: list[uuid.UUID], before: uuid.UUID | None) -> QuerySet[Any, Any]:
    """Select the days on which somebody did something, by the index `audit_by_patient`.

    Ids are in the order of time; that of a whole day is its last.
    """
    found = (
        AuditEvent.objects.filter(
            Q(actor_kind=ActorKind.STAFF) | _LINK,
            state_id__in=everywhere(),
            patient_id__in=records,
        )
        .annotate(
            day=TruncDate("at"), with_link=Case(When(_LINK, then=True), default=False), act=_ACTS
        )
        .values("day", "post_id", "with_link")
        .annotate(
            last=Max(Cast("id", TextField())),
            since=Min("at"),
            until=Max("at"),
            acts=ArrayAgg("act", distinct=True),
            urgent=BoolOr("break_glass"),
        )
        .order_by("-last")
    )
    return found if before is None else found.filter(last__lt=str(before))


def people_with_mobile(actor: Actor, state_id: int, mobile: str) -> list[Patient]:
    """Return who is registered in a state under a mobile, for its administrators; audited.

    `mobile` in E.164. Raises NotPermitted.
    """
    require_state_admin(actor, state_id)
    account = account_by_login(AccountKind.PATIENT, mobile)
    return _found(actor, list(members_of(state_id, account.id)) if account else [])


def people_in_consultation(
    actor: Actor, state_id: int, consultation_id: uuid.UUID
) -> list[Patient]:
    """Return the patient of a consultation, registered in a state, for its administrators; audited.

    Raises NotPermitted.
    """
    require_state_admin(actor, state_id)
    asked = (
        ConsultationReference.objects.select_related("patient")
        .filter(state_id=state_id, id=consultation_id)
        .first()
    )
    return _found(actor, [asked.patient] if asked else [])


def _found(actor: Actor, people: list[Patient]) -> list[Patient]:
    for person in people:
        write_audit(actor, "patients.find", concern_of(person, patient_id=person.id))
    return people


def record_in_state(actor: Actor, state_id: int, patient_id: uuid.UUID) -> Patient:
    """Return a record of a state, for a look of its administrators at who else looked; audited.

    Raises NotFound, NotPermitted.
    """
    require_state_admin(actor, state_id)
    patient = Patient.objects.filter(state_id=state_id, id=patient_id).first()
    if patient is None:
        raise NotFound
    write_audit(actor, READ_ACCESSES, concern_of(patient, patient_id=patient.id))
    return patient
