"""Queries that are written once and run many times.

On a short request the ORM spends longer on writing its SQL than the database on running it. A query whose
shape never changes is therefore compiled once, with a place kept for each value that does.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")


class Given(Expression):
    """The place of a value in a query: it is given, by its number, each time the query runs."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class GivenList(Expression):
    """The places of several values: the right side of ``__in``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.places = tuple(Given(number) for number in range(size))

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return ", ".join(["%s"] * len(self.places)), self.places


class Compiled(Generic[Row]):
    """A query for rows: instances of a model with all that it selects beside them, or tuples of values.

    ``write`` makes the QuerySet, with ``Given(0)``, ``Given(1)``, … in place of what is different each time.
    What a QuerySet would fetch in queries of its own (prefetch_related) is left to whoever asks.
    """

    def __init__(self, write: Callable[[], "models.QuerySet[Any, Row]"]) -> None:
        self.write = write
        # What Django compiles belongs to one connection, and so to one thread.
        self.of_this_thread = threading.local()

    def run(self, *given: Any) -> list[Row]:
        """The rows for these values, which are as the database takes them. Raises django.db.Error."""
        statement = self.statement
        return statement.run(statement.sql, statement.bind(given))

    def page(self, *given: Any, start: int, size: int) -> list[Row]:
        """At most ``size`` of the rows, after the first ``start``."""
        statement = self.statement
        return statement.run(f"{statement.sql} LIMIT %s OFFSET %s", [*statement.bind(given), size, start])

    @property
    def statement(self) -> "Statement[Row]":
        try:
            statement: Statement[Row] = self.of_this_thread.statement
        except AttributeError:
            statement = self.of_this_thread.statement = Statement.of(self.write())
        return statement


@dataclass(frozen=True, slots=True)
class Statement(Generic[Row]):
    """SQL, and how its answer becomes rows: what Django works out anew for each QuerySet."""

    sql: str
    params: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]
    make: Callable[[Sequence[Any]], Row]

    @classmethod
    def of(cls, queryset: "models.QuerySet[Any, Row]") -> "Statement[Row]":
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        return cls(
            sql=sql,
            params=tuple(params),
            compiler=compiler,
            converters=compiler.get_converters([selected[0] for selected in compiler.select]),
            make=cast("Callable[[Sequence[Any]], Row]", maker_of_instances(compiler) or tuple),
        )

    def bind(self, given: Sequence[Any]) -> list[Any]:
        return [given[param.number] if isinstance(param, Given) else param for param in self.params]

    def run(self, sql: str, params: Sequence[Any]) -> list[Row]:
        with self.compiler.connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = cursor.fetchall()
        if self.converters:
            rows = self.compiler.apply_converters(rows, self.converters)
        return [self.make(row) for row in rows]


def maker_of_instances(compiler: SQLCompiler) -> Callable[[Sequence[Any]], models.Model] | None:
    """From a row of values to an instance, as ``ModelIterable`` does it; None for a query of bare values."""
    if compiler.klass_info is None:
        return None
    info: dict[str, Any] = compiler.klass_info
    model, fields = info["model"], info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    names = [selected[0].target.attname for selected in compiler.select[columns]]
    # The types are of a later Django, which has one argument more.
    related = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    annotations = list((compiler.annotation_col_map or {}).items())

    def make(row: Sequence[Any]) -> models.Model:
        instance: models.Model = model.from_db(DEFAULT_DB_ALIAS, names, row[columns])
        for populator in related:
            populator.populate(row, instance)
        for name, position in annotations:
            setattr(instance, name, row[position])
        return instance

    return make


class CompiledIn(Generic[Row]):
    """Rows that belong to any of some ids; ``write`` makes the QuerySet from the places for them.

    The list is filled up with repetitions to a power of two, so that there are few queries to compile.
    """

    def __init__(self, write: Callable[[GivenList], "models.QuerySet[Any, Row]"]) -> None:
        self.write = write
        self.of_size = cache(self.compile)

    def compile(self, size: int) -> Compiled[Row]:
        return Compiled(lambda: self.write(GivenList(size)))

    def run(self, ids: Iterable[int]) -> list[Row]:
        wanted = list(ids)
        if not wanted:
            return []
        size = 1 << (len(wanted) - 1).bit_length()
        return self.of_size(size).run(*wanted, *wanted[-1:] * (size - len(wanted)))


def group_by(name: str, rows: Iterable[Row]) -> defaultdict[Any, list[Row]]:
    """Rows by one of their attributes, in the order in which they came."""
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups
