"""The base of responses: classes that are both the objects and their description in the document.

A class is filled from a row of the database, without model instances or serializers: on a page of orders
these would cost more than the database. Its fields' texts, limits and types are what the OpenAPI document
says of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from string import digits
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.db import connections, models, router
from msgspec import Meta

from stores import money
from stores.models import rows

Row = Mapping[str, Any]
# The largest whole number that every JSON parser reads as it is (RFC 8259, 6).
MAX_NUMBER = 2**53 - 1


class Output(msgspec.Struct):
    """An object in a response."""


Kind = TypeVar("Kind", bound=Output)
Time = Annotated[datetime, Meta(tz=True)]


# What fields of several kinds of objects say of themselves.


def text(description: str, max_length: int | None = None) -> Meta:
    return Meta(description=description, extra_json_schema=(max_length and {"maxLength": max_length}) or None)


def always(value: str) -> Meta:
    return Meta(description=f"Always `{value}`.")


def id_of(what: str) -> Meta:
    return text(f"The id of the {what}: digits, in a string.", 19)


HANDLE = text(
    "Its name for addresses: letters, digits, hyphens and underscores, at least one letter; unique in the "
    "store whatever its case.",
    120,
)


def count(description: str) -> Meta:
    return Meta(description=description, extra_json_schema={"minimum": 0, "maximum": MAX_NUMBER})


def amount(description: str) -> Meta:
    return count(f"{description} In the smallest unit of the store's currency (ISO 4217), such as cents.")


def formatted(name: str) -> Meta:
    return text(f"`{name}` as people write it, such as `$19.99`.")


def time(description: str) -> Meta:
    return Meta(description=f"{description} ISO 8601 in UTC, to the second: `2026-11-23T12:00:00Z`.")


class Currency(Output):
    code: Annotated[str, text("ISO 4217 code, such as `USD`.")]
    name: Annotated[str, text("Its English name, such as `US Dollar`.")]
    zero_decimal: Annotated[
        bool, text("Whether it has no smaller unit, so that an amount of 500 yen is `500`.")
    ]


class Address(Output):
    address: Annotated[str, text("Street and number; may be empty.", 200)]
    city: Annotated[str, text("May be empty.", 100)]
    postcode: Annotated[str, text("May be empty.", 20)]
    state: Annotated[str, text("State, province or region; may be empty.", 100)]
    country: Annotated[str, text("ISO 3166-1 alpha-2 code, such as `US`; may be empty.", 2)]


# Filling them.


class Columns(Generic[Kind]):
    """The columns of a model whose values an object in JSON has under the same names."""

    def __init__(self, model: type[models.Model], kind: type[Kind]) -> None:
        self.kind = kind
        fields = kind.__struct_fields__
        columns = {
            name: each
            for each in model._meta.concrete_fields
            for name in (each.name, each.attname)
            if name in fields
        }
        self.names = tuple(columns)
        self.ids = [name for name, each in columns.items() if each.primary_key or each.is_relation]
        self.amounts = [name for name in self.names if f"{name}_formatted" in fields]
        self.constants = {"object": model._meta.model_name} if "object" in fields else {}
        self.has_currency = "currency" in fields

    def fill(self, row: Row, currency: str = "", **others: Any) -> Kind:
        """Make an object of a row. ``others`` are fields that are no columns, or differ from them.

        ``currency`` is that of the row's store, where there are amounts in it.
        """
        values: dict[str, Any] = {name: row[name] for name in self.names}
        for name in self.ids:
            values[name] = None if values[name] is None else str(values[name])
        for name in self.amounts:
            values[f"{name}_formatted"] = format_optional(values[name], currency)
        if self.has_currency:
            values["currency"] = get_currency(currency)
        values |= self.constants
        values |= others
        return self.kind(**values)


def in_seconds(time: datetime) -> datetime:
    """Cut off a fraction of a second: times have one precision in all of the API."""
    return time.replace(microsecond=0)


def format_optional(amount: int | None, currency: str) -> str | None:
    return None if amount is None else money.format_amount(amount, currency)


def address_of(row: Row) -> dict[str, str]:
    return {name: row[name] for name in Address.__struct_fields__}


@lru_cache(maxsize=256)
def get_currency(code: str) -> Currency:
    return Currency(code, money.get_name(code), zero_decimal=money.get_exponent(code) == 0)


class Rows:
    """The rows of a model that one of their columns finds, such as an order's lines by the order's id.

    The SQL is written out: for a page of objects, the ORM takes three times as long to make it up as the
    database to run it.
    """

    def __init__(
        self,
        model: type[models.Model],
        finder: str,
        columns: Sequence[str],
        *,
        joined: Mapping[str, Sequence[str]] | None = None,
        order_by: Sequence[str] = ("id",),
    ) -> None:
        """Name the columns, and those of ``joined`` models by the foreign keys that lead to them.

        In a row the latter are called as the ORM calls them: ``customer__name``.
        """
        self.model = model
        table = model._meta.db_table
        fields: dict[str, Any] = {name: model._meta.get_field(name) for name in (finder, *columns)}
        source = table
        for name, others in (joined or {}).items():
            key: Any = model._meta.get_field(name)
            related = key.related_model._meta
            source += (
                f" JOIN {related.db_table} ON {table}.{key.column} = {related.db_table}.{related.pk.column}"
            )
            fields |= {f"{name}__{other}": related.get_field(other) for other in others}
        self.names = tuple(fields)
        self.readers = [
            (name, READERS[type(field)]) for name, field in fields.items() if type(field) in READERS
        ]
        self.query = (
            f"SELECT {', '.join(map(rows.select, fields.values()))} FROM {source} "  # noqa: S608  # our own names
            f"WHERE {rows.select(fields[finder])} IN ({{ids}}) "
            f"ORDER BY {', '.join(f'{table}.{column}' for column in order_by)}"
        )

    def read(self, ids: Sequence[int]) -> list[Row]:
        """Return the rows that these ids find, in their order. Raises django.db.Error."""
        found = self.read_groups(ids)
        return [row for each in ids for row in found[each]]

    def read_groups(self, ids: Sequence[int]) -> defaultdict[int, list[Row]]:
        """Return the rows that each of these ids finds. Raises django.db.Error."""
        found: defaultdict[int, list[Row]] = defaultdict(list)
        if ids:
            query = self.query.format(ids=", ".join(["%s"] * len(ids)))
            for values in fetch(self.model, query, ids):
                row = dict(zip(self.names, values, strict=True))
                for name, read in self.readers:
                    row[name] = None if row[name] is None else read(row[name])
                found[values[0]].append(row)
        return found


class Ids:
    """The ids of a model's rows with certain values, in an order: to be sliced and counted like a QuerySet.

    The SQL is written out, as that of Rows: to make it up takes the ORM a quarter of the time of a list.
    """

    def __init__(self, model: type[models.Model], values: Mapping[str, Any], order_by: Sequence[str]) -> None:
        """Give the values by the names of their fields, None for none, and the order as QuerySets do."""
        fields: Any = [model._meta.get_field(name) for name in values]
        tests = [
            f"{field.column} {'IS NULL' if value is None else '= %s'}"
            for field, value in zip(fields, values.values(), strict=True)
        ]
        self.model = model
        self.source = f"FROM {model._meta.db_table} WHERE {' AND '.join(tests)}"
        self.order = ", ".join(f"{name[1:]} DESC" if name.startswith("-") else name for name in order_by)
        self.values = [value for value in values.values() if value is not None]

    def __getitem__(self, part: slice) -> list[int]:
        """Return the ids from ``part.start`` up to ``part.stop``, both given. Raises django.db.Error."""
        query = f"SELECT id {self.source} ORDER BY {self.order} LIMIT %s OFFSET %s"
        return [pk for (pk,) in fetch(self.model, query, [*self.values, part.stop - part.start, part.start])]

    def count(self) -> int:
        """Return how many there are. Raises django.db.Error."""
        ((number,),) = fetch(self.model, f"SELECT COUNT(*) {self.source}", self.values)
        return int(number)


def fetch(model: type[models.Model], query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a model's table. Raises django.db.Error."""
    with connections[router.db_for_read(model)].cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def read_seconds(text: str) -> datetime:
    """Return a time, to the second, from a database's text: sooner cut off the text than off the time."""
    seconds, _, rest = text.partition(".")
    return rows.read_time(seconds + rest.lstrip(digits))


READERS = rows.READERS | {models.DateTimeField: read_seconds}
