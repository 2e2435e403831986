"""Who may write, replace and cancel a prescription, and for how long."""

import datetime

from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.directory.models import AT_THE_COUNTER, Post, Practitioner, Role
from sanjeevani.directory.permissions import require_at_spoke
from sanjeevani.directory.queries import is_role_present
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.prescription.errors import PharmacistHandsOut, TooLateToCancel, TooLateToReplace
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import prescription_in_force

REPLACING = datetime.timedelta(days=3)
"""So long after the consultation a mistake may be corrected: while the patient may ask. What has
changed later is a new clinical question. A rule of this service, for a clinical lead to confirm."""

CANCELLING = datetime.timedelta(days=90)
"""The longest course that can be prescribed; after it nothing is left to be given or taken."""


def may_replace(consultation: Consultation) -> bool:
    """Tell whether a finished consultation is young enough for a correction."""
    ended = consultation.ended_at
    return (
        consultation.status == ConsultationStatus.COMPLETED
        and ended is not None
        and clock.now() <= ended + REPLACING
    )


def may_cancel(prescription: Prescription) -> bool:
    """Tell whether a prescription is young enough to be cancelled."""
    return clock.now() <= prescription.signed_at + CANCELLING


def require_prescriber(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> None:
    """Let only the doctor of the consultation pass, while verified."""
    require_practitioner(actor, practitioner, consultation)
    if practitioner.verified_at is None:
        raise NotPermitted


def require_open_draft(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> None:
    """Let the doctor write the draft: during the consultation, and for a correction after it.

    Raises NotInProgress.
    """
    require_prescriber(actor, practitioner, consultation)
    if consultation.is_open:
        return
    if not may_replace(consultation) or prescription_in_force(consultation) is None:
        raise NotInProgress


def require_replaceable(consultation: Consultation) -> None:
    """Raise TooLateToReplace unless a signed prescription may still be corrected."""
    if not consultation.is_open and not may_replace(consultation):
        raise TooLateToReplace


def require_cancellable(prescription: Prescription) -> None:
    """Raise TooLateToCancel unless a signed prescription may still be cancelled."""
    if not may_cancel(prescription):
        raise TooLateToCancel


def may_dispense(post: Post) -> bool:
    """Tell whether the holder of a post at a spoke hands out: others only while no pharmacist is.

    A pharmacist on leave must not keep patients from their medicines.
    """
    return post.role == Role.PHARMACIST or not is_role_present(
        post.state_id, post.facility_id, Role.PHARMACIST
    )


def require_dispenser(actor: Actor) -> Post:
    """Let those pass who hand out at a spoke; return their post.

    Raises NotPermitted, PharmacistHandsOut.
    """
    post = require_at_spoke(actor, AT_THE_COUNTER)
    if not may_dispense(post):
        raise PharmacistHandsOut
    return post
