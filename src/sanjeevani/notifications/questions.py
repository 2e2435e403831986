"""Telling a patient that the doctor has answered a question after the consultation. Never what."""

import datetime
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sanjeevani.calls.events import AnswerWritten
from sanjeevani.calls.models import Message, Seat
from sanjeevani.calls.queries import messages_in
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import of_room
from sanjeevani.consultation.to_do import leave_answer
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.queries import find_account
from sanjeevani.messaging.services import queue_message
from sanjeevani.notifications.daylight import ANSWERS

QUESTION_KINDS = frozenset({AnswerWritten.kind})

A_RUN = datetime.timedelta(minutes=15)
"""What a doctor writes within this time of the line before is told together with it."""


def tell_askers(facts: Sequence[StoredFact]) -> None:
    """Listener: tell those who are at home again, or the staff of their spoke."""
    for fact in facts:
        tell_asker(
            SYSTEM,
            state_id=fact.state_id,
            room_id=uuid.UUID(fact.payload["room_id"]),
            message_id=uuid.UUID(fact.payload["message_id"]),
        )


@verb("notifications.tell_asker")
def tell_asker(actor: Actor, *, state_id: int, room_id: uuid.UUID, message_id: uuid.UUID) -> None:
    """Leave a doctor's word to the patient's spoke, and queue an SMS, one for a run of lines.

    Nothing where somebody has written back: they have read it. At night the SMS waits for morning.
    """
    consultation = of_room(state_id, room_id)
    if consultation is None:
        raise NotFound
    concerns(consultation, patient_id=consultation.patient_id)
    written = messages_in(state_id, room_id)
    place = next(place for place, one in enumerate(written) if one.id == message_id)
    if any(later.seat == Seat.GUEST for later in written[place + 1 :]):
        return
    if consultation.spoke_id is not None:
        leave_answer(consultation, consultation.spoke_id)
    if _told_with(written[:place], consultation, written[place].sent_at):
        return
    account = find_account(consultation.patient_account_id)
    if account is None or not account.mobile:
        return
    with translation.override(account.language):
        text = _("The doctor has written to you. Read it here:")
    queue_message(
        account.mobile,
        f"{text} {settings.PUBLIC_URL}/consultations/{state_id}/{consultation.id}",
        purpose="doctor_wrote",
        language=account.language,
        leaves_at=ANSWERS.next(written[place].sent_at),
    )


def _told_with(
    earlier: Sequence[Message], consultation: Consultation, sent_at: datetime.datetime
) -> bool:
    """Tell whether the line before makes known what was written now: one SMS speaks of both."""
    before = earlier[-1] if earlier else None
    if (
        before is None
        or before.seat != Seat.HOST
        or consultation.ended_at is None
        or before.sent_at <= consultation.ended_at
    ):
        return False
    # At night the SMS about that line has not gone yet.
    return sent_at < max(before.sent_at + A_RUN, ANSWERS.next(before.sent_at))
