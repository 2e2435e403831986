"""The discipline of keys that lets the tables be sharded by state (docs/adr/0003)."""

import contextlib
import contextvars
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields.related import ForeignObject

from sanjeevani.foundation import rows
from sanjeevani.foundation.ids import uuid7

NATIONAL = 0
"""The tenant of hosts that belong to no state, such as the Ministry of Defence."""


class TableKind(StrEnum):
    """Where a table's rows live once there is more than one database node."""

    SHARDED = "sharded"  # by state_id, first in every key
    REFERENCE = "reference"  # copied to every node, changed rarely
    KEYED = "keyed"  # nation-wide, distributed by one identifier
    LOCAL = "local"  # on the coordinating node only: libraries' tables, cursors


class TableModel(models.Model):
    """Base of all models: each says what kind its table is and whether rows may change."""

    table_kind: TableKind
    insert_only = False

    class Meta:
        abstract = True

    def _do_insert(
        self, manager: Any, using: Any, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        if not raw and not returning_fields and rows.insert(self, using, fields):
            return []
        return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]

    # The stubs are of a later Django, which returns columns here.
    def _do_update(  # type: ignore[override]
        self, base_qs: Any, using: Any, pk_val: Any, values: Any, update_fields: Any, forced: bool
    ) -> Any:
        done = rows.update(self, using, values) if values else None
        if done is not None:
            return done
        return super()._do_update(base_qs, using, pk_val, values, update_fields, forced)  # type: ignore[call-arg]


class ShardedModel(TableModel):
    """A row that belongs to one state for life."""

    table_kind = TableKind.SHARDED

    pk = models.CompositePrimaryKey("state_id", "id")
    state_id = models.SmallIntegerField()
    id = models.UUIDField(default=uuid7)

    class Meta:
        abstract = True


class ReferenceModel(TableModel):
    """A row that every node holds a copy of."""

    table_kind = TableKind.REFERENCE

    class Meta:
        abstract = True


class KeyedModel(TableModel):
    """A nation-wide row found by its one identifier, the primary key."""

    table_kind = TableKind.KEYED

    class Meta:
        abstract = True


class LocalModel(TableModel):
    """A row of the coordinating node."""

    table_kind = TableKind.LOCAL

    class Meta:
        abstract = True


def sharded_relation(to: str, id_field: str, *, null: bool = False) -> Any:
    """Relate to a row of the same state: `(state_id, <id_field>)` to its `(state_id, id)`.

    Set the id field, never the relation: assigning an object overwrites `state_id`. `null` says
    that the id may be: without it `select_related` would leave out rows that have none.
    """
    return ForeignObject(
        to,
        on_delete=models.PROTECT,
        from_fields=["state_id", id_field],
        to_fields=["state_id", "id"],
        related_name="+",
        null=null,
    )


class AddCompositeForeignKeys(Operation):
    """Give every `sharded_relation` of a model its foreign key in the database.

    Stands in a migration of its own after the tables, because a distributed table takes its
    foreign keys only once it is distributed.
    """

    reversible = True
    atomic = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing in Django's own state changes."""

    def _constraints(self, app_label: str, state: ProjectState) -> Iterator[tuple[str, str, str]]:
        model = state.apps.get_model(app_label, self.model_name)
        for field in model._meta.get_fields():
            if type(field) is ForeignObject:
                target = field.related_model._meta.db_table
                columns = ", ".join(f'"{column}"' for column in field.from_fields)
                name = f"{model._meta.db_table}_{field.name}_fkey"
                definition = (
                    f'FOREIGN KEY ({columns}) REFERENCES "{target}" ("state_id", "id")'
                    " DEFERRABLE INITIALLY DEFERRED"
                )
                yield model._meta.db_table, name, definition

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the constraints."""
        if schema_editor.connection.alias != "owner":
            return
        for table, name, definition in self._constraints(app_label, to_state):
            schema_editor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the constraints."""
        if schema_editor.connection.alias != "owner":
            return
        for table, name, _definition in self._constraints(app_label, from_state):
            schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')

    def describe(self) -> str:
        """Say what `migrate` is doing."""
        return f"Add the composite foreign keys of {self.model_name}"

    @property
    def migration_name_fragment(self) -> str:
        """Part of an automatic migration name."""
        return f"{self.model_name.lower()}_foreign_keys"


class OwnerMigrates:
    """Database router: tables are made by their owner, used through the serving role."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Only the owner's alias migrates."""
        return db == "owner"


LIBRARY_TABLES = re.compile(r"^(django_migrations|procrastinate_\w+)$")


def manifest() -> dict[str, TableKind]:
    """Name every table of ours with its kind."""
    return {
        model._meta.db_table: model.table_kind
        for model in apps.get_models()
        if issubclass(model, TableModel)
    }


def insert_only_tables() -> list[str]:
    """Name the tables whose rows may never change."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, TableModel) and model.insert_only
    )


_across_states: contextvars.ContextVar[bool] = contextvars.ContextVar("across", default=False)


@contextlib.contextmanager
def across_states() -> Iterator[None]:
    """Allow reads over all states inside the block: sweeps and exports, never screens."""
    token = _across_states.set(True)
    try:
        yield
    finally:
        _across_states.reset(token)


class UnscopedStatement(AssertionError):
    """A statement touched a sharded table without naming the state."""


@cache
def _sharded_table_pattern() -> re.Pattern[str]:
    names = [name for name, kind in manifest().items() if kind is TableKind.SHARDED]
    return re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b")


_EXEMPT = re.compile(
    r"^\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|SET|ALTER|CREATE|DROP|TRUNCATE|GRANT|REVOKE"
    r"|COMMENT|EXPLAIN)\b",
    re.IGNORECASE,
)
_STATE_ID = re.compile(r"\bstate_id\b")
_CONDITION = re.compile(r"\bWHERE\b", re.IGNORECASE)
_INSERT = re.compile(r"^\s*INSERT\b", re.IGNORECASE)


def refuse_unscoped(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute wrapper for the tests: fail on SQL that would have to ask every shard.

    A textual check: an unscoped outer statement around a scoped subquery slips through.
    """
    text = str(sql)
    if not _across_states.get() and not _EXEMPT.match(text):
        table = _sharded_table_pattern().search(text)
        if table and not _names_the_state(text):
            raise UnscopedStatement(f"{table.group()} without state_id: {text}")
    return execute(sql, params, many, context)


def _names_the_state(text: str) -> bool:
    if _INSERT.match(text):
        return bool(_STATE_ID.search(text))
    condition = _CONDITION.search(text)
    return bool(condition and _STATE_ID.search(text, condition.end()))
