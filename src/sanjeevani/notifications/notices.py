"""Which fact becomes which SMS. Texts are short: in Devanagari one SMS holds 70 signs."""

import datetime
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sanjeevani.consultation.conduct import ENDED_BY_DOCTOR
from sanjeevani.consultation.events import CalledAgain, ConsultationEnded, ConsultationReturned
from sanjeevani.consultation.interruptions import GRACE, NOT_REACHABLE
from sanjeevani.consultation.models import LIVE, Consultation, ConsultationStatus, Outcome
from sanjeevani.consultation.queries import told_about
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.queries import find_account
from sanjeevani.messaging.services import queue_message
from sanjeevani.prescription.events import PrescriptionEnded
from sanjeevani.queueing.events import TokenCalled, TokenIssued
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.queueing.services import tell_near

KINDS = frozenset(
    {
        TokenIssued.kind,
        TokenCalled.kind,
        CalledAgain.kind,
        ConsultationEnded.kind,
        ConsultationReturned.kind,
        PrescriptionEnded.kind,
    }
)


def tell_patients(facts: Sequence[StoredFact]) -> None:
    """Listener: queue the messages that the facts ask for."""
    lines = set()
    for fact in facts:
        consultation_id = uuid.UUID(fact.payload["consultation_id"])
        if fact.kind == TokenIssued.kind:
            notify(
                SYSTEM,
                state_id=fact.state_id,
                consultation_id=consultation_id,
                purpose="token",
                number=fact.payload["number"],
            )
        elif fact.kind == TokenCalled.kind:
            lines.add((fact.state_id, uuid.UUID(fact.payload["line_id"])))
            notify(
                SYSTEM,
                state_id=fact.state_id,
                consultation_id=consultation_id,
                purpose="called",
                number=fact.payload["number"],
            )
        elif fact.kind == PrescriptionEnded.kind:
            # During the consultation the doctor says it, and the page shows it.
            if fact.payload["afterwards"]:
                notify(
                    SYSTEM,
                    state_id=fact.state_id,
                    consultation_id=consultation_id,
                    purpose=f"prescription_{fact.payload['how']}",
                )
        elif fact.kind in _PLAIN:
            notify(
                SYSTEM,
                state_id=fact.state_id,
                consultation_id=consultation_id,
                purpose=_PLAIN[fact.kind],
            )
        elif fact.payload["status"] in _ENDED:
            notify(
                SYSTEM,
                state_id=fact.state_id,
                consultation_id=consultation_id,
                purpose=_ENDED[fact.payload["status"]],
            )
    for state_id, line_id in sorted(lines):
        for token in tell_near(SYSTEM, state_id=state_id, line_id=line_id):
            notify(
                SYSTEM,
                state_id=state_id,
                consultation_id=token.consultation_id,
                purpose="near",
                number=token.number,
            )


_PLAIN = {CalledAgain.kind: "called_again", ConsultationReturned.kind: "returned"}

_ENDED = {
    ConsultationStatus.COMPLETED: "completed",
    ConsultationStatus.ABANDONED: "not_held",
}


@verb("notifications.notify")
def notify(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    purpose: str,
    number: int | None = None,
) -> None:
    """Queue one message about a consultation to the patient's mobile, in the patient's language.

    Nothing where what it announces is over by now.
    """
    consultation = told_about(state_id, consultation_id)
    concerns(consultation, patient_id=consultation.patient_id)
    if consultation.spoke_id is not None and consultation.status in LIVE:
        # The staff beside the patient see it on their tablet, and the link would not open at home.
        return
    account = find_account(consultation.patient_account_id)
    if account is None or not account.mobile:
        return
    holds_for = _holds_for(purpose, consultation)
    if holds_for <= datetime.timedelta(0):
        return
    address = f"{settings.PUBLIC_URL}/consultations/{state_id}/{consultation_id}"
    with translation.override(account.language):
        text = _text(purpose, number, consultation)
    queue_message(
        account.mobile,
        f"{text} {address}",
        purpose=purpose,
        language=account.language,
        valid_for=holds_for,
    )


A_DAY = datetime.timedelta(days=1)
WAITING_FOR = datetime.timedelta(hours=4)
NEAR_FOR = datetime.timedelta(minutes=15)
OVER = datetime.timedelta(0)


def _holds_for(purpose: str, consultation: Consultation) -> datetime.timedelta:
    """Return how long a message is still true, OVER for one that is not any more.

    The listener may come to a fact late, and an operator's gateway take the message later still:
    nobody is to run to a call that ended an hour ago.
    """
    token = consultation.token
    if purpose == "called":
        rings = token.status == TokenStatus.CALLED and token.deadline_at is not None
        return token.deadline_at - clock.now() if rings else OVER
    if purpose == "called_again":
        return GRACE if consultation.is_open else OVER
    if purpose == "near":
        return NEAR_FOR if token.status == TokenStatus.WAITING else OVER
    if purpose == "token":
        return WAITING_FOR if consultation.status == ConsultationStatus.REQUESTED else OVER
    if purpose == "returned":
        return A_DAY if consultation.status == ConsultationStatus.RETURNED else OVER
    return A_DAY


def _text(purpose: str, number: int | None, consultation: Consultation) -> str:
    if purpose == "token":
        return _("Your token is %(number)s. Watch your place here:") % {"number": number}
    if purpose == "near":
        return _("Token %(number)s: your turn is near. Keep this page open:") % {"number": number}
    if purpose == "called":
        return _("Token %(number)s: your turn. Open this page and answer within 2 minutes:") % {
            "number": number
        }
    if purpose == "returned":
        return _("The doctor needs to know more. Add it here, you keep your place:")
    if purpose == "called_again":
        return _("The doctor calls you again. Answer here:")
    if purpose == "completed":
        return _of_outcome(consultation.outcome)
    if purpose == "prescription_superseded":
        return _("The doctor has changed your prescription. Read the new one before the next dose:")
    if purpose == "prescription_cancelled":
        return _("The doctor has cancelled your prescription. Read why before the next dose:")
    if consultation.reason == ENDED_BY_DOCTOR:
        return _("The doctor has ended this consultation.")
    if consultation.reason == NOT_REACHABLE:
        return _("The line broke and we could not reach you. Ask again here: you then go first.")
    if consultation.carries_wait:
        return _("The OPD closed before your turn. Ask again next time: you then go first.")
    return _("The consultation was not held, because you could not be reached. Ask again here:")


def _of_outcome(outcome: str) -> str:
    if outcome == Outcome.PRESCRIPTION:
        return _("What the doctor said, and your prescription, are here:")
    if outcome in (Outcome.IN_PERSON, Outcome.EMERGENCY):
        return _("What the doctor said, and the letter to take along, are here:")
    return _("What the doctor said is here:")
