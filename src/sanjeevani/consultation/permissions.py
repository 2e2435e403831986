"""Who may do what to a consultation."""

from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted


def is_patients_side(actor: Actor, consultation: Consultation) -> bool:
    """Tell whether the actor sits on the patient's side: the account, or the spoke that asked."""
    if consultation.spoke_id is None:
        return (
            actor.kind == ActorKind.PERSON and actor.account_id == consultation.patient_account_id
        )
    return (
        actor.kind == ActorKind.STAFF
        and actor.spoke_id == consultation.spoke_id
        and actor.state_id == consultation.patient_state_id
    )


def require_patient(actor: Actor, consultation: Consultation) -> None:
    """Let only the patient's own side pass."""
    if not is_patients_side(actor, consultation):
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
    if not consultation.is_open:
        raise NotInProgress
