"""Who may do what to a consultation."""

from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted


def require_patient(actor: Actor, consultation: Consultation) -> None:
    """Let only the patient's own account pass."""
    if actor.kind != ActorKind.PERSON or actor.account_id != consultation.patient_account_id:
        raise NotPermitted


def require_practitioner(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> None:
    """Let only the practitioner who holds the consultation pass."""
    if (
        actor.kind != ActorKind.STAFF
        or practitioner.account_id != actor.account_id
        or consultation.practitioner_id != practitioner.id
    ):
        raise NotPermitted


def require_in_progress(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> None:
    """Let only the practitioner pass, and only while the consultation is in progress."""
    require_practitioner(actor, practitioner, consultation)
    if consultation.status not in (
        ConsultationStatus.IN_PROGRESS,
        ConsultationStatus.INTERRUPTED,
    ):
        raise NotInProgress
