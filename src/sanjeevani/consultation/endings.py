"""Why a consultation did not take place."""

import datetime
from enum import StrEnum

from sanjeevani.consultation.conduct import ENDED_BY_DOCTOR
from sanjeevani.consultation.interruptions import NOT_REACHABLE
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.services import CARRIED_DAYS
from sanjeevani.foundation import clock
from sanjeevani.queueing.models import TokenStatus


class NotHeld(StrEnum):
    """Why a consultation did not take place."""

    ENDED_BY_DOCTOR = "ended_by_doctor"
    NOT_REACHABLE = "not_reachable"
    NOT_ANSWERED = "not_answered"
    CLINIC_CLOSED = "clinic_closed"


def why_not_held(consultation: Consultation) -> NotHeld | None:
    """Return why an abandoned consultation, with its token, did not take place.

    Whatever has happened in it before: who was cut off may wait again until the clinic closes.
    """
    if consultation.status != ConsultationStatus.ABANDONED:
        return None
    token = consultation.token
    if consultation.reason == ENDED_BY_DOCTOR:
        return NotHeld.ENDED_BY_DOCTOR
    if consultation.reason == NOT_REACHABLE or token.status != TokenStatus.EXPIRED:
        return NotHeld.NOT_REACHABLE
    # A token that expires while it is called keeps its practitioner; one that waits has none.
    return NotHeld.NOT_ANSWERED if token.practitioner_id else NotHeld.CLINIC_CLOSED


def goes_first(consultation: Consultation) -> bool:
    """Tell whether the next request to its clinic, now, goes first because of a consultation."""
    since = clock.now() - datetime.timedelta(days=CARRIED_DAYS)
    ended = consultation.ended_at
    return consultation.carries_wait and ended is not None and ended > since
