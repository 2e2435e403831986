"""The verbs of the queue: issue, claim, answer, requeue, end.

Order of a line: (order_class, order_at, number). A claim takes the first eligible token in one
statement that skips rows under another doctor's claim, so that sixteen doctors pressing Next do
not wait for each other; only when everything left is under claim does it wait, so that nobody is
told "nobody waits" because of a claim that is then undone.
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F

from sanjeevani.directory.models import Line
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.queueing.errors import (
    AlreadyServing,
    AlreadyWaiting,
    CallExpired,
    LineFull,
    NobodyWaiting,
    WaitingRoomFull,
)
from sanjeevani.queueing.events import (
    TokenAnswered,
    TokenCalled,
    TokenEnded,
    TokenFact,
    TokenIssued,
    TokenRequeued,
)
from sanjeevani.queueing.models import Lease, LineDay, NearNotice, PriorityClass, Token
from sanjeevani.queueing.states import TOKEN_MOVES

ANSWER_SECONDS = 120
"""How long CALL NOW stays; the national service's figure."""

CALLS_BEFORE_EXPIRY = 2
"""A token not answered is called once more, then expires."""

REQUEUE_BEHIND = 2
"""After no answer the token waits behind this many others."""

NEAR = 3
"""So many patients at the head of a line are told that their turn is near."""

PREFERENCE_LIMIT = datetime.timedelta(minutes=30)
"""After this wait, language and gender preference no longer hold a patient back."""


@dataclass(frozen=True)
class Server:
    """What of a practitioner decides which tokens may be claimed."""

    practitioner_id: uuid.UUID
    languages: Sequence[str]
    gender: str


@verb("queueing.issue_token")
def issue_token(
    actor: Actor,
    *,
    state_id: int,
    line_id: uuid.UUID,
    places: int,
    waiting_places: int,
    subject_id: uuid.UUID,
    consultation_id: uuid.UUID,
    language: str,
    gender_preference: str = "",
    priority_class: PriorityClass = PriorityClass.ORDINARY,
    waiting_since: datetime.datetime | None = None,
    takes_place: bool = True,
    holds_place: bool | None = None,
) -> Token:
    """Give the next number of the line's day.

    `waiting_since` is kept from an earlier token on a redirect, which also `takes_place` = False:
    the patient already has a place with the service. `holds_place`, unless it follows from that:
    whether the place of an earlier token of the same line and day is now this one's. Raises
    LineFull, WaitingRoomFull, AlreadyWaiting.
    """
    now = clock.now()
    day = clock.today()
    number = _next_number(state_id, line_id, day, places if takes_place else None)
    if takes_place and _waiting_count(state_id, line_id) >= waiting_places:
        raise WaitingRoomFull
    since = waiting_since or now
    try:
        token = Token.objects.create(
            state_id=state_id,
            id=uuid7(),
            line_id=line_id,
            day=day,
            number=number,
            subject_id=subject_id,
            consultation_id=consultation_id,
            priority_class=priority_class,
            waiting_since=since,
            order_class=priority_class,
            order_at=since,
            language=language,
            gender_preference=gender_preference,
            holds_place=takes_place if holds_place is None else holds_place,
        )
    except IntegrityError as error:
        if "token_waits_once" in str(error):
            raise AlreadyWaiting from None
        raise
    concerns(token, patient_id=subject_id)
    publish(_fact(TokenIssued, token))
    return token


@verb("queueing.issue_if_place")
def issue_if_place(
    actor: Actor,
    *,
    line: Line,
    subject_id: uuid.UUID,
    consultation_id: uuid.UUID,
    language: str,
    priority_class: PriorityClass = PriorityClass.ORDINARY,
    waiting_since: datetime.datetime | None = None,
) -> Token | None:
    """Give a token of a line, or None when its places or its waiting room are full."""
    try:
        with transaction.atomic():
            return issue_token(
                actor,
                state_id=line.state_id,
                line_id=line.id,
                places=line.places_per_day,
                waiting_places=line.waiting_places,
                subject_id=subject_id,
                consultation_id=consultation_id,
                language=language,
                priority_class=priority_class,
                waiting_since=waiting_since,
            )
    except (LineFull, WaitingRoomFull):
        concerns(line, patient_id=subject_id)
        return None


def _next_number(state_id: int, line_id: uuid.UUID, day: datetime.date, places: int | None) -> int:
    """Take a place and a number. The row's lock makes numbers consecutive and places exact."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queueing_lineday AS line_day"
            " (state_id, id, line_id, day, issued, taken) VALUES (%s, %s, %s, %s, 1, %s)"
            " ON CONFLICT (state_id, line_id, day) DO UPDATE"
            " SET issued = line_day.issued + 1, taken = line_day.taken + EXCLUDED.taken"
            " WHERE line_day.taken < %s OR EXCLUDED.taken = 0"
            " RETURNING issued, taken",
            [state_id, uuid7(), line_id, day, 0 if places is None else 1, places or 0],
        )
        row = cursor.fetchone()
    if row is None or (places is not None and row[1] > places):
        raise LineFull
    number: int = row[0]
    return number


_waiting_in = Compiled(
    lambda: (
        Token.objects.filter(state_id=given("state_id"), line_id=given("line_id"), status="waiting")
        .values("line_id")
        .annotate(waiting=Count("*"))
        .order_by()
        .values_list("waiting")
    )
)


def _waiting_count(state_id: int, line_id: uuid.UUID) -> int:
    row = _waiting_in.first(state_id=state_id, line_id=line_id)
    return row[0] if row else 0


@verb("queueing.take_lease")
def take_lease(actor: Actor, *, practitioner_id: uuid.UUID) -> Lease:
    """Reserve the practitioner before any claim. Raises AlreadyServing.

    A second Next of the same doctor waits here for the first, then is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queueing_lease (practitioner_id, taken_at) VALUES (%s, %s)"
            " ON CONFLICT (practitioner_id) DO NOTHING",
            [practitioner_id, clock.now()],
        )
        if cursor.rowcount == 0:
            raise AlreadyServing
    lease = Lease(practitioner_id=practitioner_id)
    concerns(lease)
    return lease


@verb("queueing.free_lease")
def free_lease(actor: Actor, *, practitioner_id: uuid.UUID) -> None:
    """Give a lease back that led to no claim: it kept the practitioner from calling meanwhile."""
    Lease.objects.filter(practitioner_id=practitioner_id, token_id__isnull=True).delete()
    concerns(Lease(practitioner_id=practitioner_id))


@verb("queueing.claim_next")
def claim_next(actor: Actor, *, server: Server, lines: Sequence[tuple[int, uuid.UUID]]) -> Token:
    """Claim the first eligible token of the first of `lines` (in dispatch order) that has one.

    `lines` are (state_id, line_id). The lease must be held. Raises NobodyWaiting.
    """
    for skip_locked in (True, False):
        for state_id, line_id in lines:
            token = _claim_in(state_id, line_id, server, skip_locked=skip_locked)
            if token is not None:
                Lease.objects.filter(practitioner_id=server.practitioner_id).update(
                    token_state_id=token.state_id, token_id=token.id
                )
                concerns(token, patient_id=token.subject_id)
                publish(_fact(TokenCalled, token))
                return token
    raise NobodyWaiting


ELIGIBLE = (
    " NOT (%(practitioner)s = ANY(not_for))"
    " AND (language = ANY(%(languages)s) OR waiting_since < %(patience)s)"
    " AND (gender_preference IN ('', %(gender)s) OR waiting_since < %(patience)s)"
)
"""Which waiting tokens a server may claim; shared with the reads of line heads."""


def eligibility(server: Server) -> dict[str, Any]:
    """The parameters of `ELIGIBLE` for a server, now."""
    return {
        "practitioner": server.practitioner_id,
        "languages": list(server.languages),
        "gender": server.gender,
        "patience": clock.now() - PREFERENCE_LIMIT,
    }


_TOKEN_COLUMNS = [field.attname for field in Token._meta.local_concrete_fields]


def _claim_in(
    state_id: int, line_id: uuid.UUID, server: Server, *, skip_locked: bool
) -> Token | None:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE queueing_token"  # noqa: S608 - put together from our own constants
            " SET status = 'called', practitioner_id = %(practitioner)s,"
            " called_at = %(now)s, deadline_at = %(deadline)s, calls = calls + 1"
            " WHERE state_id = %(state)s AND id = ("
            "  SELECT id FROM queueing_token"
            "  WHERE state_id = %(state)s AND line_id = %(line)s AND status = 'waiting' AND"
            + ELIGIBLE
            + " ORDER BY order_class, order_at, number LIMIT 1 FOR NO KEY UPDATE"
            + (" SKIP LOCKED" if skip_locked else "")
            + f") RETURNING {', '.join(_TOKEN_COLUMNS)}",
            {
                **eligibility(server),
                "state": state_id,
                "line": line_id,
                "now": now,
                "deadline": now + datetime.timedelta(seconds=ANSWER_SECONDS),
            },
        )
        row = cursor.fetchone()
    return Token.from_db("default", _TOKEN_COLUMNS, row) if row else None


@verb("queueing.answer")
def answer(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """The patient answers the call within its deadline. Raises CallExpired."""
    now = clock.now()
    answered = Token.objects.filter(
        state_id=state_id, id=token_id, status="called", deadline_at__gte=now
    ).update(status="serving", deadline_at=None, served_from=now)
    if not answered:
        raise CallExpired
    token = _token.first(state_id=state_id, id=token_id)
    assert token is not None
    concerns(token, patient_id=token.subject_id)
    publish(_fact(TokenAnswered, token))
    return token


@verb("queueing.not_answered")
def not_answered(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """The deadline passed without an answer: wait behind the next two, or expire at last.

    Frees the practitioner. Raises Stale when the patient was faster, or another call runs by now.
    """
    token = _locked(state_id, token_id)
    if token.status != "called" or token.deadline_at is None or token.deadline_at >= clock.now():
        raise Stale
    if token.calls >= CALLS_BEFORE_EXPIRY:
        return _end(token, "expired")
    return _requeue(token, *_place_behind_others(token))


@verb("queueing.hand_back")
def hand_back(
    actor: Actor, *, state_id: int, token_id: uuid.UUID, practitioner_id: uuid.UUID
) -> Token:
    """The doctor rejects the call: the token is at the head again, for another doctor.

    Raises Stale when the call is over, or somebody else's by now.
    """
    token = _locked(state_id, token_id)
    if token.status != "called" or token.practitioner_id != practitioner_id:
        raise Stale
    token.not_for = [*token.not_for, practitioner_id]
    token.calls = max(0, token.calls - 1)
    return _requeue(token, token.priority_class, token.waiting_since)


@verb("queueing.keep_from")
def keep_from(
    actor: Actor,
    *,
    state_id: int,
    token_ids: Sequence[uuid.UUID],
    practitioner_ids: Sequence[uuid.UUID],
) -> None:
    """Let these practitioners not claim these tokens, as long as they live."""
    tokens = Token.objects.select_for_update().filter(
        state_id=state_id,
        id__in=token_ids,
        status__in=["waiting", "called", "serving"],
    )
    for token in tokens.order_by("id"):
        more = [one for one in practitioner_ids if one not in token.not_for]
        if more:
            Token.objects.filter(state_id=state_id, id=token.id).update(
                not_for=[*token.not_for, *more]
            )
        concerns(token, patient_id=token.subject_id)


@verb("queueing.drop")
def drop(actor: Actor, *, state_id: int, token_id: uuid.UUID, overdue: bool = False) -> Token:
    """A patient who was being served is lost: back to the head, with the whole waiting time.

    `overdue`: only if the grace is over. Raises Stale when it was given anew meanwhile.
    """
    token = _locked(state_id, token_id)
    if token.status != "serving":
        raise Stale
    if overdue and (token.deadline_at is None or token.deadline_at >= clock.now()):
        raise Stale
    token.calls = max(0, token.calls - 1)
    return _requeue(token, token.priority_class, token.waiting_since)


@verb("queueing.finish")
def finish(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """The consultation is done; the practitioner is free."""
    return _end(_locked(state_id, token_id), "served")


@verb("queueing.cancel")
def cancel(actor: Actor, *, state_id: int, token_id: uuid.UUID, keeps_place: bool = False) -> Token:
    """The patient gives the token back while waiting; its place is free again.

    `keeps_place`: the patient is expected to ask again today. Raises Stale once it is called.
    """
    token = Token.objects.get(state_id=state_id, id=token_id)
    # The day first, then the token: in the order in which a request of the same patient locks them.
    if not keeps_place:
        _free_place(token)
    return _end(_locked(state_id, token_id), "cancelled")


@verb("queueing.free_place")
def free_place(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> None:
    """The patient does not ask again: the place kept by `cancel` is free."""
    token = Token.objects.get(state_id=state_id, id=token_id)
    _free_place(token)
    concerns(token, patient_id=token.subject_id)


def _free_place(token: Token) -> None:
    if token.holds_place:
        LineDay.objects.filter(
            state_id=token.state_id, line_id=token.line_id, day=token.day, taken__gt=0
        ).update(taken=F("taken") - 1)


@verb("queueing.leave_for_another_line")
def leave_for_another_line(
    actor: Actor, *, state_id: int, token_id: uuid.UUID, waiting: bool
) -> Token:
    """Give the token up for one in another line; the caller issues that with the waiting time.

    `waiting`: whether it leaves the line, or the doctor who has called it. Raises Stale when it is
    where the caller does not think it is.
    """
    token = _locked(state_id, token_id)
    if (token.status == "waiting") is not waiting:
        raise Stale
    return _end(token, "redirected")


@verb("queueing.close_for_today")
def close_for_today(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """The line closes while the token waits. Raises Stale when somebody called it meanwhile."""
    token = _locked(state_id, token_id)
    if token.status != "waiting":
        raise Stale
    return _end(token, "expired")


@verb("queueing.ring_again")
def ring_again(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """The doctor lets the call ring for another 120 seconds, once. Raises Stale."""
    token = _locked(state_id, token_id)
    answer_time = datetime.timedelta(seconds=ANSWER_SECONDS)
    if (
        token.status != "called"
        or token.called_at is None
        or token.deadline_at is None
        or token.deadline_at > token.called_at + answer_time
    ):
        raise Stale
    token.deadline_at = clock.now() + answer_time
    Token.objects.filter(state_id=state_id, id=token_id).update(deadline_at=token.deadline_at)
    concerns(token, patient_id=token.subject_id)
    publish(_fact(TokenCalled, token))
    return token


@verb("queueing.set_grace")
def set_grace(
    actor: Actor, *, state_id: int, token_id: uuid.UUID, until: datetime.datetime | None
) -> Token:
    """Give a lost patient until then to come back; None when they are back. Raises Stale."""
    kept = Token.objects.filter(state_id=state_id, id=token_id, status="serving").update(
        deadline_at=until
    )
    if not kept:
        raise Stale
    token = Token.objects.get(state_id=state_id, id=token_id)
    concerns(token, patient_id=token.subject_id)
    return token


@verb("queueing.tell_near")
def tell_near(actor: Actor, *, state_id: int, line_id: uuid.UUID) -> list[Token]:
    """Note that the next few who wait are told of their turn; return those not told before.

    A note of its own, because a mark on the token would lock it: see `Token`.
    """
    near = list(
        Token.objects.filter(state_id=state_id, line_id=line_id, status="waiting").order_by(
            "order_class", "order_at", "number"
        )[:NEAR]
    )
    told = set(
        NearNotice.objects.filter(
            state_id=state_id, token_id__in=[token.id for token in near]
        ).values_list("token_id", flat=True)
    )
    newly = [token for token in near if token.id not in told]
    NearNotice.objects.bulk_create(
        NearNotice(state_id=state_id, id=uuid7(), token_id=token.id, told_at=clock.now())
        for token in newly
    )
    concerns(Line(state_id=state_id, id=line_id))
    return newly


@verb("queueing.note_unattended")
def note_unattended(
    actor: Actor, *, state_id: int, line_id: uuid.UUID, since: datetime.datetime | None
) -> None:
    """Note since when nobody serves a line in which somebody waits; None: it is served again.

    It is noted on the line's day, which has begun although nobody asked there today.
    """
    LineDay.objects.update_or_create(
        state_id=state_id,
        line_id=line_id,
        day=clock.today(),
        defaults={"unattended_since": since},
        create_defaults={"id": uuid7(), "unattended_since": since},
    )
    concerns(Line(state_id=state_id, id=line_id))


_token = Compiled(lambda: Token.objects.filter(state_id=given("state_id"), id=given("id")))
_token_locked = Compiled(
    lambda: Token.objects.select_for_update(no_key=True).filter(
        state_id=given("state_id"), id=given("id")
    )
)


def _locked(state_id: int, token_id: uuid.UUID) -> Token:
    token = _token_locked.first(state_id=state_id, id=token_id)
    if token is None:
        raise Token.DoesNotExist
    return token


def hold(state_id: int, token_id: uuid.UUID) -> None:
    """Let whatever else would change a called or served token wait until the verb is done.

    For verbs that come to the token late. All lock in one order, or two would wait for each other:
    the line's day, the token, then the room and the consultation that it stands for.
    """
    _locked(state_id, token_id)


def _end(token: Token, status: str) -> Token:
    practitioner_id = token.practitioner_id
    move(
        Token,
        TOKEN_MOVES,
        state_id=token.state_id,
        id=token.id,
        to=status,
        ended_at=clock.now(),
        deadline_at=None,
    )
    token.status = status
    _release(practitioner_id)
    concerns(token, patient_id=token.subject_id)
    publish(_fact(TokenEnded, token))
    return token


def _requeue(token: Token, order_class: int, order_at: datetime.datetime) -> Token:
    practitioner_id = token.practitioner_id
    move(
        Token,
        TOKEN_MOVES,
        state_id=token.state_id,
        id=token.id,
        to="waiting",
        practitioner_id=None,
        deadline_at=None,
        order_class=order_class,
        order_at=order_at,
        not_for=token.not_for,
        calls=token.calls,
    )
    token.status = "waiting"
    _release(practitioner_id)
    concerns(token, patient_id=token.subject_id)
    publish(_fact(TokenRequeued, token))
    return token


def _place_behind_others(token: Token) -> tuple[int, datetime.datetime]:
    """The place just behind the next `REQUEUE_BEHIND` who wait, or behind the last."""
    ahead = list(
        Token.objects.filter(state_id=token.state_id, line_id=token.line_id, status="waiting")
        .order_by("order_class", "order_at", "number")
        .values_list("order_class", "order_at")[:REQUEUE_BEHIND]
    )
    if not ahead:
        return token.order_class, token.order_at
    order_class, order_at = max(ahead[-1], (token.order_class, token.order_at))
    return order_class, order_at + datetime.timedelta(microseconds=1)


def _release(practitioner_id: uuid.UUID | None) -> None:
    if practitioner_id is not None:
        Lease.objects.filter(practitioner_id=practitioner_id).delete()


def _fact(kind: type[TokenFact], token: Token) -> TokenFact:
    return kind(
        state_id=token.state_id,
        line_id=token.line_id,
        token_id=token.id,
        consultation_id=token.consultation_id,
        number=token.number,
    )
