"""Visits that a spoke entered without a link: patient, complaint and measurements in one."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.models import EnteredVisit, IntakeDraft
from sanjeevani.intake.queries import draft_of, entered_later
from sanjeevani.intake.services import save_draft
from sanjeevani.patients.errors import AlreadyRegistered
from sanjeevani.patients.models import Patient
from sanjeevani.patients.services import Profile
from sanjeevani.patients.spokes import alike_at_spoke, register_at_spoke, take_in

MOST_SHOWN = 30


@dataclass(frozen=True)
class Visit:
    """Who came and what was told and measured, as the tablet kept it until there was a link."""

    key: uuid.UUID
    entered_at: datetime.datetime
    profile: Profile
    content: IntakeContent
    mobile: str = ""
    abha_number: str = ""


@verb("intake.enter_visit")
def enter_visit(
    actor: Actor,
    *,
    visit: Visit,
    language: str,
    patient_id: uuid.UUID | None = None,
    is_another: bool = False,
) -> Patient:
    """Register the patient of a visit, or take in the one of `patient_id`, and keep what was told.

    Measurements that are a day old on arrival are left out, to be made anew. The same visit again
    changes nothing. Raises AlreadyRegistered when somebody alike has been at the spoke or is
    registered under the mobile, unless `is_another`; Invalid, NotFound, NotPermitted.
    """
    if actor.spoke_id is None or actor.post_id is None:
        raise NotPermitted
    earlier = (
        EnteredVisit.objects.select_related("patient")
        .filter(state_id=actor.state_id, facility_id=actor.spoke_id, key=visit.key)
        .first()
    )
    if earlier is not None:
        concerns(earlier, patient_id=earlier.patient_id)
        patient: Patient = earlier.patient
        return patient
    patient = _who_came(actor, visit, language, patient_id, is_another)
    content = entered_later(
        patient,
        said=visit.content,
        whole=visit.content.with_earlier(draft_of(patient)),
        entered_at=visit.entered_at,
    )
    draft = save_draft(actor, patient=patient, content=content, entered_at=visit.entered_at)
    entered = EnteredVisit.objects.create(
        state_id=actor.state_id,
        id=uuid7(),
        facility_id=actor.spoke_id,
        key=visit.key,
        patient_id=patient.id,
        draft_id=draft.id,
        by_post_id=actor.post_id,
        entered_at=min(visit.entered_at, clock.now()),
    )
    concerns(entered, patient_id=patient.id)
    return patient


def _who_came(
    actor: Actor, visit: Visit, language: str, patient_id: uuid.UUID | None, is_another: bool
) -> Patient:
    if patient_id is not None:
        return take_in(actor, patient_id=patient_id)
    alike = None if is_another else alike_at_spoke(actor, visit.profile)
    if alike is not None:
        raise AlreadyRegistered(alike)
    return register_at_spoke(
        actor,
        profile=visit.profile,
        language=language,
        key=visit.key,
        mobile=visit.mobile,
        abha_number=visit.abha_number,
        is_another=is_another,
    )


def visits_to_continue(actor: Actor, limit: int | None = MOST_SHOWN) -> list[EnteredVisit]:
    """Return the visits of the actor's spoke for which nobody has asked a doctor yet.

    Of several visits of one patient, which share a draft, the newest.
    """
    if actor.spoke_id is None:
        raise NotPermitted
    draft = IntakeDraft.objects.filter(state_id=OuterRef("state_id"), id=OuterRef("draft_id"))
    at_spoke = EnteredVisit.objects.filter(state_id=actor.state_id, facility_id=actor.spoke_id)
    newer = at_spoke.filter(draft_id=OuterRef("draft_id"), id__gt=OuterRef("id"))
    entered = at_spoke.select_related("patient").filter(Exists(draft), ~Exists(newer))
    return list(entered.order_by("-id")[:limit])
