"""Counts consultations into the roll-ups: by facts as they come, or all of them anew."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sanjeevani.consultation.events import (
    ConsultationEnded,
    ConsultationRequested,
    ConsultationStarted,
    FeedbackGiven,
)
from sanjeevani.consultation.models import Consultation, ConsultationStatus, Feedback
from sanjeevani.consultation.queries import came_from
from sanjeevani.directory.models import State
from sanjeevani.foundation.models import ListenerCursor
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.reporting.models import (
    CountedConsultation,
    FiguresModel,
    LineFigures,
    Scope,
    StateFigures,
    StateTotals,
)
from sanjeevani.reporting.tallies import COLUMNS, Contribution, End, Tally

LISTENER = "reporting"
KINDS = frozenset(
    {
        ConsultationRequested.kind,
        ConsultationStarted.kind,
        ConsultationEnded.kind,
        FeedbackGiven.kind,
    }
)
REBUILD_BATCH = 2_000


def count_facts(facts: Sequence[StoredFact]) -> None:
    """Listener: look again at the consultations that the facts are about."""
    touched: dict[int, set[uuid.UUID]] = defaultdict(set)
    for fact in facts:
        touched[fact.state_id].add(uuid.UUID(fact.payload["consultation_id"]))
    for state_id, ids in sorted(touched.items()):
        count(state_id, ids)


def count(state_id: int, ids: Iterable[uuid.UUID]) -> None:
    """Bring the roll-ups up to date with some consultations of a tenant.

    Adds the difference to what was counted of them before, so that asking twice adds nothing. The
    caller holds the listener's cursor: there is one writer at a time.
    """
    wanted = sorted(ids)
    before = {
        row.id: _counted(row)
        for row in CountedConsultation.objects.filter(state_id=state_id, id__in=wanted)
    }
    changes: list[tuple[Contribution, int]] = []
    rows = []
    for consultation_id, now in contributions(state_id, wanted).items():
        then = before.get(consultation_id)
        if now == then:
            continue
        if then is not None:
            changes.append((then, -1))
        changes.append((now, 1))
        rows.append(CountedConsultation(state_id=state_id, id=consultation_id, **vars(now)))
    CountedConsultation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["state_id", "id"],
        update_fields=list(Contribution.__dataclass_fields__),
    )
    _add(state_id, changes)


def contributions(state_id: int, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Contribution]:
    """Return what each of these consultations adds to the figures, as it stands now."""
    ratings = dict(
        Feedback.objects.filter(state_id=state_id, consultation_id__in=ids).values_list(
            "consultation_id", "rating"
        )
    )
    found = list(
        Consultation.objects.select_related("token", "line").filter(state_id=state_id, id__in=ids)
    )
    asked = _asked_at(found)
    return {one.id: _contribution(one, asked[one.id], ratings.get(one.id)) for one in found}


def _asked_at(consultations: Iterable[Consultation]) -> dict[uuid.UUID, datetime.datetime]:
    """Return when the patients asked, by consultation.

    A patient who was sent on has waited since the first request; whoever comes back on another day
    after the OPD had closed has not waited through the night, though the token keeps that time.
    """
    asked: dict[uuid.UUID, datetime.datetime] = {}
    walk = {one.id: one for one in consultations}
    while walk:
        asked |= {consultation_id: one.requested_at for consultation_id, one in walk.items()}
        walk = came_from(walk)
    return asked


def _contribution(
    consultation: Consultation, since: datetime.datetime, rating: int | None
) -> Contribution:
    started, ended = consultation.started_at, consultation.ended_at
    if consultation.due_at is not None:
        # In writing: nobody waits in a line for what is answered within a day, nor talks.
        started = None
    completed = consultation.status == ConsultationStatus.COMPLETED
    return Contribution(
        patient_state_id=consultation.patient_state_id,
        line_id=consultation.line.parent_id or consultation.line_id,
        day=timezone.localdate(consultation.requested_at),
        end=_end(consultation),
        wait_seconds=max(0, int((started - since).total_seconds())) if started else None,
        duration_seconds=max(0, int((ended - started).total_seconds()))
        if completed and started and ended
        else None,
        rating=rating,
    )


def _end(consultation: Consultation) -> str:
    if consultation.status != ConsultationStatus.ABANDONED:
        return str(
            consultation.status
            if consultation.status in (End.COMPLETED, End.CANCELLED, End.REDIRECTED)
            else End.OPEN
        )
    token = consultation.token
    if token.status != TokenStatus.EXPIRED:
        return str(End.LOST)
    # A token that expires while it is called keeps its practitioner; one that waits has none.
    return str(End.NOT_ANSWERED if token.practitioner_id else End.SENT_HOME)


def _counted(row: CountedConsultation) -> Contribution:
    return Contribution(**{name: getattr(row, name) for name in Contribution.__dataclass_fields__})


Key = tuple[Any, ...]


def _add(state_id: int, changes: Iterable[tuple[Contribution, int]]) -> None:
    lines: dict[Key, Tally] = defaultdict(Tally)
    days: dict[Key, Tally] = defaultdict(Tally)
    totals: dict[Key, Tally] = defaultdict(Tally)
    for contribution, times in changes:
        lines[(state_id, contribution.line_id, contribution.day)].add(contribution, times)
        for key in (
            (Scope.HOST.value, state_id),
            (Scope.HOME.value, contribution.patient_state_id),
            (Scope.NATION.value, NATIONAL),
        ):
            days[(*key, contribution.day)].add(contribution, times)
            totals[key].add(contribution, times)
    _store(LineFigures, ("state_id", "line_id", "day"), lines)
    _store(StateFigures, ("scope", "state_id", "day"), days)
    _store(StateTotals, ("scope", "state_id"), totals)


def _store(
    model: type[FiguresModel], names: tuple[str, ...], additions: Mapping[Key, Tally]
) -> None:
    if not additions:
        return
    sums = dict(additions)
    present = Q()
    for key in additions:
        present |= Q(**dict(zip(names, key, strict=True)))
    for row in model._default_manager.filter(present):
        sums[tuple(getattr(row, name) for name in names)].merge(row.tally())
    model._default_manager.bulk_create(
        [
            model(**dict(zip(names, key, strict=True)), **vars(tally))
            for key, tally in sorted(sums.items())
        ],
        update_conflicts=True,
        unique_fields=list(names),
        update_fields=list(COLUMNS),
    )


def rebuild() -> int:
    """Empty the roll-ups and count every consultation anew; return how many there are.

    Readers see the old figures until it is done. Facts wait, and then find themselves counted.
    """
    with transaction.atomic():
        ListenerCursor.objects.get_or_create(listener=LISTENER)
        ListenerCursor.objects.select_for_update().get(listener=LISTENER)
        for model in (LineFigures, StateFigures, StateTotals):
            model.objects.all().delete()
        counted = 0
        for state_id in State.objects.order_by("lgd_code").values_list("lgd_code", flat=True):
            CountedConsultation.objects.filter(state_id=state_id).delete()
            last = uuid.UUID(int=0)
            while ids := list(
                Consultation.objects.filter(state_id=state_id, id__gt=last)
                .order_by("id")
                .values_list("id", flat=True)[:REBUILD_BATCH]
            ):
                count(state_id, ids)
                counted += len(ids)
                last = ids[-1]
    return counted
