"""What the staff of a spoke have to do for its patients after a consultation, and the tick."""

import datetime
import uuid
from collections.abc import Iterable

from sanjeevani.consultation.models import Consultation, ConsultationReference, SpokeToDo, ToDoKind
from sanjeevani.directory.models import BESIDE_THE_PATIENT
from sanjeevani.directory.permissions import require_at_spoke
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb

MOST_SHOWN = 60
AHEAD = datetime.timedelta(days=7)
"""So long before its day a follow-up stands on the list: the patient has to arrange it."""


@verb("consultation.tick")
def tick(actor: Actor, *, consultation_id: uuid.UUID, kind: ToDoKind, done: bool) -> SpokeToDo:
    """Say that something is done for a patient of the actor's spoke, or that it is not after all.

    Said again it stays as it is. Raises NotFound, NotPermitted.
    """
    post = require_at_spoke(actor, BESIDE_THE_PATIENT)
    key = {"state_id": post.state_id, "facility_id": post.facility_id, "kind": kind}
    found = SpokeToDo.objects.filter(**key, consultation_id=consultation_id).first()
    if found is None and kind == ToDoKind.MEDICINE:
        asked = ConsultationReference.objects.filter(
            state_id=post.state_id, id=consultation_id, spoke_id=post.facility_id
        ).first()
        if asked is not None:
            found, _made = SpokeToDo.objects.get_or_create(
                **key,
                consultation_id=consultation_id,
                defaults={
                    "id": uuid7(),
                    "consultation_state_id": asked.consultation_state_id,
                    "patient_id": asked.patient_id,
                    "due_on": clock.today(),
                },
            )
    if found is None:
        raise NotFound
    if done is not (found.done_at is not None):
        found.done_at = clock.now() if done else None
        found.done_by_post_id = post.id if done else None
        found.save()
    concerns(found, patient_id=found.patient_id)
    return found


def leave_changed(consultation: Consultation, spoke_id: uuid.UUID) -> None:
    """Leave to the staff of its spoke that what the patient took home does not hold any more.

    Part of the verbs that end a prescription. Changed again after it was ticked, it is to be told
    again.
    """
    _leave(ToDoKind.CHANGED, consultation, spoke_id)


def leave_answer(consultation: Consultation, spoke_id: uuid.UUID) -> None:
    """Leave to the staff of its spoke to read the doctor's word to the patient.

    Part of the verb that tells of it. What the doctor adds after it was ticked is to be told too.
    """
    _leave(ToDoKind.ANSWER, consultation, spoke_id)


def _leave(kind: ToDoKind, consultation: Consultation, spoke_id: uuid.UUID) -> None:
    SpokeToDo.objects.update_or_create(
        state_id=consultation.patient_state_id,
        facility_id=spoke_id,
        kind=kind,
        consultation_id=consultation.id,
        defaults={"due_on": clock.today(), "done_at": None, "done_by_post_id": None},
        create_defaults={
            "id": uuid7(),
            "consultation_state_id": consultation.state_id,
            "patient_id": consultation.patient_id,
            "due_on": clock.today(),
        },
    )


def open_to_dos(
    state_id: int, spoke_id: uuid.UUID, limit: int | None = MOST_SHOWN
) -> list[SpokeToDo]:
    """Return what is to be done at a spoke, what is overdue first.

    Of more than `limit`, follow-ups are left out first: an answer or a call would go unsaid.
    """
    rows = list(
        SpokeToDo.objects.filter(
            state_id=state_id,
            facility_id=spoke_id,
            done_at__isnull=True,
            due_on__lte=clock.today() + AHEAD,
        )
        .exclude(kind=ToDoKind.MEDICINE)
        # By name: an answer, a call, a change, a follow-up.
        .order_by("kind", "due_on", "id")[:limit]
    )
    return sorted(rows, key=lambda row: (row.due_on, row.id))


def done_to_dos(state_id: int, spoke_id: uuid.UUID) -> list[SpokeToDo]:
    """Return what was ticked at a spoke since yesterday, the last first."""
    return list(
        SpokeToDo.objects.filter(
            state_id=state_id,
            facility_id=spoke_id,
            done_at__gt=clock.now() - datetime.timedelta(days=1),
            done_by_post_id__isnull=False,
        ).order_by("-done_at")[:MOST_SHOWN]
    )


def consultations_of(keys: Iterable[tuple[int, uuid.UUID]]) -> dict[uuid.UUID, Consultation]:
    """Return consultations by id: of the keys `(state_id, id)` of rows that the caller may see."""
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, consultation_id in keys:
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    return {
        one.id: one
        for state_id, ids in ids_by_state.items()
        for one in Consultation.objects.filter(state_id=state_id, id__in=ids)
    }
