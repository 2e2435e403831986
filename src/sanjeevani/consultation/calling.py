"""A consultation's call: its seats, ring again, the phone, a seat that was lost."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction

from sanjeevani.calls import phone, reports
from sanjeevani.calls import services as calls
from sanjeevani.calls.errors import NotInCall
from sanjeevani.calls.models import Mode, PhoneCall, Presence, Room, Seat
from sanjeevani.calls.queries import lost_seats
from sanjeevani.calls.seats import seat_ticket
from sanjeevani.consultation.events import CalledAgain
from sanjeevani.consultation.interruptions import GRACE, interrupt, resume
from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.consultation.permissions import require_in_progress
from sanjeevani.consultation.services import get
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.queueing import services as queueing


def is_held(consultation: Consultation) -> bool:
    """Tell whether doctor and patient are together, or about to be again. Not in writing."""
    return (
        consultation.is_open
        and consultation.practitioner_id is not None
        and consultation.due_at is None
    )


def seat_in(consultation: Consultation, seat: Seat, subject: uuid.UUID | None) -> dict[str, Any]:
    """Return what `seat_ticket` does, for the call of a consultation. Raises NotInCall.

    The caller has checked whose seat it is.
    """
    if not is_held(consultation):
        raise NotInCall
    return seat_ticket(consultation.room, seat, subject)


@verb("consultation.call_again")
def call_again(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> Consultation:
    """Ring the patient's page and send an SMS; a grace that runs begins anew.

    Pressing again while it rings changes nothing. Raises NotInProgress, NotPermitted.
    """
    consultation = get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    reports.is_there_without(state_id, consultation.room_id, Seat.HOST)
    # Before the room: the grace may run out at this moment, which locks them in this order.
    queueing.hold(state_id, consultation.token_id)
    if not calls.ring(actor, state_id=state_id, room_id=consultation.room_id):
        return consultation
    if consultation.status == ConsultationStatus.INTERRUPTED:
        queueing.set_grace(
            actor, state_id=state_id, token_id=consultation.token_id, until=clock.now() + GRACE
        )
    concerns(consultation, patient_id=consultation.patient_id)
    publish(CalledAgain(state_id=state_id, consultation_id=consultation_id))
    return consultation


@verb("consultation.phone_patient")
def phone_patient(
    actor: Actor, *, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> PhoneCall:
    """Let the bridge ring the doctor's phone and the patient's. Raises NoPhoneBridge."""
    consultation = get(state_id, consultation_id)
    require_in_progress(actor, practitioner, consultation)
    call = phone.ask_phone_call(
        actor,
        state_id=state_id,
        room_id=consultation.room_id,
        host_number=practitioner.contact,
    )
    concerns(consultation, patient_id=consultation.patient_id)
    return call


def seats_complete(state_id: int, room_id: uuid.UUID) -> None:
    """Both who talk are at their pages again: an interrupted consultation goes on."""
    consultation = Consultation.objects.filter(
        state_id=state_id, room_id=room_id, status=ConsultationStatus.INTERRUPTED
    ).first()
    if consultation is not None:
        _unless_late(resume, consultation)


def sweep_lost_seats() -> None:
    """Begin the grace of consultations in which a seat has been lost for ten seconds."""
    with across_states():
        lost = lost_seats(clock.now() - reports.LOST_AFTER)
    to_each(lost, _seat_lost, "seat_lost")


@transaction.atomic
def _seat_lost(presence: Presence) -> None:
    """Act on a lost seat, once: killed in between, the next sweep does all of it."""
    if not reports.notice_loss(presence):
        return
    consultation = Consultation.objects.filter(
        state_id=presence.state_id,
        room_id=presence.room_id,
        status=ConsultationStatus.IN_PROGRESS,
    ).first()
    room = Room.objects.get(state_id=presence.state_id, id=presence.room_id)
    # Who talks by phone has left the page for a good reason; a third may go at any time.
    if consultation is not None and presence.seat != Seat.THIRD and room.mode != Mode.PHONE:
        _unless_late(interrupt, consultation)
    # After the token: a doctor who presses Done at this moment locks them in this order.
    reports.follow_loss(room, Seat(presence.seat))


def _unless_late(change: Callable[..., object], consultation: Consultation) -> None:
    try:
        change(SYSTEM, state_id=consultation.state_id, consultation_id=consultation.id)
    except DomainError:
        return
