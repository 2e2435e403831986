"""The relay: gives facts their order once they are visible, and hands them to listeners.

A fact's id is made before its transaction commits, so ids do not tell the order in which facts
become visible; a listener that remembered the last id could miss one. The single relay therefore
numbers facts after they are visible, and listeners remember a number.
"""

import datetime
import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from sanjeevani.foundation import clock
from sanjeevani.foundation.problems import DATABASE_AWAY
from sanjeevani.foundation.sharding import across_states

logger = logging.getLogger(__name__)

BATCH = 500
KEPT_FOR = datetime.timedelta(days=30)
FORGOTTEN_AT_ONCE = 10_000

LOCK_UNLESS_LOCKED = (
    "SELECT position FROM foundation_listenercursor WHERE listener = %s FOR UPDATE SKIP LOCKED"
)


@dataclass(frozen=True)
class StoredFact:
    """A fact as a listener reads it."""

    position: int
    state_id: int
    id: uuid.UUID
    kind: str
    payload: dict[str, Any]
    topics: list[str]
    cause: uuid.UUID | None = None
    """The audit row of the verb that published it."""


Listener = Callable[[Sequence[StoredFact]], None]


@dataclass
class _Listening:
    kinds: frozenset[str]
    listener: Listener
    every: float
    due: float = 0


_listeners: dict[str, _Listening] = {}


def listen(name: str, kinds: frozenset[str], listener: Listener, *, every: float = 0) -> None:
    """Register a listener for some kinds of facts.

    It is called with facts in order, inside a transaction that also moves its cursor. A fact may
    come twice after a crash of a side effect outside the database: it must do no harm. `every`:
    it is enough to call it once in so many seconds, with all that came.
    """
    _listeners[name] = _Listening(kinds, listener, every)


def number_facts() -> list[StoredFact]:
    """Number the visible unnumbered facts, in one transaction; return them in their order.

    Does nothing while another relay is at work.
    """
    with across_states(), connection.cursor() as cursor:
        # Most looks find nothing: they cost this one statement.
        cursor.execute("SELECT EXISTS (SELECT FROM foundation_outboxfact WHERE position IS NULL)")
        if cursor.fetchone() == (False,):
            return []
    with across_states(), transaction.atomic(), connection.cursor() as cursor:
        last = _locked_position(cursor, "relay")
        if last is None:
            return []
        cursor.execute(
            "SELECT state_id, id, kind, payload, topics, cause FROM foundation_outboxfact"
            " WHERE position IS NULL ORDER BY id LIMIT %s",
            [BATCH],
        )
        facts = [
            StoredFact(last + number, state_id, fact_id, kind, _decoded(payload), topics, cause)
            for number, (state_id, fact_id, kind, payload, topics, cause) in enumerate(
                cursor.fetchall(), start=1
            )
        ]
        if facts:
            cursor.execute(
                "UPDATE foundation_outboxfact AS fact SET position = numbered.position"
                " FROM unnest(%s::int[], %s::uuid[], %s::bigint[])"
                " AS numbered (state_id, id, position)"
                " WHERE fact.state_id = numbered.state_id AND fact.id = numbered.id",
                [
                    [fact.state_id for fact in facts],
                    [fact.id for fact in facts],
                    [fact.position for fact in facts],
                ],
            )
            _move(cursor, "relay", facts[-1].position)
    return facts


def deliver(name: str) -> int:
    """Hand one batch of unread facts to the listener `name`; return how many it was handed.

    None while another worker, or somebody who counts anew, holds the listener: waiting for that
    would hold up all the others.
    """
    registered = _listeners[name]
    with across_states(), transaction.atomic(), connection.cursor() as cursor:
        position = _locked_position(cursor, name)
        if position is None:
            return 0
        newest = _newest(cursor)
        facts = _facts_between(cursor, position, newest, registered.kinds)
        if facts:
            _tell(name, registered.listener, facts)
        read = facts[-1].position if len(facts) == BATCH else newest
        if read > position:
            _move(cursor, name, read)
    return len(facts)


def _tell(listening: str, listener: Listener, facts: Sequence[StoredFact]) -> None:
    """Hand facts to a listener; one that it fails at is passed over when it hears others.

    Otherwise a single fact would silence it, for a whole nation. When it hears none of them the
    fault is its own, or the database is away: then nothing is passed over, and it reads again.
    """
    try:
        with transaction.atomic():
            listener(facts)
    except DATABASE_AWAY:
        raise
    except Exception:
        if len(facts) == 1:
            raise
        failed = _told_singly(listener, facts)
        if len(failed) == len(facts):
            raise
        for fact, error in failed:
            logger.error("listener %s passed over fact %s: %s", listening, fact.id, error)


def _told_singly(listener: Listener, facts: Sequence[StoredFact]) -> list[tuple[StoredFact, str]]:
    """Hand facts over one by one; return those that the listener failed at, with what it raised."""
    failed = []
    for fact in facts:
        try:
            with transaction.atomic():
                listener([fact])
        except DATABASE_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are to be heard
            failed.append((fact, type(error).__name__))
    return failed


def deliver_all(at: float | None = None) -> None:
    """Bring every listener up to date. One that fails does not hold up the others.

    `at` (in seconds of a clock that only goes on) spares those that were called a short time ago
    and are registered to wait; without it all are called.
    """
    failures: list[Exception] = []
    called = [name for name in _listeners if at is None or at >= _listeners[name].due]
    is_more = True
    while is_more:
        # A batch each in turn: nobody who is far behind keeps the others from what comes meanwhile.
        is_more = False
        behind = {name: position for name, position in _behind().items() if name in called}
        for name in _with_something_to_read(behind):
            if at is not None:
                _listeners[name].due = at + _listeners[name].every
            try:
                is_more |= deliver(name) == BATCH
            except Exception as error:  # noqa: BLE001 - gathered and raised below
                error.add_note(f"listener {name}")
                failures.append(error)
                called.remove(name)
    if failures:
        raise ExceptionGroup("listeners", failures)


def forget_old_facts() -> None:
    """Delete what every listener has read and is older than a month."""
    before = clock.now() - KEPT_FOR
    with across_states(), connection.cursor() as cursor:
        cursor.execute("SELECT listener, position FROM foundation_listenercursor")
        positions = dict(cursor.fetchall())
        read_by_all = min((positions.get(name, 0) for name in _listeners), default=0)
        while True:
            # Facts are old in the order of their numbers: no more is looked at than is deleted.
            cursor.execute(
                "SELECT state_id, id FROM (SELECT state_id, id, recorded_at"
                " FROM foundation_outboxfact WHERE position <= %s ORDER BY position LIMIT %s)"
                " AS oldest WHERE recorded_at < %s",
                [read_by_all, FORGOTTEN_AT_ONCE, before],
            )
            old = cursor.fetchall()
            cursor.execute(
                "DELETE FROM foundation_outboxfact AS fact"
                " USING unnest(%s::int[], %s::uuid[]) AS old (state_id, id)"
                " WHERE fact.state_id = old.state_id AND fact.id = old.id",
                [[state_id for state_id, _id in old], [fact_id for _state, fact_id in old]],
            )
            if len(old) < FORGOTTEN_AT_ONCE:
                return


def unread_since() -> dict[str, datetime.datetime | None]:
    """Return since when the oldest fact waits: to be numbered ("relay"), and for each listener."""
    with across_states(), connection.cursor() as cursor:
        cursor.execute("SELECT min(recorded_at) FROM foundation_outboxfact WHERE position IS NULL")
        since = {"relay": cursor.fetchone()[0]} | dict.fromkeys(_listeners)
        for name, position in _behind().items():
            cursor.execute(
                "SELECT recorded_at FROM foundation_outboxfact WHERE position > %s"
                " AND kind = ANY(%s) ORDER BY position LIMIT 1",
                [position, list(_listeners[name].kinds)],
            )
            row = cursor.fetchone()
            since[name] = row[0] if row else None
    return since


def _behind() -> dict[str, int]:
    """Return the listeners that have not read up to the newest numbered fact, with how far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT listener, position FROM foundation_listenercursor")
        positions = dict(cursor.fetchall())
    newest = positions.get("relay", 0)
    return {name: positions.get(name, 0) for name in _listeners if positions.get(name, 0) < newest}


def _with_something_to_read(behind: Mapping[str, int]) -> list[str]:
    """Move the others past facts that are none of theirs, all at once; return who is left."""
    if not behind:
        return []
    with across_states(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, kind FROM foundation_outboxfact"
            " WHERE position > %s ORDER BY position LIMIT %s",
            [min(behind.values()), BATCH],
        )
        facts = cursor.fetchall()
        if len(facts) == BATCH:
            return list(behind)
        newest = facts[-1][0] if facts else 0
        reading = {
            name
            for name, position in behind.items()
            if position > newest
            or any(at > position and kind in _listeners[name].kinds for at, kind in facts)
        }
        # Numbers are given in their order and never later: nothing can appear before `newest`.
        # Who is held moves on the next time.
        cursor.execute(
            "WITH free AS (SELECT listener FROM foundation_listenercursor"
            " WHERE listener = ANY(%(names)s::text[]) AND position < %(newest)s"
            " FOR UPDATE SKIP LOCKED), moved AS (UPDATE foundation_listenercursor AS cursor"
            " SET position = %(newest)s FROM free WHERE cursor.listener = free.listener)"
            " INSERT INTO foundation_listenercursor (listener, position)"
            " SELECT listener, %(newest)s FROM unnest(%(names)s::text[]) AS listener"
            " ON CONFLICT DO NOTHING",
            {"newest": newest, "names": [name for name in behind if name not in reading]},
        )
    return [name for name in behind if name in reading]


def _locked_position(cursor: CursorWrapper, listener: str) -> int | None:
    """Lock a cursor's row, made if need be, and return its position; None: somebody holds it."""
    cursor.execute(LOCK_UNLESS_LOCKED, [listener])
    row = cursor.fetchone()
    if row is None:
        cursor.execute(
            "INSERT INTO foundation_listenercursor (listener, position) VALUES (%s, 0)"
            " ON CONFLICT DO NOTHING",
            [listener],
        )
        cursor.execute(LOCK_UNLESS_LOCKED, [listener])
        row = cursor.fetchone()
    return row[0] if row else None


def _move(cursor: CursorWrapper, listener: str, position: int) -> None:
    cursor.execute(
        "UPDATE foundation_listenercursor SET position = %s WHERE listener = %s",
        [position, listener],
    )


def _newest(cursor: CursorWrapper) -> int:
    """Return the last number given: all facts up to it are there to be read."""
    cursor.execute("SELECT position FROM foundation_listenercursor WHERE listener = 'relay'")
    row = cursor.fetchone()
    return row[0] if row else 0


def _facts_between(
    cursor: CursorWrapper, position: int, newest: int, kinds: frozenset[str]
) -> list[StoredFact]:
    """Return a batch of facts of some kinds after one number and up to another."""
    cursor.execute(
        "SELECT position, state_id, id, kind, payload, topics FROM foundation_outboxfact"
        " WHERE position > %s AND position <= %s AND kind = ANY(%s) ORDER BY position LIMIT %s",
        [position, newest, sorted(kinds), BATCH],
    )
    return [
        StoredFact(number, state_id, fact_id, kind, _decoded(payload), topics)
        for number, state_id, fact_id, kind, payload, topics in cursor.fetchall()
    ]


def _decoded(payload: Any) -> dict[str, Any]:
    # Django leaves jsonb undecoded on its raw cursors, so that its JSONField can choose a decoder.
    decoded: dict[str, Any] = json.loads(payload) if isinstance(payload, str) else payload
    return decoded
