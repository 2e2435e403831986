"""What the page of a consultation shows, by where consultation and token stand."""

from enum import StrEnum

from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.foundation import clock
from sanjeevani.queueing.models import TokenStatus


class Stage(StrEnum):
    """What the page of a consultation shows."""

    WAITING = "waiting"
    CALLED = "called"
    TALKING = "talking"
    INTERRUPTED = "interrupted"
    RETURNED = "returned"
    DONE = "done"
    OVER = "over"  # ended without a doctor's word


_STAGES = {
    ConsultationStatus.IN_PROGRESS: Stage.TALKING,
    ConsultationStatus.INTERRUPTED: Stage.INTERRUPTED,
    ConsultationStatus.RETURNED: Stage.RETURNED,
    ConsultationStatus.COMPLETED: Stage.DONE,
}


def stage_of(consultation: Consultation) -> Stage:
    """Return what to show. A token that waits, again after a lost call, comes first."""
    token = consultation.token
    if consultation.status in (ConsultationStatus.REQUESTED, ConsultationStatus.INTERRUPTED):
        if token.status == TokenStatus.CALLED:
            rings = token.deadline_at is not None and token.deadline_at > clock.now()
            return Stage.CALLED if rings else Stage.WAITING
        if token.status == TokenStatus.WAITING:
            return Stage.WAITING
    return _STAGES.get(ConsultationStatus(consultation.status), Stage.OVER)


AT_ONCE = {Stage.CALLED, Stage.TALKING, Stage.INTERRUPTED}
