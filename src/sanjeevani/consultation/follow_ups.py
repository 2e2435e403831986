"""Doctors who want to see a patient at home again: which are due, and who needs no word of it.

For the patients of spokes their staff see to it (`to_do.py`).
"""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Q

from sanjeevani.consultation.models import (
    LIVE,
    Consultation,
    ConsultationReference,
    ConsultationStatus,
)
from sanjeevani.consultation.permissions import require_patient
from sanjeevani.consultation.services import blocked_for, get
from sanjeevani.consultation.to_do import consultations_of
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import has_withdrawn, records_of_person

BEFORE = datetime.timedelta(days=3)
AFTER = datetime.timedelta(days=14)
"""So long around its day a follow-up stands on the family's list."""


@dataclass(frozen=True)
class FollowUpDue:
    """That a doctor wants to see a person in an account's care around a day."""

    consultation: Consultation
    patient: Patient
    day: datetime.date


_due = Compiled(
    lambda: (
        ConsultationReference.objects.filter(
            state_id=given("state_id"),
            account_id=given("account_id"),
            follow_up_on__isnull=False,
            spoke_id__isnull=True,
            put_away_at__isnull=True,
            follow_up_on__gte=given("since"),
            follow_up_on__lte=given("until"),
        )
        .order_by("follow_up_on", "id")
        .values_list("consultation_state_id", "id", "follow_up_on")
    )
)


def follow_ups_due(actor: Actor) -> list[FollowUpDue]:
    """Return the follow-ups of the actor's account that are due and not asked for yet.

    One statement where there are none, as nearly always.
    """
    if actor.kind != ActorKind.PERSON or actor.account_id is None:
        return []
    today = clock.today()
    rows = _due.all(
        state_id=actor.state_id,
        account_id=actor.account_id,
        since=today - AFTER,
        until=today + BEFORE,
    )
    if not rows:
        return []
    held = consultations_of((state_id, consultation_id) for state_id, consultation_id, _day in rows)
    found = []
    for _state_id, consultation_id, day in rows:
        consultation = held[consultation_id]
        patient = to_be_seen(consultation)
        if patient is not None and day is not None:
            found.append(FollowUpDue(consultation, patient, day))
    return found


def to_be_seen(consultation: Consultation) -> Patient | None:
    """Return whom the doctor of a consultation waits to see again, as they are registered now.

    None for who has come or waits by now, has left the list, has withdrawn consent, or is to be
    kept apart from the doctor.
    """
    state_id = consultation.patient_state_id
    records = records_of_person(state_id, consultation.patient_id)
    patient = Patient.objects.filter(
        state_id=state_id, id__in=records, left_at__isnull=True, same_as_id__isnull=True
    ).first()
    if (
        patient is None
        or has_withdrawn(state_id, patient.id)
        or consultation.practitioner_id in blocked_for(state_id, consultation.patient_account_id)
        or _has_come(consultation, records)
    ):
        return None
    return patient


def _has_come(consultation: Consultation, records: list[uuid.UUID]) -> bool:
    """Tell whether one of the person's records waits for any doctor, or has met this one since."""
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for consultation_id, state_id in ConsultationReference.objects.filter(
        state_id=consultation.patient_state_id, patient_id__in=records, id__gt=consultation.id
    ).values_list("id", "consultation_state_id"):
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    same_doctor = Q(practitioner_id=consultation.practitioner_id) | Q(
        follow_up_with_id=consultation.practitioner_id
    )
    # Not held or given back: the doctor has not seen the patient.
    met = same_doctor & Q(status__in=[ConsultationStatus.COMPLETED, ConsultationStatus.REDIRECTED])
    return any(
        Consultation.objects.filter(
            met | Q(status__in=LIVE), state_id=state_id, id__in=ids
        ).exists()
        for state_id, ids in ids_by_state.items()
    )


@verb("consultation.put_follow_up_away")
def put_follow_up_away(actor: Actor, *, state_id: int, consultation_id: uuid.UUID) -> None:
    """The family wants no word of a follow-up any more; said twice it is once.

    Raises NotFound, NotPermitted.
    """
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    ConsultationReference.objects.filter(
        state_id=consultation.patient_state_id, id=consultation.id, put_away_at__isnull=True
    ).update(put_away_at=clock.now())


def follow_ups_to_recall(day: datetime.date) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, consultation_id) of follow-ups on a day, of which nobody was told yet.

    Of all states, for the background.
    """
    with across_states():
        return list(
            ConsultationReference.objects.filter(
                follow_up_on=day,
                spoke_id__isnull=True,
                recalled_at__isnull=True,
                put_away_at__isnull=True,
            )
            .order_by("id")
            .values_list("consultation_state_id", "id")
        )


def note_recalled(consultation: Consultation) -> bool:
    """Note that the reminder was decided on; whether it was not before. Part of the verb that
    sends it."""
    return bool(
        ConsultationReference.objects.filter(
            state_id=consultation.patient_state_id, id=consultation.id, recalled_at__isnull=True
        ).update(recalled_at=clock.now())
    )
