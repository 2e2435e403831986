"""Links to a prescription, for family or pharmacy: only the patient's account gives them."""

import uuid
from typing import Any

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.documents.errors import LinkDead
from sanjeevani.documents.links import links_to, share, withdraw_link
from sanjeevani.documents.models import ShareLink
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.foundation.verbs import verb
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import prescriptions_of

RECORD_TYPE = "prescription"
"""What links to prescriptions are called in `documents.links`."""


@verb("prescription.share")
def share_prescription(
    actor: Actor,
    *,
    prescription: Prescription,
    made_for: str,
    request_key: uuid.UUID | None = None,
) -> tuple[ShareLink, str]:
    """Make a link; return it and its token, shown once; see `documents.links.share`.

    Raises NotPermitted, NotFound, TooManyLinks.
    """
    consultation = _own(actor, prescription.state_id, prescription.consultation_id)
    return share(
        actor,
        **_record(prescription),
        patient_id=consultation.patient_id,
        made_for=made_for,
        request_key=request_key,
    )


@verb("prescription.end_link")
def end_link(
    actor: Actor, *, state_id: int, consultation_id: uuid.UUID, link_id: uuid.UUID
) -> None:
    """End a link to a prescription of a consultation at once.

    Raises NotPermitted, NotFound, LinkDead if it had ended.
    """
    for issued in prescriptions_of(_own(actor, state_id, consultation_id)):
        record = _record(issued.prescription)
        if any(link.id == link_id for link in links_to(**record)):
            withdraw_link(actor, link_id=link_id, **record)
            return
    raise LinkDead


def links_of(consultation: Consultation) -> list[ShareLink]:
    """Return the links that work, the newest first, of a consultation that the caller may read.

    Also those to a prescription that was replaced since: they show what holds now.
    """
    found = [
        link
        for issued in prescriptions_of(consultation)
        for link in links_to(**_record(issued.prescription))
    ]
    return sorted(found, key=lambda link: link.id, reverse=True)


def _own(actor: Actor, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    if actor.kind != ActorKind.PERSON:
        raise NotPermitted
    return own_consultation(actor, state_id, consultation_id)


def _record(prescription: Prescription) -> dict[str, Any]:
    return {
        "record_type": RECORD_TYPE,
        "state_id": prescription.state_id,
        "record_id": prescription.id,
    }
