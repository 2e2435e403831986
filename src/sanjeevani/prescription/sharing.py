"""Links to a prescription, for family or pharmacy: only the patient's account gives them."""

import uuid
from typing import Any

from sanjeevani.consultation.queries import own_consultation
from sanjeevani.documents.links import links_to, share, withdraw_link
from sanjeevani.documents.models import ShareLink
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.foundation.verbs import verb
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import with_replaced

RECORD_TYPE = "prescription"
"""What links to prescriptions are called in `documents.links`."""


@verb("prescription.share")
def share_prescription(actor: Actor, *, prescription: Prescription, made_for: str) -> str:
    """Make a link and return its token, shown once. Raises NotPermitted, NotFound, TooManyLinks."""
    patient_id = _patient_of(actor, prescription)
    return share(actor, **_record(prescription), patient_id=patient_id, made_for=made_for)


@verb("prescription.end_link")
def end_link(actor: Actor, *, prescription: Prescription, link_id: uuid.UUID) -> None:
    """End a link at once. Raises NotPermitted, NotFound, LinkDead if it had ended."""
    _patient_of(actor, prescription)
    leads_to = next(
        (
            one
            for one in with_replaced(prescription)
            if any(link.id == link_id for link in links_to(**_record(one)))
        ),
        prescription,
    )
    withdraw_link(actor, link_id=link_id, **_record(leads_to))


def links_of(prescription: Prescription) -> list[ShareLink]:
    """Return the links that work, of a prescription that the caller may read, the newest first.

    One that was made for what this prescription replaces opens this one.
    """
    return [link for one in with_replaced(prescription) for link in links_to(**_record(one))]


def _patient_of(actor: Actor, prescription: Prescription) -> uuid.UUID:
    if actor.kind != ActorKind.PERSON:
        raise NotPermitted
    return own_consultation(actor, prescription.state_id, prescription.consultation_id).patient_id


def _record(prescription: Prescription) -> dict[str, Any]:
    return {
        "record_type": RECORD_TYPE,
        "state_id": prescription.state_id,
        "record_id": prescription.id,
    }
