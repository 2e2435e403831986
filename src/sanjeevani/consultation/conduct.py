"""Mistreated: one tap reports it, keeps the evidence, parts the two, and keeps them apart."""

import datetime
import uuid
from typing import Any

from sanjeevani.calls.models import Seat
from sanjeevani.calls.queries import messages_in, mode_changes, presences
from sanjeevani.consultation.errors import NotInProgress
from sanjeevani.consultation.interruptions import interrupt
from sanjeevani.consultation.models import (
    Block,
    ConductReport,
    Consultation,
    ConsultationReference,
    ConsultationStatus,
)
from sanjeevani.consultation.permissions import is_patients_side
from sanjeevani.consultation.services import end_consultation, get, wait_again
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.patients.services import end_access
from sanjeevani.queueing import services as queueing

RECENT = 30
"""So many of an account's newest consultations may still wait somewhere."""

_HELD = (
    ConsultationStatus.IN_PROGRESS,
    ConsultationStatus.INTERRUPTED,
    ConsultationStatus.COMPLETED,
)


_report = Kept(ConductReport, key=("state_id", "consultation_id", "by", "practitioner_id"))


@verb("consultation.report_conduct")
def report_conduct(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    practitioner: Practitioner | None = None,
    about: uuid.UUID | None = None,
) -> ConductReport:
    """Report the other side, end what goes on between the two, and never bring them together again.

    A patient keeps the place, at the head of the line for another doctor; a doctor who reports is
    free, and the patient is told that the doctor has ended it. The doctor reads nothing more of the
    family but what they held themselves. The evidence is copied. Twice is once, but for another
    doctor who has the patient by then. `about`: the doctor whom a patient's page shows, so that one
    who came later is not taken for them. Raises NotPermitted, NotInProgress, Stale.
    """
    consultation = get(state_id, consultation_id)
    concerns(consultation, patient_id=consultation.patient_id)
    by = _side_of(actor, consultation, practitioner)
    earlier = ConductReport.objects.filter(
        state_id=state_id, consultation_id=consultation_id, by=by
    ).order_by("-reported_at")
    has_doctor = consultation.practitioner_id is not None and consultation.status in _HELD
    whom = about or (consultation.practitioner_id if has_doctor else None)
    before = (earlier.filter(practitioner_id=whom) if whom else earlier).first()
    if before is not None:
        return before
    if consultation.practitioner_id is None or not has_doctor:
        raise NotInProgress
    if whom != consultation.practitioner_id:
        raise Stale
    report = ConductReport(
        state_id=state_id,
        id=uuid7(),
        consultation_id=consultation_id,
        by=by,
        account_id=consultation.patient_account_id,
        practitioner_id=consultation.practitioner_id,
        evidence=_evidence(consultation),
        reported_at=clock.now(),
    )
    if not _report.add(report):
        # Tapped twice at the same moment: the first, by now committed, has done it all.
        return earlier.get(practitioner_id=whom)
    _keep_apart(actor, consultation, consultation.practitioner_id, by)
    if consultation.status != ConsultationStatus.COMPLETED:
        _part(actor, consultation, by)
    concerns(report, patient_id=consultation.patient_id)
    return report


def _side_of(actor: Actor, consultation: Consultation, practitioner: Practitioner | None) -> Seat:
    if is_patients_side(actor, consultation) or (
        # What a spoke has asked is the account's own to look back on.
        actor.kind == ActorKind.PERSON and actor.account_id == consultation.patient_account_id
    ):
        return Seat.GUEST
    if (
        practitioner is not None
        and practitioner.account_id == actor.account_id
        and practitioner.id == consultation.practitioner_id
    ):
        return Seat.HOST
    raise NotPermitted


def _evidence(consultation: Consultation) -> dict[str, Any]:
    key = (consultation.state_id, consultation.room_id)
    return {
        "messages": [
            {
                "seat": message.seat,
                "text": message.text,
                "at": message.sent_at.isoformat(),
            }
            for message in messages_in(*key)
        ],
        "modes": [
            {
                "mode": change.mode,
                "seat": change.seat,
                "automatic": change.automatic,
                "at": change.at.isoformat(),
            }
            for change in mode_changes(*key)
        ],
        "seats": [
            {
                "seat": seat,
                "first_joined_at": presence.first_joined_at.isoformat(),
                "left_at": presence.left_at.isoformat() if presence.left_at else "",
            }
            for seat, presence in presences(*key).items()
        ],
    }


def _keep_apart(
    actor: Actor, consultation: Consultation, practitioner_id: uuid.UUID, by: Seat
) -> None:
    """Block the two for ever, and in the lines where the account waits now; close the records."""
    end_access(consultation.patient_state_id, consultation.patient_account_id, practitioner_id)
    Block.objects.bulk_create(
        [
            Block(
                state_id=consultation.patient_state_id,
                id=uuid7(),
                account_id=consultation.patient_account_id,
                practitioner_id=practitioner_id,
                by=by,
                consultation_state_id=consultation.state_id,
                consultation_id=consultation.id,
                made_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    references = (
        ConsultationReference.objects.filter(
            state_id=consultation.patient_state_id, account_id=consultation.patient_account_id
        )
        .order_by("-id")
        .values_list("consultation_state_id", "id")[:RECENT]
    )
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for state_id, found in references:
        ids_by_state.setdefault(state_id, []).append(found)
    for state_id, ids in ids_by_state.items():
        tokens = Consultation.objects.filter(state_id=state_id, id__in=ids, ended_at__isnull=True)
        queueing.keep_from(
            actor,
            state_id=state_id,
            token_ids=list(tokens.values_list("token_id", flat=True)),
            practitioner_ids=[practitioner_id],
        )


def _part(actor: Actor, consultation: Consultation, by: Seat) -> None:
    key: dict[str, Any] = {"state_id": consultation.state_id}
    if consultation.status == ConsultationStatus.IN_PROGRESS:
        interrupt(actor, consultation_id=consultation.id, **key)
    if by == Seat.GUEST:
        queueing.drop(actor, token_id=consultation.token_id, **key)
        wait_again(actor, consultation)
    else:
        queueing.finish(actor, token_id=consultation.token_id, **key)
        end_consultation(actor, consultation, ConsultationStatus.ABANDONED, reason=ENDED_BY_DOCTOR)


ENDED_BY_DOCTOR = "ended_by_doctor"
"""The reason of a consultation that a doctor broke off; the screens have the words."""


def reported_in(consultation: Consultation, before: datetime.datetime) -> uuid.UUID | None:
    """Return the doctor whom the patient's side had reported last before then, None for nobody."""
    return (
        ConductReport.objects.filter(
            state_id=consultation.state_id,
            consultation_id=consultation.id,
            by=Seat.GUEST,
            reported_at__lte=before,
        )
        .order_by("-reported_at")
        .values_list("practitioner_id", flat=True)
        .first()
    )
