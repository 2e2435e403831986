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

from sanjeevani.foundation.models import ListenerCursor
from sanjeevani.foundation.sharding import across_states

BATCH = 500


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
    with across_states(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO foundation_listenercursor (listener, position) VALUES ('relay', 0)"
            " ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "SELECT position FROM foundation_listenercursor WHERE listener = 'relay'"
            " FOR UPDATE SKIP LOCKED"
        )
        row = cursor.fetchone()
        if row is None:
            return []
        cursor.execute(
            "SELECT state_id, id, kind, payload, topics FROM foundation_outboxfact"
            " WHERE position IS NULL ORDER BY id LIMIT %s",
            [BATCH],
        )
        facts = [
            StoredFact(row[0] + number, state_id, fact_id, kind, _decoded(payload), topics)
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
            cursor.execute(
                "UPDATE foundation_listenercursor SET position = %s WHERE listener = 'relay'",
                [facts[-1].position],
            )
    return facts


def deliver(name: str) -> int:
    """Hand one batch of unread facts to the listener `name`; return how many it has read."""
    kinds, listener = _listeners[name]
    with across_states(), transaction.atomic():
        cursor_row, _created = ListenerCursor.objects.get_or_create(listener=name)
        cursor_row = ListenerCursor.objects.select_for_update().get(listener=name)
        facts = _facts_after(cursor_row.position)
        if facts:
            wanted = [fact for fact in facts if fact.kind in kinds]
            if wanted:
                listener(wanted)
            cursor_row.position = facts[-1].position
            cursor_row.save(update_fields=["position"])
    return len(facts)


def deliver_all() -> None:
    """Bring every listener up to date. One that fails does not hold up the others."""
    failures: list[Exception] = []
    for name in _listeners:
        try:
            while deliver(name) == BATCH:
                pass
        except Exception as error:  # noqa: BLE001 - gathered and raised below
            error.add_note(f"listener {name}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("listeners", failures)


def _facts_after(position: int) -> list[StoredFact]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, state_id, id, kind, payload, topics FROM foundation_outboxfact"
            " WHERE position > %s ORDER BY position LIMIT %s",
            [position, BATCH],
        )
        return [
            StoredFact(number, state_id, fact_id, kind, _decoded(payload), topics)
            for number, state_id, fact_id, kind, payload, topics in cursor.fetchall()
        ]


def _decoded(payload: Any) -> dict[str, Any]:
    # Django leaves jsonb undecoded on its raw cursors, so that its JSONField can choose a decoder.
    decoded: dict[str, Any] = json.loads(payload) if isinstance(payload, str) else payload
    return decoded
