"""Columns in SQL that is written out, and the values in the rows that it selects.

Databases hand whole numbers and texts over as they are. Times and JSON are asked for as texts, of which
values are made sooner here than by their drivers.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import models

Reader = Callable[[Any], Any]


def select(field: Any, table: str = "") -> str:
    """Return the column of a field, as it is selected from its table or what stands for that."""
    column = f"{table or field.model._meta.db_table}.{field.column}"
    is_cast = isinstance(field, models.DateTimeField | models.JSONField)
    return f"CAST({column} AS text)" if is_cast else column


def read_time(text: str) -> datetime:
    """Return a time, in UTC, from a database's text, in which SQLite leaves out that it is."""
    time = datetime.fromisoformat(text)
    # replace() takes longer than reading it once more.
    return time.astimezone(UTC) if time.tzinfo else datetime.fromisoformat(f"{text}Z")


# What makes values of the texts and numbers that databases hand over.
READERS: dict[type, Reader] = {
    models.BooleanField: bool,
    models.DateTimeField: read_time,
    models.JSONField: msgspec.json.decode,
}


def read(row: Sequence[Any], readers: Sequence[Reader | None]) -> list[Any]:
    """Return a row's values. ``readers`` are those of its columns, None for a column without one."""
    values = zip(row, readers, strict=True)
    return [value if value is None or reader is None else reader(value) for value, reader in values]
