"""The photos and papers of a consultation: added from the waiting room on, read by the doctor."""

import uuid
from typing import BinaryIO

from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.asks import readable_ask
from sanjeevani.consultation.events import PapersChanged
from sanjeevani.consultation.models import LIVE, Consultation, ConsultationStatus
from sanjeevani.consultation.permissions import require_in_progress, require_patient
from sanjeevani.consultation.queries import may_read_consultation
from sanjeevani.consultation.services import get, locked
from sanjeevani.directory.models import Practitioner
from sanjeevani.documents.models import UploadedFile
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.foundation.verbs import concern_of, concerns, publish, verb, write_audit
from sanjeevani.intake import papers
from sanjeevani.intake.papers import Place


class PapersClosed(DomainError):
    """Nothing is added to a consultation that is over."""

    status = 409
    message = _("This consultation is over. Photos and papers belong to the next one.")


class PaperKept(DomainError):
    """What the doctor has begun to work with stays with the consultation."""

    status = 409
    message = _("The consultation has begun: what the doctor has seen stays with it.")


def place_of(consultation: Consultation) -> Place:
    """Return where a consultation's papers lie."""
    return Place(
        consultation.patient_state_id,
        consultation.patient_id,
        consultation.state_id,
        consultation.id,
    )


def may_be_added(consultation: Consultation) -> bool:
    """Tell whether photos and papers can still be added."""
    return consultation.status in LIVE


def may_be_removed(consultation: Consultation) -> bool:
    """Tell whether the patient can still take papers away: until the consultation begins."""
    return consultation.started_at is None and consultation.status in (
        ConsultationStatus.REQUESTED,
        ConsultationStatus.RETURNED,
    )


@verb("consultation.add_paper")
def add_paper(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    file: "BinaryIO | File[bytes]",
    name: str,
) -> UploadedFile:
    """Add a file to one's own consultation. Raises PapersClosed, and what intake raises."""
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    if not may_be_added(consultation):
        raise PapersClosed
    upload = papers.add_paper(actor, place=place_of(consultation), file=file, name=name)
    _changed(consultation)
    concerns(upload, patient_id=consultation.patient_id)
    return upload


@verb("consultation.show_paper")
def show_paper(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    file: "BinaryIO | File[bytes]",
    name: str,
) -> UploadedFile:
    """Let the doctor show the patient a photo or paper; it stays with the consultation.

    Raises NotInProgress, and what intake raises.
    """
    consultation = get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    upload = papers.add_paper(actor, place=place_of(consultation), file=file, name=name)
    _changed(consultation)
    concerns(upload, patient_id=consultation.patient_id)
    return upload


@verb("consultation.remove_paper")
def remove_paper(
    actor: Actor, *, state_id: int, consultation_id: uuid.UUID, upload_id: uuid.UUID
) -> None:
    """Take a file away before the consultation begins. Raises PaperKept, NotFound."""
    consultation = locked(state_id, consultation_id)
    require_patient(actor, consultation)
    if not may_be_removed(consultation):
        raise PaperKept
    papers.remove_paper(actor, place=place_of(consultation), upload_id=upload_id)
    _changed(consultation)


def _changed(consultation: Consultation) -> None:
    publish(PapersChanged(state_id=consultation.state_id, consultation_id=consultation.id))


def is_shown(upload: UploadedFile, consultation: Consultation) -> bool:
    """Tell whether a file was shown by a doctor: all others come from the patient's side.

    At a spoke that side is several people, so that the doctor who holds the room is looked for.
    """
    if consultation.spoke_id is None:
        return upload.uploaded_by_id != consultation.patient_account_id
    return bool(upload.uploaded_by_id == consultation.room.host_account_id)


def papers_of(consultation: Consultation) -> list[UploadedFile]:
    """Return the files of a consultation that the caller may read, in the order of adding."""
    return papers.papers_in(place_of(consultation))


def paper_for_practitioner(
    actor: Actor,
    practitioner: Practitioner,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    upload_id: uuid.UUID,
) -> UploadedFile:
    """Return a file of a consultation that the practitioner may read, and audit the reading.

    Raises NotFound.
    """
    consultation = get(state_id, consultation_id)
    if practitioner.account_id != actor.account_id or not may_read_consultation(
        practitioner, consultation
    ):
        raise NotFound
    return _read(actor, consultation, upload_id)


def paper_for_colleague(
    actor: Actor, colleague: Practitioner, *, state_id: int, ask_id: uuid.UUID, upload_id: uuid.UUID
) -> UploadedFile:
    """Return a file of the consultation that a colleague is asked into, and audit the reading.

    Raises AskOver, NotFound.
    """
    ask = readable_ask(actor, colleague, state_id, ask_id)
    return _read(actor, ask.consultation, upload_id)


def _read(actor: Actor, consultation: Consultation, upload_id: uuid.UUID) -> UploadedFile:
    upload = papers.paper_in(place_of(consultation), upload_id)
    write_audit(
        actor, "consultation.read_paper", concern_of(upload, patient_id=consultation.patient_id)
    )
    return upload
