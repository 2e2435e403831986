"""Reads of consultations, each scoped to what the actor may see."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from sanjeevani.calls.models import Message, Seat
from sanjeevani.calls.queries import last_messages
from sanjeevani.consultation.models import (
    LIVE,
    Ask,
    AskStatus,
    Block,
    Consultation,
    ConsultationReference,
    ConsultationStatus,
    Diagnosis,
    Feedback,
    Link,
    Note,
    Outcome,
)
from sanjeevani.consultation.permissions import is_patients_side
from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import everywhere
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given, given_any
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import (
    may_read,
    read_because_of,
    records_of_person,
    same_person,
)
from sanjeevani.queueing.models import Token
from sanjeevani.queueing.queries import live_token_of

FOLLOW_UP_PERIOD = datetime.timedelta(days=183)
"""Six months after the previous consultation (guidelines of 2020, wording unconfirmed)."""

CAME_IN = (AskStatus.PRESENT, AskStatus.LEFT, AskStatus.OBJECTED)
"""Asks of a colleague who was there, or to whom the patient objected."""

_consultation = Compiled(
    lambda: Consultation.objects.select_related("token", "room").filter(
        state_id=given("state_id"), id=given("consultation_id")
    )
)


def own_consultation(actor: Actor, state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation of the actor's side, with its token. Raises NotFound.

    What a spoke has asked is in the hands of its staff; the account of the patient reads it once it
    is over.
    """
    consultation = _consultation.first(state_id=state_id, consultation_id=consultation_id)
    if consultation is None:
        raise NotFound
    own_account = (
        actor.kind == ActorKind.PERSON and actor.account_id == consultation.patient_account_id
    )
    if is_patients_side(actor, consultation) or (own_account and consultation.status not in LIVE):
        return consultation
    raise NotFound


def told_about(state_id: int, consultation_id: uuid.UUID) -> Consultation:
    """Return a consultation for the messages about it, which say nothing of what was said in it.

    Raises NotFound.
    """
    consultation = _consultation.first(state_id=state_id, consultation_id=consultation_id)
    if consultation is None:
        raise NotFound
    return consultation


def of_room(state_id: int, room_id: uuid.UUID) -> Consultation | None:
    """Return the consultation of a room; the caller knows why it may see it."""
    return (
        Consultation.objects.select_related("room")
        .filter(state_id=state_id, room_id=room_id)
        .first()
    )


def own_consultations(
    actor: Actor,
    limit: int = 50,
    *,
    before: uuid.UUID | None = None,
    patient: Patient | None = None,
    live: bool = False,
) -> list[Consultation]:
    """Return the consultations of the actor's side, newest first, wherever they were held.

    That is: of the account, or what the actor's spoke has asked.

    `before`: only those older than this one, to go on where a list ended; `patient`: only those of
    one person in care; `live`: of the newest `limit` only those that are not over.
    """
    references = ConsultationReference.objects.filter(state_id=actor.state_id)
    if actor.spoke_id is not None:
        references = references.filter(spoke_id=actor.spoke_id)
    elif actor.kind == ActorKind.PERSON and actor.account_id is not None:
        references = references.filter(account_id=actor.account_id)
    else:
        return []
    if before is not None:
        references = references.filter(id__lt=before)
    if patient is not None:
        references = references.filter(
            patient_id__in=records_of_person(patient.state_id, patient.id)
        )
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for consultation_id, state_id in references.order_by("-id").values_list(
        "id", "consultation_state_id"
    )[:limit]:
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    wanted = Q(status__in=LIVE) if live else Q()
    found = [
        consultation
        for state_id, ids in ids_by_state.items()
        for consultation in Consultation.objects.select_related("token").filter(
            wanted, state_id=state_id, id__in=ids
        )
    ]
    return sorted(found, key=lambda consultation: consultation.id, reverse=True)


_live_at_spoke = Compiled(
    lambda: (
        Consultation.objects.select_related("token", "room")
        .filter(
            state_id=given_any("state_ids"),
            spoke_id=given("spoke_id"),
            status__in=LIVE,
        )
        .order_by("-id")
    )
)


def live_at_spoke(actor: Actor) -> list[Consultation]:
    """Return what the actor's spoke has asked and is not over, newest first, however old.

    What was returned with a question waits without an end, in whichever state was asked.
    """
    if actor.spoke_id is None:
        return []
    return _live_at_spoke.all(state_ids=everywhere(), spoke_id=actor.spoke_id)


def successor_of(consultation: Consultation) -> tuple[int, uuid.UUID] | None:
    """Return (state_id, consultation_id) of the newest consultation that followed this one."""
    return (
        ConsultationReference.objects.filter(
            state_id=consultation.patient_state_id,
            patient_id=consultation.patient_id,
            follows_id=consultation.id,
        )
        .order_by("-id")
        .values_list("consultation_state_id", "id")
        .first()
    )


def referred_to(consultation: Consultation) -> tuple[int, uuid.UUID] | None:
    """Return (state_id, consultation_id) in which a patient who was referred up at a spoke waits
    for the specialist."""
    if consultation.outcome != Outcome.REFERRED_UP or consultation.spoke_id is None:
        return None
    return successor_of(consultation)


def followed_by(consultation: Consultation) -> Consultation | None:
    """Return the consultation that this one goes on from; the caller has read this one."""
    if consultation.follows_id is None or consultation.follows_state_id is None:
        return None
    return Consultation.objects.filter(
        state_id=consultation.follows_state_id, id=consultation.follows_id
    ).first()


Key = TypeVar("Key")


def came_from(consultations: Mapping[Key, Consultation]) -> dict[Key, Consultation]:
    """Return the consultations that some were sent on from, in whichever state; others left out."""
    sent_on = {key: one for key, one in consultations.items() if one.link == Link.REDIRECTED}
    ids_by_state: dict[int, set[uuid.UUID]] = defaultdict(set)
    for one in sent_on.values():
        if one.follows_state_id is not None and one.follows_id is not None:
            ids_by_state[one.follows_state_id].add(one.follows_id)
    before = {
        one.id: one
        for state_id, ids in sorted(ids_by_state.items())
        for one in Consultation.objects.filter(state_id=state_id, id__in=ids)
    }
    return {key: before[one.follows_id] for key, one in sent_on.items() if one.follows_id in before}


def held_by(
    practitioner_ids: Collection[uuid.UUID], consultations: Iterable[Consultation]
) -> set[uuid.UUID]:
    """Return the ids of those consultations in which one of the practitioners took part.

    That is who had the patient last, who called or held it before and gave it up or lost it, who
    came in as a colleague, and who sent the patient on to it.
    """
    found: set[uuid.UUID] = set()
    walk = {one.id: one for one in consultations}
    while walk:
        homes: dict[int, set[uuid.UUID]] = defaultdict(set)
        hosts: dict[int, set[uuid.UUID]] = defaultdict(set)
        for one in walk.values():
            homes[one.patient_state_id].add(one.id)
            hosts[one.state_id].add(one.id)
        own = {one.id for one in walk.values() if one.practitioner_id in practitioner_ids}
        for state_id, ids in sorted(homes.items()):
            own |= read_because_of(practitioner_ids, state_id, ids)
        for state_id, ids in sorted(hosts.items()):
            own |= set(
                Ask.objects.filter(
                    state_id=state_id,
                    consultation_id__in=ids,
                    colleague_id__in=practitioner_ids,
                    status__in=CAME_IN,
                ).values_list("consultation_id", flat=True)
            )
        found |= {key for key, one in walk.items() if one.id in own}
        walk = came_from(walk)
    return found


def follow_ups_possible(patient: Patient, limit: int = 20) -> list[Consultation]:
    """Return the newest completed consultation with each practitioner, while a follow-up counts.

    The caller has read the patient through a query of the registry.
    """
    oldest = clock.now() - FOLLOW_UP_PERIOD
    references = (
        ConsultationReference.objects.filter(
            state_id=patient.state_id,
            patient_id__in=records_of_person(patient.state_id, patient.id),
        )
        .order_by("-id")
        .values_list("id", "consultation_state_id")[:limit]
    )
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for consultation_id, state_id in references:
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    held = [
        consultation
        for state_id, ids in ids_by_state.items()
        for consultation in Consultation.objects.filter(
            state_id=state_id,
            id__in=ids,
            status=ConsultationStatus.COMPLETED,
            practitioner_id__isnull=False,
            ended_at__gt=oldest,
        )
    ]
    blocked = Block.objects.filter(
        state_id=patient.state_id, account_id=patient.account_id
    ).values_list("practitioner_id", flat=True)
    apart = set(blocked) if held else set()
    held = [one for one in held if one.practitioner_id not in apart]
    newest: dict[uuid.UUID | None, Consultation] = {}
    for consultation in sorted(held, key=lambda one: one.id, reverse=True):
        newest.setdefault(consultation.practitioner_id, consultation)
    return list(newest.values())


def for_practitioner(
    actor: Actor, practitioner: Practitioner, state_id: int, consultation_id: uuid.UUID
) -> Consultation:
    """Return a consultation that the practitioner may read, and audit the reading.

    That is one of theirs, or one of a patient whom a consultation lets them read. Raises NotFound.
    """
    consultation = _consultation.first(state_id=state_id, consultation_id=consultation_id)
    if consultation is None or practitioner.account_id != actor.account_id:
        raise NotFound
    if not may_read_consultation(practitioner, consultation):
        raise NotFound
    write_audit(
        actor, "consultation.read", concern_of(consultation, patient_id=consultation.patient_id)
    )
    return consultation


def may_read_consultation(practitioner: Practitioner, consultation: Consultation) -> bool:
    """Tell whether a consultation is the practitioner's, or of a patient whom they may read."""
    return consultation.practitioner_id == practitioner.id or may_read(
        practitioner.id,
        patient_state_id=consultation.patient_state_id,
        patient_id=consultation.patient_id,
    )


_consultation_of_token = Compiled(
    lambda: Token.objects.filter(state_id=given("state_id"), id=given("token_id")).values_list(
        "consultation_id"
    )
)


def live_consultation_of(practitioner: Practitioner) -> tuple[int, uuid.UUID] | None:
    """Return (state_id, consultation_id) of the practitioner's live consultation."""
    live = live_token_of(practitioner.id)
    if live is None:
        return None
    state_id, token_id = live
    row = _consultation_of_token.first(state_id=state_id, token_id=token_id)
    return (state_id, row[0]) if row else None


def topics_of(consultation: Consultation) -> dict[str, str]:
    """Return what the screens of a consultation listen to: itself, its room, chat and papers."""
    return {
        f"consultation.{consultation.id}": "",
        f"room.{consultation.room_id}": "",
        f"chat.{consultation.room_id}": "",
        f"papers.{consultation.id}": "",
    }


EARLIER = 10
"""How many earlier consultations stand beside one."""

_earlier_references = Compiled(
    lambda: (
        ConsultationReference.objects.filter(
            state_id=given("state_id"),
            patient_id__in=same_person(given("state_id"), given("patient_id")),
            id__lt=given("before"),
        )
        .order_by("-id")
        .values_list("id", "consultation_state_id")[:EARLIER]
    )
)
_completed = Compiled(
    lambda: Consultation.objects.filter(
        state_id=given("state_id"), id=given_any("ids"), status=ConsultationStatus.COMPLETED
    )
)


def earlier_consultations(
    practitioner_id: uuid.UUID, consultation: Consultation
) -> list[Consultation]:
    """Return the patient's earlier completed consultations, newest first, if they may be read."""
    person = {"state_id": consultation.patient_state_id, "patient_id": consultation.patient_id}
    references = _earlier_references.all(before=consultation.id, **person)
    if not references or not may_read(
        practitioner_id,
        patient_state_id=consultation.patient_state_id,
        patient_id=consultation.patient_id,
    ):
        return []
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for consultation_id, state_id in references:
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    found = [
        earlier
        for state_id, ids in ids_by_state.items()
        for earlier in _completed.all(state_id=state_id, ids=ids)
    ]
    return sorted(found, key=lambda earlier: earlier.id, reverse=True)


@dataclass(frozen=True)
class Writing:
    """What the doctor wrote in a consultation."""

    note: Note | None
    diagnoses: list[Diagnosis]


_note = Compiled(
    lambda: Note.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    )
)
_diagnoses = Compiled(
    lambda: Diagnosis.objects.filter(
        state_id=given("state_id"), consultation_id=given_any("consultation_ids")
    ).order_by("id")
)


def diagnoses_in(
    state_id: int, consultation_ids: list[uuid.UUID]
) -> dict[uuid.UUID, list[Diagnosis]]:
    """Return the diagnoses by consultation; the caller has read these through a query here."""
    found: dict[uuid.UUID, list[Diagnosis]] = {}
    for one in _diagnoses.all(state_id=state_id, consultation_ids=consultation_ids):
        found.setdefault(one.consultation_id, []).append(one)
    return found


_allergies_heard = Compiled(
    lambda: (
        Note.objects.filter(
            state_id=given("state_id"), consultation_id=given_any("consultation_ids")
        )
        .exclude(allergies="")
        .values_list("consultation_id", "allergies")
    )
)


def allergies_heard(state_id: int, consultation_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return what doctors wrote of allergies by consultation, where they did; the caller has read
    these through a query here."""
    return dict(_allergies_heard.all(state_id=state_id, consultation_ids=consultation_ids))


def writing_of(consultation: Consultation) -> Writing:
    """Return the note and diagnoses; the caller has read the consultation through a query here."""
    state_id, consultation_id = consultation.state_id, consultation.id
    return Writing(
        _note.first(state_id=state_id, consultation_id=consultation_id),
        diagnoses_in(state_id, [consultation_id]).get(consultation_id, []),
    )


@dataclass(frozen=True)
class SentOn:
    """A consultation from which a patient was sent on, and what its doctor had written."""

    consultation: Consultation
    writing: Writing


MOST_SENT_ON = 5
"""So many consultations are looked back to, of a patient who was sent on again and again."""


def written_on_the_way(
    actor: Actor, practitioner: Practitioner, consultation: Consultation
) -> list[SentOn]:
    """Return what was written where a patient was sent on from, newest first; audit the reading.

    Who sends a patient on with a redirect completes nothing: without this the next doctor would
    begin from nothing. The caller has read the consultation through a query here.
    """
    found: list[SentOn] = []
    one = consultation
    for _hop in range(MOST_SENT_ON):
        before = followed_by(one) if one.link in (Link.REDIRECTED, Link.REFERRED) else None
        if before is None or not may_read_consultation(practitioner, before):
            break
        one, writing = before, writing_of(before)
        if _is_written(writing):
            write_audit(
                actor, "consultation.read", concern_of(before, patient_id=before.patient_id)
            )
            found.append(SentOn(before, writing))
    return found


def _is_written(writing: Writing) -> bool:
    """Tell whether there is anything to read: a note is kept empty, too."""
    note = writing.note
    texts = (
        [
            note.history,
            note.allergies,
            note.medicines,
            note.findings,
            note.investigations,
            note.advice,
            note.come_back,
            note.height_cm,
            note.weight_kg,
            note.last_menstrual_period,
        ]
        if note
        else []
    )
    return any(texts) or bool(writing.diagnoses)


_feedback = Compiled(
    lambda: Feedback.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    )
)


def feedback_of(consultation: Consultation) -> Feedback | None:
    """Return the patient's feedback, if given."""
    return _feedback.first(state_id=consultation.state_id, consultation_id=consultation.id)


def left_in_silence(before: datetime.datetime, limit: int = 200) -> list[tuple[int, uuid.UUID]]:
    """Return (state_id, consultation_id) of those held with a patient whose doctor was not seen
    since, neither in a signed-in browser or app nor in the call. Not by phone, not in writing.

    Over all states, for the background, inside `across_states`.
    """
    with connection.cursor() as cursor:
        # Both statuses, as the index of those with a doctor has them: it is the one that is read.
        cursor.execute(
            "SELECT held.state_id, held.id FROM queueing_token AS token"
            " JOIN consultation_consultation AS held ON held.state_id = token.state_id"
            "  AND held.id = token.consultation_id AND held.status = 'in_progress'"
            "  AND held.due_at IS NULL"
            " JOIN calls_room AS room ON room.state_id = held.state_id AND room.id = held.room_id"
            "  AND room.mode <> 'phone'"
            " WHERE token.status IN ('called', 'serving') AND token.status = 'serving'"
            " AND token.served_from < %(before)s"
            " AND NOT EXISTS (SELECT FROM calls_presence AS seat"
            "  WHERE seat.state_id = room.state_id AND seat.room_id = room.id"
            "  AND seat.seat = 'host' AND seat.joined_at >= token.called_at"
            "  AND seat.left_at IS NULL)"
            " AND NOT EXISTS (SELECT FROM identity_session AS session"
            "  WHERE session.account_id = room.host_account_id"
            "  AND session.last_seen_at >= %(before)s)"
            " ORDER BY token.served_from LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )
        return list(cursor.fetchall())


RECENT_WORK = 300
"""How many consultations of a state a doctor's page of the day looks at."""


@dataclass(frozen=True)
class Held:
    """A consultation that a practitioner held or holds, with what the patient thought of it.

    `answer_by`: the patient wrote last, after it ended, and can be answered until then.
    """

    consultation: Consultation
    feedback: Feedback | None
    answer_by: datetime.datetime | None


def recent_work_of(
    actor: Actor, practitioner: Practitioner, state_ids: Iterable[int]
) -> list[Held]:
    """Return the practitioner's consultations of the last days, newest first; audit the reading.

    `state_ids` are the tenants of the lines served; see `_where_worked`.
    """
    if practitioner.account_id != actor.account_id:
        raise NotFound
    found: list[Held] = []
    now = clock.now()
    for state_id in _where_worked(practitioner, state_ids):
        rows = list(
            Consultation.objects.select_related("room")
            .filter(state_id=state_id, practitioner_id=practitioner.id)
            .order_by("-id")[:RECENT_WORK]
        )
        feedback = {
            given.consultation_id: given
            for given in Feedback.objects.filter(
                state_id=state_id, consultation_id__in=[row.id for row in rows]
            )
        }
        written = last_messages(state_id, [row.room_id for row in rows])
        for row in rows:
            until = row.room.questions_until
            asks = _asks(row.ended_at, written.get(row.room_id))
            answer_by = until if asks and until is not None and until > now else None
            found.append(Held(row, feedback.get(row.id), answer_by))
    write_audit(actor, "consultation.read_work", concern_of(practitioner))
    return sorted(found, key=lambda held: held.consultation.id, reverse=True)


def _where_worked(practitioner: Practitioner, state_ids: Iterable[int]) -> list[int]:
    """Return the tenants to look in for what a practitioner has done.

    Of the lines served, and the practitioner's own: who was taken off its lines today has patients
    there who were promised answers.
    """
    return sorted({practitioner.state_id, *state_ids})


def _unanswered() -> QuerySet[Message]:
    """Return what a patient wrote after the end, with nothing by another after it."""
    later = Message.objects.filter(
        state_id=OuterRef("state_id"), room_id=OuterRef("room_id"), id__gt=OuterRef("id")
    ).exclude(seat=Seat.GUEST)
    return Message.objects.filter(
        ~Exists(later),
        state_id=OuterRef("state_id"),
        room_id=OuterRef("room_id"),
        seat=Seat.GUEST,
        sent_at__gt=OuterRef("ended_at"),
    )


_asking = Compiled(
    lambda: Consultation.objects.filter(
        Exists(_unanswered()),
        state_id=given("state_id"),
        practitioner_id=given("practitioner_id"),
        status=ConsultationStatus.COMPLETED,
        # By the rooms that are open for questions: a doctor's consultations are ever more.
        room__host_account_id=given("account_id"),
        room__questions_until__gt=given("now"),
    ).values_list("id")
)


def questions_waiting(practitioner: Practitioner, state_ids: Iterable[int]) -> int:
    """Count the consultations in which a patient has asked, in time, and nobody has answered."""
    return len(_with_questions(practitioner, state_ids))


def consultations_with_questions(
    actor: Actor,
    practitioner: Practitioner,
    state_ids: Iterable[int],
    limit: int,
    *,
    before: uuid.UUID | None = None,
) -> list[Consultation]:
    """Return what `questions_waiting` counts, newest first; audit the reading.

    `before`: only those older than this one, to go on where a list ended.
    """
    if practitioner.account_id != actor.account_id:
        raise NotFound
    waiting = [
        (consultation_id, state_id)
        for consultation_id, state_id in _with_questions(practitioner, state_ids)
        if before is None or consultation_id < before
    ]
    ids_by_state: dict[int, list[uuid.UUID]] = {}
    for consultation_id, state_id in sorted(waiting, reverse=True)[:limit]:
        ids_by_state.setdefault(state_id, []).append(consultation_id)
    found = [
        consultation
        for state_id, ids in ids_by_state.items()
        for consultation in Consultation.objects.select_related("room").filter(
            state_id=state_id, id__in=ids
        )
    ]
    write_audit(actor, "consultation.read_work", concern_of(practitioner))
    return sorted(found, key=lambda consultation: consultation.id, reverse=True)


def _with_questions(
    practitioner: Practitioner, state_ids: Iterable[int]
) -> list[tuple[uuid.UUID, int]]:
    """Return (consultation_id, state_id) where a patient has asked in time, still unanswered."""
    return [
        (consultation_id, state_id)
        for state_id in _where_worked(practitioner, state_ids)
        for (consultation_id,) in _asking.all(
            state_id=state_id,
            practitioner_id=practitioner.id,
            account_id=practitioner.account_id,
            now=clock.now(),
        )
    ]


def went_unanswered(consultation: Consultation) -> bool:
    """Tell whether the days for questions ended with a question of the patient.

    The caller has read the consultation, with its room, through a query here.
    """
    until = consultation.room.questions_until
    if consultation.status != ConsultationStatus.COMPLETED or until is None or clock.now() <= until:
        return False
    written = last_messages(consultation.state_id, [consultation.room_id])
    return _asks(consultation.ended_at, written.get(consultation.room_id))


def _asks(ended_at: datetime.datetime | None, written: Message | None) -> bool:
    return (
        written is not None
        and written.seat == Seat.GUEST
        and ended_at is not None
        and written.sent_at > ended_at
    )
