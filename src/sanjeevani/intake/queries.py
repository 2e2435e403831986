"""Reads of intake."""

import uuid

from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.models import Intake, IntakeDraft
from sanjeevani.patients.models import Patient


def draft_of(patient: Patient) -> IntakeContent:
    """Return what was entered so far for a patient, empty when nothing was."""
    draft = IntakeDraft.objects.filter(state_id=patient.state_id, patient_id=patient.id).first()
    return IntakeContent.from_json(draft.content) if draft else IntakeContent()


def intake_of(state_id: int, consultation_id: uuid.UUID) -> IntakeContent:
    """Return the newest frozen intake of a consultation."""
    intake = (
        Intake.objects.filter(state_id=state_id, consultation_id=consultation_id)
        .order_by("-id")
        .first()
    )
    return IntakeContent.from_json(intake.content) if intake else IntakeContent()
