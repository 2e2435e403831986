"""What a patient tells besides while waiting: the answers to what is asked about the complaints."""

import uuid
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.permissions import require_patient
from sanjeevani.consultation.services import held, token_of
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.intake import services as intake
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.following import accepted, questions_about
from sanjeevani.intake.queries import intake_of
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.terminology.models import FollowOnQuestion


class CalledMeanwhile(Stale):
    """The doctor reads already, and asks for the rest."""

    message = _("The doctor is calling, or has called: please tell it in the call.")


def open_questions(consultation: Consultation, content: IntakeContent) -> list[FollowOnQuestion]:
    """Return what is asked about the complaints of somebody who waits."""
    return questions_about(
        content.complaints,
        birth_date=consultation.patient_birth_date,
        gender=consultation.patient_gender,
    )


@verb("consultation.tell_more")
def tell_more(
    actor: Actor, *, state_id: int, consultation_id: uuid.UUID, told: Mapping[str, str]
) -> Consultation:
    """Answer what is asked about the complaints; it replaces what was answered before.

    Raises CalledMeanwhile, Invalid with the code of the question as the field.
    """
    consultation = held(state_id, consultation_id)
    require_patient(actor, consultation)
    if token_of(consultation).status != TokenStatus.WAITING:
        raise CalledMeanwhile
    questions = open_questions(consultation, intake_of(state_id, consultation_id))
    intake.tell_more(
        actor,
        state_id=state_id,
        consultation_id=consultation_id,
        patient_id=consultation.patient_id,
        told=accepted(told, questions),
    )
    concerns(consultation, patient_id=consultation.patient_id)
    return consultation
