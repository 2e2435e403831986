"""Photos and papers that a patient adds: to the draft, and later to the consultation itself."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.core.files.base import File
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from sanjeevani.documents.models import UploadedFile
from sanjeevani.documents.uploads import remove_upload, store_upload
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.intake.models import IntakeDraft, Paper
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import may_act_for

MOST_PAPERS = 12
"""More than a doctor looks through in one consultation."""


class TooManyPapers(DomainError):
    """The doctor could not look through more."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            _("You have added %(count)d photos and papers. Remove one before you add another.")
            % {"count": MOST_PAPERS},
            field="file",
        )


@dataclass(frozen=True)
class Place:
    """Where papers lie: with a patient's draft, or with one of the patient's consultations."""

    patient_state_id: int
    patient_id: uuid.UUID
    consultation_state_id: int | None = None
    consultation_id: uuid.UUID | None = None

    @classmethod
    def draft_of(cls, patient: Patient) -> "Place":
        """The draft of a patient."""
        return cls(patient.state_id, patient.id)

    @property
    def columns(self) -> dict[str, object]:
        """The columns of a row that lies here."""
        return {
            "state_id": self.patient_state_id,
            "patient_id": self.patient_id,
            "consultation_state_id": self.consultation_state_id,
            "consultation_id": self.consultation_id,
        }

    @property
    def rows(self) -> QuerySet[Paper]:
        """The rows that lie here; an equation with NULL would find none."""
        exact = {
            f"{name}__isnull" if value is None else name: True if value is None else value
            for name, value in self.columns.items()
        }
        return Paper.objects.filter(**exact)


def _lying(**where: Any) -> Compiled[Paper]:
    return Compiled(
        lambda: (
            Paper.objects.select_related("upload")
            .filter(state_id=given("state_id"), patient_id=given("patient_id"), **where)
            .order_by("id")
        )
    )


_of_draft = _lying(consultation_state_id__isnull=True, consultation_id__isnull=True)
_of_consultation = _lying(
    consultation_state_id=given("consultation_state_id"),
    consultation_id=given("consultation_id"),
)


def papers_in(place: Place) -> list[UploadedFile]:
    """Return the files of a place, in the order of adding. The caller may read the patient."""
    rows = _of_draft if place.consultation_id is None else _of_consultation
    return [row.upload for row in rows.all(**place.columns)]


def paper_in(place: Place, upload_id: uuid.UUID) -> UploadedFile:
    """Return one file of a place. Raises NotFound. The caller may read the patient."""
    row = place.rows.select_related("upload").filter(upload_id=upload_id).first()
    if row is None:
        raise NotFound
    found: UploadedFile = row.upload
    return found


def abandoned(before: datetime.datetime) -> list[tuple[Place, uuid.UUID]]:
    """Return the files that lie without a draft since before a moment, in all states.

    For the sweep, once it has taken the drafts that nobody touched. Where words are still worked
    on, their photos stay: they would be missing from the request, and nobody would know.
    """
    draft = IntakeDraft.objects.filter(
        state_id=OuterRef("state_id"), patient_id=OuterRef("patient_id")
    )
    rows = Paper.objects.filter(
        ~Exists(draft), consultation_id__isnull=True, upload__uploaded_at__lt=before
    )
    return [
        (Place(row.state_id, row.patient_id), row.upload_id) for row in rows.order_by("id")[:10_000]
    ]


@verb("intake.add_paper")
def add_paper(
    actor: Actor, *, place: Place, file: "BinaryIO | File[bytes]", name: str
) -> UploadedFile:
    """Check, clean and keep a file. Raises TooManyPapers and what `store_upload` raises.

    Whether the actor may is for the caller to decide.
    """
    if place.rows.count() >= MOST_PAPERS:
        raise TooManyPapers
    upload = store_upload(
        actor,
        state_id=place.patient_state_id,
        patient_id=place.patient_id,
        file=file,
        name=name,
    )
    Paper.objects.create(id=uuid7(), upload_id=upload.id, **place.columns)
    concerns(upload, patient_id=place.patient_id)
    return upload


@verb("intake.remove_paper")
def remove_paper(actor: Actor, *, place: Place, upload_id: uuid.UUID) -> None:
    """Take a file away, and forget it unless an earlier consultation keeps it. Raises NotFound."""
    upload = paper_in(place, upload_id)
    place.rows.filter(upload_id=upload_id).delete()
    concerns(upload, patient_id=upload.patient_id)
    kept = Paper.objects.filter(state_id=place.patient_state_id, upload_id=upload_id).exists()
    if not kept:
        remove_upload(actor, state_id=place.patient_state_id, upload_id=upload_id)


@verb("intake.add_draft_paper")
def add_draft_paper(
    actor: Actor, *, patient: Patient, file: "BinaryIO | File[bytes]", name: str
) -> UploadedFile:
    """Add a file to the draft of somebody in one's care."""
    if not may_act_for(actor, patient):
        raise NotPermitted
    return add_paper(actor, place=Place.draft_of(patient), file=file, name=name)


@verb("intake.remove_draft_paper")
def remove_draft_paper(actor: Actor, *, patient: Patient, upload_id: uuid.UUID) -> None:
    """Take a file out of the draft of somebody in one's care. Raises NotFound."""
    if not may_act_for(actor, patient):
        raise NotPermitted
    remove_paper(actor, place=Place.draft_of(patient), upload_id=upload_id)
