"""Reads of intake."""

import uuid

from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.models import Intake, IntakeDraft
from sanjeevani.patients.models import Patient

_draft = Compiled(
    lambda: IntakeDraft.objects.filter(state_id=given("state_id"), patient_id=given("patient_id"))
)
_newest_intake = Compiled(
    lambda: Intake.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("-id")[:1]
)


def draft_of(patient: Patient) -> IntakeContent:
    """Return what was entered so far for a patient, empty when nothing was."""
    draft = _draft.first(state_id=patient.state_id, patient_id=patient.id)
    return IntakeContent.from_json(draft.content) if draft else IntakeContent()


def intake_of(state_id: int, consultation_id: uuid.UUID) -> IntakeContent:
    """Return the newest frozen intake of a consultation."""
    intake = _newest_intake.first(state_id=state_id, consultation_id=consultation_id)
    return IntakeContent.from_json(intake.content) if intake else IntakeContent()
