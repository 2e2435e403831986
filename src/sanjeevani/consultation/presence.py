"""Showing that the patient really sits at the spoke, before a doctor's time is taken."""

import uuid
from typing import BinaryIO

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.errors import PresenceUnproven
from sanjeevani.consultation.events import PapersChanged
from sanjeevani.consultation.models import Consultation, Link, PatientPresence, ShownBy
from sanjeevani.consultation.permissions import require_patient
from sanjeevani.consultation.queries import followed_by
from sanjeevani.directory.models import PresenceProof
from sanjeevani.directory.queries import state
from sanjeevani.documents.uploads import PDF, store_upload
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.identity.errors import CodeDead
from sanjeevani.identity.queries import find_account
from sanjeevani.identity.services import CodePurpose, confirm_told_code, request_told_code
from sanjeevani.queueing.models import PriorityClass

GOING_ON = (Link.REDIRECTED, Link.REFERRED)
"""Links to a consultation that this one goes on from, on the same visit."""


def proofs_for(consultation: Consultation) -> list[ShownBy]:
    """Return how presence may be shown, as the spoke's state sets it; none where nothing is asked.

    Without a mobile a photo always serves. In an emergency nothing stands before the doctor.
    """
    if consultation.spoke_id is None or consultation.due_at is not None:
        return []
    if consultation.token.priority_class == PriorityClass.EMERGENCY:
        return []
    asked = PresenceProof(state(consultation.patient_state_id).presence_proof)
    has_mobile = bool(_mobile(consultation))
    match asked:
        case PresenceProof.NONE:
            return []
        case PresenceProof.PHOTO:
            return [ShownBy.PHOTO]
        case PresenceProof.CODE:
            return [ShownBy.CODE if has_mobile else ShownBy.PHOTO]
        case PresenceProof.ANY:
            return [ShownBy.PHOTO, *([ShownBy.CODE] if has_mobile else [])]


def presence_of(consultation: Consultation) -> PatientPresence | None:
    """Return how presence was shown, here or where this consultation goes on from.

    The caller has read the consultation through a query.
    """
    shown = PatientPresence.objects.filter(
        state_id=consultation.state_id, consultation_id=consultation.id
    ).first()
    if shown is not None or consultation.link not in GOING_ON:
        return shown
    earlier = followed_by(consultation)
    return presence_of(earlier) if earlier is not None else None


def is_unproven(consultation: Consultation) -> bool:
    """Tell whether the state asks for a proof and none was given."""
    return bool(proofs_for(consultation)) and presence_of(consultation) is None


def require_presence(consultation: Consultation) -> None:
    """Raise PresenceUnproven while the state asks for a proof and none was given."""
    if is_unproven(consultation):
        raise PresenceUnproven


@verb("consultation.show_by_photo")
def show_by_photo(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    file: "BinaryIO | File[bytes]",
) -> PatientPresence:
    """Show presence by a photo taken now. Twice is once.

    Raises what uploads raise, Invalid for what is no photo and where another proof is asked for.
    """
    consultation = _asked_for(actor, state_id, consultation_id, ShownBy.PHOTO)
    shown = presence_of(consultation)
    if shown is not None:
        concerns(consultation, patient_id=consultation.patient_id)
        return shown
    upload = store_upload(
        actor,
        state_id=consultation.patient_state_id,
        patient_id=consultation.patient_id,
        file=file,
        name="presence.jpg",
    )
    if upload.content_type == PDF:
        raise Invalid(_("Take a photo first."), field="photo")
    return _keep(actor, consultation, ShownBy.PHOTO, upload.id)


@verb("consultation.send_presence_code")
def send_presence_code(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> uuid.UUID:
    """Send a code to the patient's mobile; return the challenge.

    Raises TooMany, NotPermitted, Stale when presence is shown already.
    """
    consultation = _asked_for(actor, state_id, consultation_id, ShownBy.CODE)
    if presence_of(consultation) is not None:
        raise Stale
    challenge = request_told_code(
        actor,
        mobile=_mobile(consultation),
        language=consultation.language,
        purpose=CodePurpose.PRESENCE,
    )
    concerns(consultation, patient_id=consultation.patient_id)
    return challenge


def show_by_code(
    actor: Actor, *, state_id: int, consultation_id: uuid.UUID, challenge: uuid.UUID, code: str
) -> PatientPresence:
    """Show presence by the code that the patient tells. Raises WrongCode, CodeDead, NotPermitted.

    Once shown it stays, whatever the code. The try is counted by itself, before anything is
    written here.
    """
    consultation = _asked_for(actor, state_id, consultation_id, ShownBy.CODE)
    shown = presence_of(consultation)
    if shown is not None:
        return shown
    mobile = confirm_told_code(actor, challenge=challenge, code=code, purpose=CodePurpose.PRESENCE)
    if mobile != _mobile(consultation):
        raise CodeDead
    return _shown_by_code(actor, consultation=consultation)


@verb("consultation.show_by_code")
def _shown_by_code(actor: Actor, *, consultation: Consultation) -> PatientPresence:
    require_patient(actor, consultation)
    return _keep(actor, consultation, ShownBy.CODE, None)


def _asked_for(
    actor: Actor, state_id: int, consultation_id: uuid.UUID, shown_by: ShownBy
) -> Consultation:
    consultation = Consultation.objects.filter(state_id=state_id, id=consultation_id).first()
    if consultation is None:
        raise NotFound
    require_patient(actor, consultation)
    if shown_by not in proofs_for(consultation):
        raise Invalid(_("Your state asks for another proof."), field="presence")
    return consultation


def _keep(
    actor: Actor, consultation: Consultation, shown_by: ShownBy, upload_id: uuid.UUID | None
) -> PatientPresence:
    if actor.post_id is None:
        raise NotPermitted
    concerns(consultation, patient_id=consultation.patient_id)
    try:
        with transaction.atomic():
            kept = PatientPresence.objects.create(
                state_id=consultation.state_id,
                id=uuid7(),
                consultation_id=consultation.id,
                shown_by=shown_by,
                upload_id=upload_id,
                by_post_id=actor.post_id,
                at=clock.now(),
            )
    except IntegrityError as error:
        if "patient_presence_once" not in str(error):
            raise
        return PatientPresence.objects.get(
            state_id=consultation.state_id, consultation_id=consultation.id
        )
    publish(PapersChanged(state_id=consultation.state_id, consultation_id=consultation.id))
    return kept


def _mobile(consultation: Consultation) -> str:
    account = find_account(consultation.patient_account_id)
    return account.mobile if account else ""
