"""Statements that store one row, made once per process for each table: see `compiled.py`.

`save()` and `create()` of every model go through here. `Kept` stores a row under a key that may be
there already:

    _records = Kept(Record, key=("state_id", "number"))
    _records.replace(Record(...))    # the newest stands, under the id of the first
    _records.add(Record(...))        # False: the first stands
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar

from django.db import connections, models, router

Row = TypeVar("Row", bound=models.Model)
Field: TypeAlias = "models.Field[Any, Any]"


def insert(row: models.Model, alias: str, fields: Sequence[Field]) -> bool:
    """Insert a row. False, with nothing done, when a value of it is to be worked out by SQL."""
    values = _values(row, alias, fields)
    if values is None:
        return False
    with connections[alias].cursor() as cursor:
        cursor.execute(_insert_sql(type(row), alias, tuple(fields)), values)
    return True


def update(row: models.Model, alias: str, changes: Sequence[tuple[Field, Any, Any]]) -> bool | None:
    """Change a row; tell whether it was there. None, with nothing done, as for `insert`."""
    connection = connections[alias]
    if any(hasattr(value, "resolve_expression") for _field, _none, value in changes):
        return None
    key = row._meta.pk_fields
    values = [field.get_db_prep_save(value, connection) for field, _none, value in changes]
    values += [field.get_db_prep_save(getattr(row, field.attname), connection) for field in key]
    fields = tuple(field for field, _none, _value in changes)
    with connection.cursor() as cursor:
        cursor.execute(_update_sql(type(row), alias, fields), values)
        return bool(cursor.rowcount)


def update_where(model: type[models.Model], where: dict[str, Any], **changes: Any) -> int:
    """Change the rows whose columns have these values, or one of a list; return how many.

    Values only: what SQL is to work out is written as a queryset.
    """
    alias = router.db_for_write(model)
    connection = connections[alias]
    fields = _fields(model)
    values = [fields[name].get_db_prep_save(value, connection) for name, value in changes.items()]
    values += [list(value) if isinstance(value, list) else value for value in where.values()]
    shape = tuple((name, isinstance(value, list)) for name, value in where.items())
    with connection.cursor() as cursor:
        cursor.execute(_update_where_sql(model, alias, tuple(changes), shape), values)
        return int(cursor.rowcount)


class Kept(Generic[Row]):
    """Rows of a model of which there is one for each key."""

    def __init__(self, model: type[Row], *, key: tuple[str, ...]) -> None:
        self._model = model
        self._key = key

    def add(self, row: Row) -> bool:
        """Store a row unless there is one of its key; tell whether it was stored."""
        return self._put(row, replace=False)

    def replace(self, row: Row) -> None:
        """Store a row in the place of the one of its key, whose id it then has."""
        self._put(row, replace=True)

    def _put(self, row: Row, *, replace: bool) -> bool:
        alias = router.db_for_write(self._model)
        fields = list(self._model._meta.local_concrete_fields)
        values = _values(row, alias, fields)
        if values is None:
            raise TypeError("a kept row has values, not expressions")
        with connections[alias].cursor() as cursor:
            cursor.execute(_put_sql(self._model, alias, self._key, replace), values)
            stored = cursor.fetchone()
        row._state.adding, row._state.db = False, alias
        if stored is None:
            return False
        row.id = stored[0]  # type: ignore[attr-defined]  # every table with such a key has one
        return True


def _values(row: models.Model, alias: str, fields: Iterable[Field]) -> list[Any] | None:
    connection = connections[alias]
    values = [(field, field.pre_save(row, True)) for field in fields]
    if any(hasattr(value, "resolve_expression") for _field, value in values):
        return None
    return [field.get_db_prep_save(value, connection) for field, value in values]


@cache
def _fields(model: type[models.Model]) -> dict[str, Field]:
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def _insert_sql(model: type[models.Model], alias: str, fields: tuple[Field, ...]) -> str:
    quote = connections[alias].ops.quote_name
    columns = ", ".join(_column(field, alias) for field in fields)
    values = ", ".join(_place(field, alias) for field in fields)
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values})"  # noqa: S608 - names of the model


@cache
def _update_sql(model: type[models.Model], alias: str, fields: tuple[Field, ...]) -> str:
    quote = connections[alias].ops.quote_name
    changes = ", ".join(f"{_column(field, alias)} = {_place(field, alias)}" for field in fields)
    key = " AND ".join(f"{_column(field, alias)} = %s" for field in model._meta.pk_fields)
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {key}"  # noqa: S608


@cache
def _update_where_sql(
    model: type[models.Model],
    alias: str,
    names: tuple[str, ...],
    where: tuple[tuple[str, bool], ...],
) -> str:
    quote = connections[alias].ops.quote_name
    fields = _fields(model)
    changes = ", ".join(
        f"{_column(fields[name], alias)} = {_place(fields[name], alias)}" for name in names
    )
    conditions = " AND ".join(
        f"{_column(fields[name], alias)} = {'ANY(%s)' if several else '%s'}"
        for name, several in where
    )
    return f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {conditions}"  # noqa: S608


@cache
def _put_sql(model: type[models.Model], alias: str, key: tuple[str, ...], replace: bool) -> str:
    quote = connections[alias].ops.quote_name
    fields = tuple(model._meta.local_concrete_fields)
    taken = ", ".join(quote(name) for name in key)
    changes = ", ".join(
        f"{_column(field, alias)} = EXCLUDED.{_column(field, alias)}"
        for field in fields
        if field.name not in key and field.name != "id"
    )
    act = f"DO UPDATE SET {changes}" if replace else "DO NOTHING"
    return f"{_insert_sql(model, alias, fields)} ON CONFLICT ({taken}) {act} RETURNING id"


def _column(field: Any, alias: str) -> str:
    return connections[alias].ops.quote_name(field.column)


def _place(field: Any, alias: str) -> str:
    get = getattr(field, "get_placeholder", None)
    return str(get(None, None, connections[alias])) if get else "%s"
