"""How values of all kinds of objects are written in JSON.

Objects are built as dicts, by hand: on a page of orders, serializer fields would cost more than the database.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from stores.money import format_amount

Row = Mapping[str, Any]


def format_time(time: datetime | None) -> str | None:
    """Return ISO 8601 in UTC, to the second, such as ``2026-11-23T12:00:00Z``."""
    return time.isoformat(timespec="seconds").replace("+00:00", "Z") if time else None


def represent_money(row: Row, columns: Iterable[str], currency: str) -> dict[str, Any]:
    """Return the amounts in these columns, each with its ``…_formatted`` twin; None has None as text."""
    amounts: dict[str, Any] = {}
    for column in columns:
        amount = row[column]
        amounts[column] = amount
        amounts[f"{column}_formatted"] = None if amount is None else format_amount(amount, currency)
    return amounts


def represent_address(row: Row) -> dict[str, str]:
    return {
        "address": row["address"],
        "city": row["city"],
        "postcode": row["postcode"],
        "state": row["state"],
        "country": row["country"],
    }


def group_by(rows: Iterable[Row], column: str) -> defaultdict[Any, list[Row]]:
    """Return the rows by their value in one column, in the order in which they came."""
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups
