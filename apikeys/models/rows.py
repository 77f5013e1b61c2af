"""Rows that written-out SQL selects, as Python's values."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import json

Reader = Callable[[Any], Any]
AS_JSON = {"access", "allowed_addresses", "claims", "fence"}


def readers(names: Iterable[str]) -> list[Reader | None]:
    """Return for each column what makes a value of what a database hands over; None for nothing."""
    return [_reader(name) for name in names]


def read(row: Sequence[Any], by: Sequence[Reader | None]) -> list[Any]:
    """Return a row's values. ``by`` are the readers of its columns."""
    values = zip(row, by, strict=True)
    return [value if value is None or read is None else read(value) for value, read in values]


def _reader(name: str) -> Reader | None:
    if name in AS_JSON:
        return json.decode
    if name.endswith("_at"):
        return _moment
    return bool if name.startswith("is_") else None


def _moment(value: datetime) -> datetime:
    """Return a moment as an aware datetime: SQLite has it without a zone, in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
