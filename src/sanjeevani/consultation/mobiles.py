"""A patient at a spoke comes into the care of the mobile whose owner has told the code."""

import uuid

from sanjeevani.consultation.models import Consultation, ConsultationReference
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.identity.services import CodePurpose, confirm_told_code
from sanjeevani.patients.mobiles import move_to_mobile
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import own_patient, records_of_person


def give_mobile(actor: Actor, *, patient_id: uuid.UUID, challenge: uuid.UUID, code: str) -> Patient:
    """Let whoever has told the code read a patient's consultations on their mobile.

    Twice is once. Raises CodeDead, Invalid, NotFound, NotPermitted, WrongCode; a wrong try is
    counted by itself, before anything is written here.
    """
    own_patient(actor, patient_id)
    mobile = confirm_told_code(actor, challenge=challenge, code=code, purpose=CodePurpose.MOBILE)
    return _give_mobile(actor, patient_id=patient_id, mobile=mobile)


@verb("consultation.give_mobile")
def _give_mobile(actor: Actor, *, patient_id: uuid.UUID, mobile: str) -> Patient:
    patient = move_to_mobile(actor, patient_id=patient_id, mobile=mobile)
    concerns(patient, patient_id=patient.id)
    references = ConsultationReference.objects.filter(
        state_id=patient.state_id, patient_id__in=records_of_person(patient.state_id, patient.id)
    )
    references.update(account_id=patient.account_id)
    for consultation_id, state_id in references.values_list("id", "consultation_state_id"):
        Consultation.objects.filter(state_id=state_id, id=consultation_id).update(
            patient_account_id=patient.account_id
        )
    return patient
