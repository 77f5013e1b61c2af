"""The base of responses: classes that are both the objects and their description in the document.

A class is filled from a dict of the database, without model instances or serializers: on a page of orders
these would cost more than the database. Its fields' texts, limits and types are what the OpenAPI document
says of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.db import connections, models, router
from msgspec import Meta

from stores import money

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
    """The columns of a model, and annotations, whose values an object in JSON has under the same names."""

    def __init__(self, model: type[models.Model], kind: type[Kind], *annotations: str) -> None:
        self.kind = kind
        fields = kind.__struct_fields__
        columns = {
            name: each
            for each in model._meta.concrete_fields
            for name in (each.name, each.attname)
            if name in fields
        }
        self.names = (*columns, *annotations)
        self.ids = [name for name, each in columns.items() if each.primary_key or each.is_relation]
        self.times = [name for name, each in columns.items() if isinstance(each, models.DateTimeField)]
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
        for name in self.times:
            values[name] = values[name] and in_seconds(values[name])
        for name in self.amounts:
            values[f"{name}_formatted"] = format_optional(values[name], currency)
        if self.has_currency:
            values["currency"] = get_currency(currency)
        return self.kind(**values | self.constants | others)


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


class Parts:
    """The rows that belong to objects, such as an order's lines, read by one query for a page of objects.

    Its SQL is written out, which the ORM takes three times as long for as the database for the whole query.
    The columns are whole numbers and texts: every database hands these over as they are.
    """

    def __init__(
        self, model: type[models.Model], owner: str, columns: Sequence[str], *, order_by: str
    ) -> None:
        self.model = model
        self.columns = (owner, *columns)
        self.query = (
            f"SELECT {', '.join(self.columns)} FROM {model._meta.db_table} "  # noqa: S608  # names of our own
            f"WHERE {owner} IN ({{ids}}) ORDER BY {order_by}"
        )

    def read(self, owners: Sequence[int]) -> defaultdict[int, list[Row]]:
        """Return the rows of these objects, by the object's id. Raises django.db.Error."""
        groups: defaultdict[int, list[Row]] = defaultdict(list)
        if owners:
            query = self.query.format(ids=", ".join(["%s"] * len(owners)))
            with connections[router.db_for_read(self.model)].cursor() as cursor:
                cursor.execute(query, owners)
                for row in cursor.fetchall():
                    groups[row[0]].append(dict(zip(self.columns, row, strict=True)))
        return groups
