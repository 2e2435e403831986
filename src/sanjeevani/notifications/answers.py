"""The SMS that tells the author of a grievance that there is an answer. Never what it says."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.grievance.events import GrievanceAnswered
from sanjeevani.grievance.models import Grievance
from sanjeevani.messaging.services import queue_message

ANSWER_KINDS = frozenset({GrievanceAnswered.kind})


def tell_authors(facts: Sequence[StoredFact]) -> None:
    """Listener: queue the messages about answers."""
    for fact in facts:
        tell_answered(
            SYSTEM, state_id=fact.state_id, grievance_id=uuid.UUID(fact.payload["grievance_id"])
        )


@verb("notifications.tell_answered")
def tell_answered(actor: Actor, *, state_id: int, grievance_id: uuid.UUID) -> None:
    """Queue a message to the author's mobile, in their language; nothing when none was given."""
    grievance = Grievance.objects.get(state_id=state_id, id=grievance_id)
    concerns(grievance)
    if not grievance.mobile:
        return
    with translation.override(grievance.language):
        text = _("Complaint %(number)s: there is an answer. Read it here:") % {
            "number": grievance.number
        }
    queue_message(
        grievance.mobile,
        f"{text} {settings.PUBLIC_URL}/grievance/{grievance.number}",
        purpose="grievance",
        language=grievance.language,
    )
