"""Reads of intake."""

import datetime
import uuid
from dataclasses import replace

from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.models import Intake, IntakeDraft
from sanjeevani.intake.triage import DISABLED, PREGNANT
from sanjeevani.patients.models import Patient

LASTING = {PREGNANT, DISABLED}
"""What is answered beside the danger signs, and stays before the patient's eyes in the form."""

_draft = Compiled(
    lambda: IntakeDraft.objects.filter(state_id=given("state_id"), patient_id=given("patient_id"))
)
_newest_intake = Compiled(
    lambda: Intake.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    ).order_by("-id")[:1]
)


_newest_intakes = Compiled(
    lambda: (
        Intake.objects.filter(
            state_id=given("state_id"), consultation_id=given_any("consultation_ids")
        )
        .order_by("consultation_id", "-id")
        .distinct("consultation_id")
    )
)

OF_TODAY = datetime.timedelta(hours=24)
"""So long after a draft was last touched its danger signs and measurements still say how the
patient is. A rule of this service, for a clinical lead to confirm."""

AT_ONCE = datetime.timedelta(minutes=5)
"""What is under way no longer than this, on a poor link, counts as entered when it arrives."""


def draft_of(patient: Patient) -> IntakeContent:
    """Return what was entered so far for a patient, empty when nothing was.

    Of a draft that has lain for a day, danger signs are asked and vitals measured anew.
    """
    draft = _draft.first(state_id=patient.state_id, patient_id=patient.id)
    if draft is None:
        return IntakeContent()
    return what_lasts(IntakeContent.from_json(draft.content), draft.updated_at)


def what_lasts(content: IntakeContent, said_at: datetime.datetime) -> IntakeContent:
    """Return what a content still says: after a day neither its danger signs nor its vitals, nor
    what was asked about the complaints."""
    if said_at >= clock.now() - OF_TODAY:
        return content
    lasting = {code: said for code, said in content.answers.items() if code in LASTING}
    return replace(content, answers=lasting, vitals={}, told={})


def entered_later(
    patient: Patient, *, said: IntakeContent, whole: IntakeContent, entered_at: datetime.datetime
) -> IntakeContent:
    """Return what is known once something has arrived, perhaps days after it was entered.

    `said` is what it says by itself, `whole` the draft with it. What was told and measured since
    goes before it.
    """
    if clock.now() - entered_at <= AT_ONCE:
        return whole
    if drafted_since(patient, entered_at):
        return draft_of(patient).with_earlier(what_lasts(said, entered_at))
    return what_lasts(whole, entered_at)


def drafted_since(patient: Patient, moment: datetime.datetime) -> bool:
    """Tell whether something was entered for a patient after a moment."""
    touched_at = draft_touched_at(patient)
    return touched_at is not None and touched_at > moment


def draft_touched_at(patient: Patient) -> datetime.datetime | None:
    """Return when something was entered last for a patient, None when nothing was."""
    draft = _draft.first(state_id=patient.state_id, patient_id=patient.id)
    return draft.updated_at if draft is not None else None


def intake_of(state_id: int, consultation_id: uuid.UUID) -> IntakeContent:
    """Return the newest frozen intake of a consultation."""
    intake = _newest_intake.first(state_id=state_id, consultation_id=consultation_id)
    return IntakeContent.from_json(intake.content) if intake else IntakeContent()


def still_told(state_id: int, consultation_id: uuid.UUID) -> IntakeContent:
    """Return what the newest frozen intake of a consultation still says: see `what_lasts`."""
    intake = _newest_intake.first(state_id=state_id, consultation_id=consultation_id)
    if intake is None:
        return IntakeContent()
    return what_lasts(IntakeContent.from_json(intake.content), intake.frozen_at)


def intakes_of(state_id: int, consultation_ids: list[uuid.UUID]) -> dict[uuid.UUID, IntakeContent]:
    """Return the newest frozen intake of each consultation that has one."""
    return {
        intake.consultation_id: IntakeContent.from_json(intake.content)
        for intake in _newest_intakes.all(state_id=state_id, consultation_ids=consultation_ids)
    }
