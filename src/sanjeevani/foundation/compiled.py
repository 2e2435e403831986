"""Queries whose SQL is made once per process: for reads that many requests repeat.

Turning a queryset into SQL costs Django several times what sending it costs. A compiled query is
written as a queryset still, with `given("name")` where a value comes in:

    _own = Compiled(lambda: Record.objects.filter(
        state_id=given("state_id"), id=given("record_id"))[:1])

    _own.first(state_id=29, record_id=...)
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import QuerySet, Value
from django.db.models.query import ModelIterable, ValuesListIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")


class _Given(Value):
    """A place in the statement that a call fills."""

    template = "%s"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Stand for the value until it is known."""
        return self.template, [self]


class _GivenAny(_Given):
    template = "ANY(%s)"


def given(name: str) -> Any:
    """Stand for one value, named as in the call."""
    return _Given(name)


def given_any(name: str) -> Any:
    """Stand for a list of values, of which the column holds one: `id=given_any("ids")`."""
    return _GivenAny(name)


class Compiled(Generic[Row]):
    """A queryset of models, with `select_related` if need be, or of `values_list`."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        """`build` makes the queryset; it is called once, when it is first needed."""
        self._build = build

    @cached_property
    def _statement(self) -> "Statement":
        return Statement(self._build())

    def all(self, **values: Any) -> list[Row]:
        """Run the query with its values; return the rows."""
        return self._statement.made(self._rows(values))

    def first(self, **values: Any) -> Row | None:
        """Run the query, which has a limit of one or a unique condition; return its row."""
        rows: list[Row] = self.all(**values)
        return rows[0] if rows else None

    def _rows(self, values: dict[str, Any]) -> list[Any]:
        return self._statement.run(values)


class Statement:
    """A query as it is sent, and how its rows become models."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        self._alias = queryset.db
        self._compiler = queryset.query.get_compiler(self._alias)
        self._sql, self._params = self._compiler.as_sql()
        self.tables = {table.table_name for table in queryset.query.alias_map.values()}
        columns = [column[0] for column in self._compiler.select]
        self._converters = self._compiler.get_converters(columns)
        self._model: type[Any] | None = None
        self._names: list[str] = []
        self._columns = slice(0, len(columns))
        self._related: list[Any] = []
        if issubclass(queryset._iterable_class, ModelIterable):
            described: Any = self._compiler.klass_info
            places = described["select_fields"]
            self._model = described["model"]
            self._columns = slice(places[0], places[-1] + 1)
            self._names = [column.target.attname for column in columns[self._columns]]
            # The stubs are of a later Django.
            populators: Any = get_related_populators
            self._related = populators(described, self._compiler.select, self._alias)
        elif not issubclass(queryset._iterable_class, ValuesListIterable):
            raise TypeError("only models and lists of values are compiled")

    def run(self, values: dict[str, Any]) -> list[Any]:
        """Send the statement; return rows as its columns have them."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(
                self._sql,
                [
                    values[param.name] if isinstance(param, _Given) else param
                    for param in self._params
                ],
            )
            rows: list[Any] = cursor.fetchall()
        if self._converters:
            rows = [tuple(row) for row in self._compiler.apply_converters(rows, self._converters)]
        return rows

    def made(self, rows: list[Any]) -> list[Any]:
        """Make models of rows, if the query is one of models."""
        if self._model is None:
            return list(rows)
        return [self._instance(self._model, row) for row in rows]

    def _instance(self, model: type[Any], row: Any) -> Any:
        made = model.from_db(self._alias, self._names, row[self._columns])
        for populator in self._related:
            populator.populate(row, made)
        return made
