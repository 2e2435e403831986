"""The SMS on the day before a follow-up. It says who wants to see whom, and nothing of why."""

import datetime
import uuid

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sanjeevani.consultation.follow_ups import follow_ups_to_recall, note_recalled, to_be_seen
from sanjeevani.consultation.queries import told_about
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.queries import find_account
from sanjeevani.messaging.services import queue_message
from sanjeevani.notifications.daylight import REMINDERS


def recall_patients() -> None:
    """Remind everybody at home whom a doctor wants to see again tomorrow; each once, by day."""
    if REMINDERS.holds(clock.now()):
        tomorrow = clock.today() + datetime.timedelta(days=1)
        to_each(follow_ups_to_recall(tomorrow), _recall, "recall_patients")


def _recall(key: tuple[int, uuid.UUID]) -> None:
    state_id, consultation_id = key
    recall(SYSTEM, state_id=state_id, consultation_id=consultation_id)


@verb("notifications.recall")
def recall(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> None:
    """Queue a message that the doctor wants to see the patient again tomorrow; once.

    Nothing for who has asked again or waits.
    """
    consultation = told_about(state_id, consultation_id)
    concerns(consultation, patient_id=consultation.patient_id)
    if not note_recalled(consultation):
        return
    patient = to_be_seen(consultation)
    account = find_account(consultation.patient_account_id)
    if patient is None or account is None or not account.mobile:
        return
    with translation.override(account.language):
        text = _("%(doctor)s wants to see %(name)s again tomorrow. Ask for a token here:") % {
            "doctor": consultation.practitioner_name,
            "name": patient.name.split()[0],
        }
    queue_message(
        account.mobile,
        f"{text} {settings.PUBLIC_URL}/people",
        purpose="follow_up",
        language=account.language,
        # Held up until the night, it would not be true any more.
        valid_for=REMINDERS.evening(clock.now()) - clock.now(),
    )
