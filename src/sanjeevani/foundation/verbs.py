"""Verbs: the only functions that change tables.

One verb, one transaction, one audit row, its facts:

    @verb("queueing.issue_token")
    def issue_token(actor: Actor, *, ...) -> Token:
        ...
        concerns(token, patient_id=...)
        publish(TokenIssued(...))

The outermost verb opens the transaction and writes the audit row; a verb called inside another
joins it, and its facts go out with the outer one's.
"""

import contextlib
import contextvars
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from django.db import connection, models, transaction
from psycopg.types.json import Jsonb

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.ids import uuid7

P = ParamSpec("P")
R = TypeVar("R")

VERBS: dict[str, Callable[..., Any]] = {}
"""Every verb by name; the structural tests walk it."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened, as ids and plain values: no personal or clinical data.

    Subclasses are frozen dataclasses with a `kind`, their name in the outbox.
    """

    kind: ClassVar[str]
    state_id: int

    def topics(self) -> list[str]:
        """The topics whose screens should look again: `<name>.<uuid>`."""
        return []

    def payload(self) -> dict[str, Any]:
        """The fact's fields as JSON values."""
        return {
            item.name: _plain(getattr(self, item.name))
            for item in fields(self)
            if item.name != "state_id"
        }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value


@dataclass(frozen=True)
class Concern:
    """The record that an audit row is about, and the patient it belongs to."""

    state_id: int
    record_type: str
    record_id: uuid.UUID
    patient_id: uuid.UUID | None
    break_glass: bool = False


@dataclass
class UnitOfWork:
    """What the running outermost verb has gathered."""

    concern: Concern | None = None
    facts: list[Fact] = field(default_factory=list)


class AuditMissing(RuntimeError):
    """A verb ended without naming the record that it concerns."""


_unit: contextvars.ContextVar[UnitOfWork | None] = contextvars.ContextVar("unit", default=None)
_done: contextvars.ContextVar[list[uuid.UUID] | None] = contextvars.ContextVar("done", default=None)


@contextlib.contextmanager
def noting_what_is_done() -> Iterator[list[uuid.UUID]]:
    """Gather, from here on, the audit rows of verbs that have committed and published facts."""
    done: list[uuid.UUID] = []
    token = _done.set(done)
    try:
        yield done
    finally:
        _done.reset(token)


def verb(
    name: str,
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Make a function a verb; see the module's docstring. Any exception undoes all of it."""

    def decorate(
        function: Callable[Concatenate[Actor, P], R],
    ) -> Callable[Concatenate[Actor, P], R]:
        @wraps(function)
        def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if _unit.get() is not None:
                return function(actor, *args, **kwargs)
            unit = UnitOfWork()
            with transaction.atomic():
                token = _unit.set(unit)
                try:
                    result = function(actor, *args, **kwargs)
                finally:
                    _unit.reset(token)
                if unit.concern is None:
                    raise AuditMissing(name)
                cause = write_audit(actor, name, unit.concern)
                _write_facts(unit.facts, cause)
            if unit.facts and (done := _done.get()) is not None:
                done.append(cause)
            return result

        VERBS[name] = run
        return run

    return decorate


def concerns(
    record: models.Model, *, patient_id: uuid.UUID | None = None, break_glass: bool = False
) -> None:
    """Name the record that the running verb changes. An outer verb's word, said last, stands."""
    unit = _unit.get()
    if unit is not None:
        unit.concern = concern_of(record, patient_id=patient_id, break_glass=break_glass)


def concern_of(
    record: models.Model, *, patient_id: uuid.UUID | None = None, break_glass: bool = False
) -> Concern:
    """Describe a record for the audit trail. Nation-wide rows count as National's."""
    key = getattr(record, "id", None) or record.pk
    # The key of a state is a number.
    record_id = key if isinstance(key, uuid.UUID) else uuid.UUID(int=int(key))
    return Concern(
        getattr(record, "state_id", 0),
        record._meta.model_name or "",
        record_id,
        patient_id,
        break_glass,
    )


def publish(fact: Fact) -> None:
    """Add a fact to the running verb's; it is stored with the verb's transaction or not at all."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("a fact is published inside a verb")
    unit.facts.append(fact)


# In SQL: no statement is sent more often.
AUDIT = (
    "INSERT INTO foundation_auditevent (state_id, id, at, verb, actor_kind, account_id, post_id,"
    " address, record_type, record_id, patient_id, break_glass)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def write_audit(actor: Actor, verb_name: str, concern: Concern) -> uuid.UUID:
    """Append one row to the audit trail; return its id. Reads of records by staff call this
    themselves."""
    event_id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            AUDIT,
            [
                concern.state_id,
                event_id,
                clock.now(),
                verb_name,
                actor.kind,
                actor.account_id,
                actor.post_id,
                actor.address,
                concern.record_type,
                concern.record_id,
                concern.patient_id,
                concern.break_glass,
            ],
        )
    return event_id


FACTS = (
    "INSERT INTO foundation_outboxfact"
    " (state_id, id, kind, payload, topics, cause, recorded_at) VALUES "
)
FACT = "(%s, %s, %s, %s, %s, %s, %s)"


def _write_facts(facts: list[Fact], cause: uuid.UUID) -> None:
    if not facts:
        return
    now = clock.now()
    values: list[Any] = []
    for fact in facts:
        payload = Jsonb(fact.payload())
        values += [fact.state_id, uuid7(), fact.kind, payload, fact.topics(), cause, now]
    with connection.cursor() as cursor:
        cursor.execute(FACTS + ", ".join([FACT] * len(facts)), values)
