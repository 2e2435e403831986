"""The verbs of intake."""

import contextlib
import datetime
import uuid
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.idempotency import KEPT_FOR
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.intake.content import TEXT_LENGTH, IntakeContent
from sanjeevani.intake.models import Intake, IntakeDraft, Paper
from sanjeevani.intake.papers import Place, abandoned, papers_in, remove_paper
from sanjeevani.intake.queries import AT_ONCE, draft_touched_at, intake_of
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import may_act_for
from sanjeevani.terminology.vitals import UPPER, ImplausibleVital, accept_vital, is_swapped, vitals

DRAFT_DAYS = 30
"""So long a draft waits for its author: somebody ill asks sooner, and what nobody sent is no
record. A rule of this service, for its data protection officer to confirm."""


SWAPPED = _("The upper blood pressure is the greater one. Please check both, or measure again.")


def plausible(code: str, value: float, language: str, unit: str | None = None) -> float:
    """Return a measurement in the vital's own unit; `unit` is the one it was entered in, if not.

    `language` is the reader's. Raises Invalid, KeyError for an unknown vital.
    """
    try:
        return accept_vital(code, value, unit)
    except ImplausibleVital as error:
        vital = vitals()[code]
        raise Invalid(
            _("%(what)s: measure again, between %(low)g and %(high)g is possible.")
            % {"what": vital.name_in(language), "low": vital.minimum, "high": vital.maximum},
            field=code,
        ) from error


_drafts = Kept(IntakeDraft, key=("state_id", "patient_id"))


@verb("intake.save_draft")
def save_draft(
    actor: Actor,
    *,
    patient: Patient,
    content: IntakeContent,
    entered_at: datetime.datetime | None = None,
) -> IntakeDraft:
    """Keep what was entered so far; the newest draft of a patient replaces the one before.

    `entered_at`: when, if it was kept elsewhere until now; danger signs and measurements count
    from then (`entered_later` says what is left of them). Raises Invalid for a blood pressure that
    nobody has: it would count as an emergency.
    """
    if not may_act_for(actor, patient):
        raise NotPermitted
    if is_swapped(content.vitals):
        raise Invalid(SWAPPED, field=UPPER)
    draft = IntakeDraft(
        state_id=patient.state_id,
        patient_id=patient.id,
        content=content.as_json(),
        updated_at=_touched_at(patient, entered_at),
    )
    _drafts.replace(draft)
    concerns(draft, patient_id=patient.id)
    return draft


def _touched_at(patient: Patient, entered_at: datetime.datetime | None) -> datetime.datetime:
    now = clock.now()
    if entered_at is None or now - entered_at <= AT_ONCE:
        return now
    # By a clock that is years wrong a draft would be forgotten the next night.
    times = [max(entered_at, now - KEPT_FOR), draft_touched_at(patient)]
    return max(one for one in times if one is not None)


@verb("intake.freeze")
def freeze(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    patient: Patient,
    content: IntakeContent,
) -> Intake:
    """Store what was said for good, in the consultation's tenant, and clear the draft.

    The draft's photos and papers go along. Raises Invalid when nothing says what the trouble is.
    """
    if not content.complaints and not content.text.strip():
        raise Invalid(_("Tell us what the trouble is."), field="complaints")
    if any(
        len(text) > TEXT_LENGTH
        for text in (content.text, content.history, content.allergies, content.medicines)
    ):
        raise Invalid(_("Please shorten what you wrote."), field="text")
    intake = Intake.objects.create(
        state_id=state_id,
        id=uuid7(),
        consultation_id=consultation_id,
        content=content.as_json(),
        frozen_at=clock.now(),
    )
    IntakeDraft.objects.filter(state_id=patient.state_id, patient_id=patient.id).delete()
    Place.draft_of(patient).rows.update(
        consultation_state_id=state_id, consultation_id=consultation_id
    )
    concerns(intake, patient_id=patient.id)
    return intake


@verb("intake.copy")
def copy(
    actor: Actor,
    *,
    source: tuple[int, uuid.UUID],
    target: tuple[int, uuid.UUID],
    patient_state_id: int,
    patient_id: uuid.UUID,
) -> None:
    """Take the newest intake of one consultation along to another: (state_id, consultation_id).

    Its photos and papers come too.
    """
    intake = Intake.objects.create(
        state_id=target[0],
        id=uuid7(),
        consultation_id=target[1],
        content=intake_of(*source).as_json(),
        frozen_at=clock.now(),
    )
    place = Place(patient_state_id, patient_id, *target)
    Paper.objects.bulk_create(
        Paper(id=uuid7(), upload_id=upload.id, **place.columns)
        for upload in papers_in(Place(patient_state_id, patient_id, *source))
    )
    concerns(intake, patient_id=patient_id)


@verb("intake.tell_more")
def tell_more(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    patient_id: uuid.UUID,
    told: dict[str, str],
) -> Intake:
    """Store what was answered about the complaints, beside all that was said before.

    The time stays that of the danger signs and measurements.
    """
    before = Intake.objects.filter(state_id=state_id, consultation_id=consultation_id)
    newest = before.latest("id")
    intake = Intake.objects.create(
        state_id=state_id,
        id=uuid7(),
        consultation_id=consultation_id,
        content=replace(IntakeContent.from_json(newest.content), told=told).as_json(),
        frozen_at=newest.frozen_at,
    )
    concerns(intake, patient_id=patient_id)
    return intake


def forget_drafts() -> int:
    """Delete what was drafted and not touched for DRAFT_DAYS, photos included; return how many.

    For the nightly job.
    """
    before = clock.now() - datetime.timedelta(days=DRAFT_DAYS)
    with across_states():
        forgotten, _by_model = IntakeDraft.objects.filter(updated_at__lt=before).delete()
        papers = abandoned(before)
    for place, upload_id in papers:
        # Sent along by its patient this very moment: it is part of a record now, and stays.
        with contextlib.suppress(NotFound):
            remove_paper(SYSTEM, place=place, upload_id=upload_id)
            forgotten += 1
    return forgotten
