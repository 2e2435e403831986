"""The verbs of a call that breaks: a break must not cost the place in the line."""

import datetime
import uuid

from sanjeevani.calls.ladder import change_mode
from sanjeevani.calls.models import Mode, Room, Seat
from sanjeevani.calls.reports import is_lost, is_there_without
from sanjeevani.calls.services import RINGING, seat_of
from sanjeevani.consultation.events import ConsultationInterrupted, ConsultationStarted
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.permissions import require_in_progress
from sanjeevani.consultation.services import end_consultation, get, token_of, wait_again
from sanjeevani.consultation.states import CONSULTATION_MOVES
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.identity.queries import is_seen_since
from sanjeevani.queueing import services as queueing

GRACE = datetime.timedelta(minutes=2)
"""So long a lost patient keeps the doctor; then the place at the head of the line."""

LONGEST = datetime.timedelta(hours=12)
"""No consultation lasts longer: its doctor has left it, by phone or in writing without a seat that
could be lost. A rule of this service, for a clinical lead to confirm."""


SILENT = datetime.timedelta(minutes=20)
"""So long after a doctor's desk was last open anywhere the doctor has gone. An open one asks once a
minute, one behind another window before each ticket ends; that is noted five minutes late at most.
"""


@verb("consultation.interrupt")
def interrupt(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """One side is lost: two minutes' grace begin. Already interrupted, nothing changes."""
    consultation = get(state_id, consultation_id)
    if _seat(actor, consultation) == Seat.HOST:
        is_there_without(state_id, consultation.room_id, Seat.HOST)
    concerns(consultation, patient_id=consultation.patient_id)
    if consultation.status == ConsultationStatus.INTERRUPTED:
        return consultation
    # The token first, as all do that end a call: each waits for the other, and neither for ever.
    queueing.set_grace(
        actor, state_id=state_id, token_id=consultation.token_id, until=clock.now() + GRACE
    )
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=state_id,
        id=consultation_id,
        to=ConsultationStatus.INTERRUPTED,
    )
    consultation.status = ConsultationStatus.INTERRUPTED
    concerns(consultation, patient_id=consultation.patient_id)
    publish(ConsultationInterrupted(state_id=state_id, consultation_id=consultation_id))
    return consultation


@verb("consultation.resume")
def resume(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """The lost side is back within the grace. Raises Stale after it.

    A patient who is rung agrees by this to the call that the doctor asks for. While it is the
    doctor who is lost, the patient's word ends no grace, and nothing changes.
    """
    consultation = get(state_id, consultation_id)
    seat = _seat(actor, consultation)
    if seat == Seat.HOST:
        is_there_without(state_id, consultation.room_id, Seat.HOST)
    concerns(consultation, patient_id=consultation.patient_id)
    if consultation.status == ConsultationStatus.IN_PROGRESS:
        _answer_ring(actor, consultation)
        concerns(consultation, patient_id=consultation.patient_id)
        return consultation
    if seat == Seat.GUEST and doctor_is_lost(consultation):
        return consultation
    queueing.set_grace(actor, state_id=state_id, token_id=consultation.token_id, until=None)
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=state_id,
        id=consultation_id,
        to=ConsultationStatus.IN_PROGRESS,
    )
    consultation.status = ConsultationStatus.IN_PROGRESS
    _answer_ring(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    publish(ConsultationStarted(state_id=state_id, consultation_id=consultation_id))
    return consultation


def doctor_is_lost(consultation: Consultation) -> bool:
    """Tell whether the doctor of an interrupted consultation is away, as far as is known: the seat
    is lost, or the doctor has gone silent."""
    token = token_of(consultation)
    if token.called_at is None or token.served_from is None:
        return False
    # An earlier doctor's loss says nothing of the one who has called since.
    if is_lost(consultation.state_id, consultation.room_id, Seat.HOST, token.called_at):
        return True
    before = clock.now() - SILENT
    host = Room.objects.get(state_id=consultation.state_id, id=consultation.room_id).host_account_id
    return token.served_from < before and not is_seen_since(host, before)


def _seat(actor: Actor, consultation: Consultation) -> Seat | None:
    """Return where who acts sits in the room; None is the service, which hears of lost seats.

    Raises NotPermitted.
    """
    if actor.kind == ActorKind.SYSTEM:
        return None
    room = Room.objects.get(state_id=consultation.state_id, id=consultation.room_id)
    return seat_of(actor, room)


def _answer_ring(actor: Actor, consultation: Consultation) -> None:
    if actor.kind == ActorKind.SYSTEM:
        return
    room = Room.objects.get(state_id=consultation.state_id, id=consultation.room_id)
    rings = room.rung_at is not None and clock.now() < room.rung_at + RINGING
    if rings and room.asked_seat == Seat.HOST and seat_of(actor, room) == Seat.GUEST:
        change_mode(actor, state_id=room.state_id, room_id=room.id, mode=Mode(room.asked_mode))


@verb("consultation.dropped")
def dropped(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> None:
    """The grace is over: the doctor is free, the patient is at the head of the line again.

    Raises Stale when the patient is back, or the grace was given anew.
    """
    token = queueing.drop(actor, state_id=state_id, token_id=token_id, overdue=True)
    consultation = get(state_id, token.consultation_id)
    if consultation.status != ConsultationStatus.INTERRUPTED:
        raise Stale
    wait_again(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)


@verb("consultation.not_reachable")
def not_reachable(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> None:
    """The doctor gives an interrupted consultation up: it was not held. Raises NotInProgress.

    A lost line is not the patient's fault: the next request to this clinic goes first.
    """
    consultation = get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    if consultation.status != ConsultationStatus.INTERRUPTED:
        raise Stale
    queueing.finish(actor, state_id=state_id, token_id=consultation.token_id)
    end_consultation(
        actor,
        consultation,
        ConsultationStatus.ABANDONED,
        reason=NOT_REACHABLE,
        carries_wait=True,
    )


NOT_REACHABLE = "not_reachable"
"""The reason of a consultation that a lost line ended; the screens have the words."""


@verb("consultation.ring_again")
def ring_again(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> None:
    """Let a call that is not answered ring for another 120 seconds, once. Raises Stale."""
    consultation = get(state_id, consultation_id)
    if consultation.practitioner_id != practitioner.id or (
        practitioner.account_id != actor.account_id
    ):
        raise NotPermitted
    queueing.ring_again(actor, state_id=state_id, token_id=consultation.token_id)
    concerns(consultation, patient_id=consultation.patient_id)
