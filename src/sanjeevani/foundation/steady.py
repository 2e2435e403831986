"""What seldom changes, kept in the process.

    class Record(SteadyModel, ShardedModel): ...

    _records = Steady(lambda: Record.objects.filter(state_id=given("state_id")))

Every change of a steady table stores a mark in its transaction. All marks together are the
edition; the statement that finds a request's session brings it along. While it stays the same, a
read that was made before is answered from the process, for as long as the request lasts; what
has changed commits with its mark, so that no request that begins later sees the old. Where nobody
has said the edition, and after a change of one's own, PostgreSQL is asked (docs/adr/0016).
"""

import contextvars
import secrets
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from django.apps import apps
from django.core.signals import request_finished, request_started
from django.db import connections, models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from sanjeevani.foundation.compiled import Compiled, Statement
from sanjeevani.foundation.models import Mark

Row = TypeVar("Row")
Model = TypeVar("Model", bound=models.Model)

MOST_KEPT = 5_000
"""Answers that a read keeps; beyond them it begins anew."""
MOST_MARKS = 50
"""They are read with every session: beyond these one stands for all."""

_edition: contextvars.ContextVar[int | None] = contextvars.ContextVar("edition", default=None)


def edition() -> RawSQL:
    """Return the edition as a column of a query; hand its value to `begin`."""
    return RawSQL(
        "SELECT coalesce(bit_xor(value), 0) FROM foundation_mark",
        (),
        output_field=models.BigIntegerField(),
    )


def begin(value: int) -> None:
    """Read by this edition from now on, until the request ends."""
    _edition.set(value)


def end(**_: Any) -> None:
    """Know no edition any more."""
    _edition.set(None)


# A request that broke off may not have ended.
request_started.connect(end)
request_finished.connect(end)


def changed(alias: str) -> None:
    """Store with the running transaction that something steady changes."""
    _edition.set(None)
    with connections[alias].cursor() as cursor:
        cursor.execute("INSERT INTO foundation_mark (value) VALUES (%s)", [secrets.randbits(62)])


def merge_marks() -> None:
    """Let one mark stand for all that are there: the edition stays, and is read as fast."""
    if Mark.objects.count() <= MOST_MARKS:
        return
    with connections[Mark.objects.db].cursor() as cursor:
        # Two that do this at once do it to different marks; one that finds none stores none.
        cursor.execute(
            "WITH old AS (DELETE FROM foundation_mark RETURNING value)"
            " INSERT INTO foundation_mark (value)"
            " SELECT bit_xor(value) FROM old HAVING count(*) > 0"
        )


class SteadyQuerySet(QuerySet[Model]):
    """Marks what it changes in bulk."""

    def bulk_create(self, objs: Iterable[Model], *args: Any, **options: Any) -> list[Model]:
        """Store rows."""
        made = super().bulk_create(objs, *args, **options)
        changed(self.db)
        return made

    def update(self, **changes: Any) -> int:
        """Change rows."""
        count = super().update(**changes)
        if count:
            changed(self.db)
        return count

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete rows."""
        done = super().delete()
        changed(self.db)
        return done


class SteadyModel(models.Model):
    """A table that is read by every request and changed a few times a day."""

    objects: ClassVar[Any] = models.Manager.from_queryset(SteadyQuerySet)()

    class Meta:
        abstract = True

    def save_base(self, *args: Any, **options: Any) -> None:
        """Store the row and its mark."""
        super().save_base(*args, **options)
        changed(self._state.db or "default")

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete the row."""
        done = super().delete(*args, **options)
        changed(self._state.db or "default")
        return done


class Steady(Compiled[Row], Generic[Row]):
    """A compiled read of steady tables. Every caller gets rows of its own."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        """`build` makes the queryset; it is called once, when it is first needed."""
        super().__init__(build)
        self._kept: tuple[int, dict[tuple[Any, ...], list[Any]]] = (0, {})

    @cached_property
    def _statement(self) -> Statement:
        statement = super()._statement
        tables = {
            model._meta.db_table for model in apps.get_models() if issubclass(model, SteadyModel)
        }
        if not statement.tables <= tables:
            raise TypeError(f"not steady: {statement.tables - tables}")
        return statement

    def _rows(self, values: dict[str, Any]) -> list[Any]:
        now = _edition.get()
        if now is None:
            return super()._rows(values)
        known, kept = self._kept
        if known != now or len(kept) > MOST_KEPT:
            # Who still reads by another edition holds the other rows, and puts nothing here.
            kept = {}
            self._kept = (now, kept)
        key = tuple(
            tuple(value) if isinstance(value, Collection) and not isinstance(value, str) else value
            for value in values.values()
        )
        rows = kept.get(key)
        if rows is None:
            rows = kept[key] = super()._rows(values)
        return rows
