"""The relay: gives facts their order once they are visible, and hands them to listeners.

A fact's id is made before its transaction commits, so ids do not tell the order in which facts
become visible; a listener that remembered the last id could miss one. The single relay therefore
numbers facts after they are visible, and listeners remember a number.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from sanjeevani.foundation.sharding import across_states

BATCH = 500

LOCK = "SELECT position FROM foundation_listenercursor WHERE listener = %s FOR UPDATE"
LOCK_UNLESS_LOCKED = f"{LOCK} SKIP LOCKED"


@dataclass(frozen=True)
class StoredFact:
    """A fact as a listener reads it."""

    position: int
    state_id: int
    id: uuid.UUID
    kind: str
    payload: dict[str, Any]
    topics: list[str]


Listener = Callable[[Sequence[StoredFact]], None]
_listeners: dict[str, tuple[frozenset[str], Listener]] = {}


def listen(name: str, kinds: frozenset[str], listener: Listener) -> None:
    """Register a listener for some kinds of facts.

    It is called with facts in order, inside a transaction that also moves its cursor. A fact may
    come twice after a crash of a side effect outside the database: it must do no harm.
    """
    _listeners[name] = (kinds, listener)


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
        last = _locked_position(cursor, "relay", skip_locked=True)
        if last is None:
            return []
        cursor.execute(
            "SELECT state_id, id, kind, payload, topics FROM foundation_outboxfact"
            " WHERE position IS NULL ORDER BY id LIMIT %s",
            [BATCH],
        )
        facts = [
            StoredFact(last + number, state_id, fact_id, kind, _decoded(payload), topics)
            for number, (state_id, fact_id, kind, payload, topics) in enumerate(
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
    """Hand one batch of unread facts to the listener `name`; return how many it has read."""
    kinds, listener = _listeners[name]
    with across_states(), transaction.atomic(), connection.cursor() as cursor:
        facts = _facts_after(cursor, _locked_position(cursor, name) or 0, kinds)
        if facts:
            wanted = [fact for _position, fact in facts if fact is not None]
            if wanted:
                listener(wanted)
            _move(cursor, name, facts[-1][0])
    return len(facts)


def deliver_all() -> None:
    """Bring every listener up to date. One that fails does not hold up the others."""
    failures: list[Exception] = []
    for name in _behind():
        try:
            while deliver(name) == BATCH:
                pass
        except Exception as error:  # noqa: BLE001 - gathered and raised below
            error.add_note(f"listener {name}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("listeners", failures)


def _behind() -> list[str]:
    """Return the listeners that have not read up to the newest numbered fact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT listener, position FROM foundation_listenercursor")
        positions = dict(cursor.fetchall())
    newest = positions.get("relay", 0)
    return [name for name in _listeners if positions.get(name, 0) < newest]


def _locked_position(
    cursor: CursorWrapper, listener: str, *, skip_locked: bool = False
) -> int | None:
    """Lock a cursor's row, made if need be, and return its position; None: somebody holds it."""
    lock = LOCK_UNLESS_LOCKED if skip_locked else LOCK
    cursor.execute(lock, [listener])
    row = cursor.fetchone()
    if row is None:
        cursor.execute(
            "INSERT INTO foundation_listenercursor (listener, position) VALUES (%s, 0)"
            " ON CONFLICT DO NOTHING",
            [listener],
        )
        cursor.execute(lock, [listener])
        row = cursor.fetchone()
    return row[0] if row else None


def _move(cursor: CursorWrapper, listener: str, position: int) -> None:
    cursor.execute(
        "UPDATE foundation_listenercursor SET position = %s WHERE listener = %s",
        [position, listener],
    )


def _facts_after(
    cursor: CursorWrapper, position: int, kinds: frozenset[str]
) -> list[tuple[int, StoredFact | None]]:
    """Return a batch of facts with their positions, without the contents of other kinds."""
    cursor.execute(
        "SELECT position, state_id, id, kind, payload, topics FROM foundation_outboxfact"
        " WHERE position > %s ORDER BY position LIMIT %s",
        [position, BATCH],
    )
    return [
        (
            number,
            StoredFact(number, state_id, fact_id, kind, _decoded(payload), topics)
            if kind in kinds
            else None,
        )
        for number, state_id, fact_id, kind, payload, topics in cursor.fetchall()
    ]


def _decoded(payload: Any) -> dict[str, Any]:
    # Django leaves jsonb undecoded on its raw cursors, so that its JSONField can choose a decoder.
    decoded: dict[str, Any] = json.loads(payload) if isinstance(payload, str) else payload
    return decoded
