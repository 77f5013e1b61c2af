"""Partitions of tables that PostgreSQL divides by time: made ahead, and dropped when they are too old.

Rows of a time that has no partition are in the table's default partition, and stay there. On SQLite, whose
tables are not divided, nothing is made or dropped.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, connection, transaction

logger = logging.getLogger(__name__)

# Whoever waits for a lock on the table holds up all who come after: better to try again tomorrow.
LOCK_TIMEOUT = "3s"


def months_after(day: date, count: int) -> list[date]:
    """Return the first days of so many months that follow the day's own."""
    months = [day]
    while len(months) <= count:
        months.append((months[-1].replace(day=1) + timedelta(days=31)).replace(day=1))
    return months[1:]


def make_partitions(table: str, days: Sequence[date]) -> list[str]:
    """Make a partition from each of these days to the next, unless there is one; returns the new ones' names.

    None of the days may have begun: its rows may be in the default partition. Raises OperationalError where
    a lock on the table cannot be had within LOCK_TIMEOUT; what was done before stays done.
    """
    if connection.vendor != "postgresql":
        return []
    names = [_make_partition(table, start, end) for start, end in pairwise(days)]
    return [name for name in names if name]


def drop_partitions(table: str, before: date) -> list[str]:
    """Drop the partitions that end before this day begins; returns their names.

    It takes as long for a million rows as for one. Raises OperationalError as ``make_partitions`` does.
    """
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        old = [name for name, end in _ends(cursor, table).items() if end <= before]
    for name in old:
        with _locking() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
    return old


def _make_partition(table: str, start: date, end: date) -> str | None:
    """Make one partition; None where there is one, or rows of it are in the default partition already.

    A table that is made first and attached then needs no lock that keeps others from the rows.
    """
    name = f"{table}_{start:%Y%m%d}"
    try:
        with _locking() as cursor:
            # Whoever makes it at the same time waits here, and finds it then. It holds up nobody else.
            cursor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
            if start < max(_ends(cursor, table).values(), default=date.min):
                return None
            cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {table} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')"
            )
    except IntegrityError:
        logger.warning("%s gets no partition for %s: it has rows of that time already", table, start)
        return None
    return name


@contextmanager
def _locking() -> Iterator[Any]:
    """Open a transaction that gives up waiting for a lock; yields its cursor."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        yield cursor


def _ends(cursor: Any, table: str) -> dict[str, date]:
    """Return the day on which each partition's rows end, by its name, the default one left out."""
    cursor.execute(
        r"""
        SELECT name, until::date FROM (
            SELECT inhrelid::regclass::text AS name,
                   substring(pg_get_expr(relpartbound, inhrelid) FROM $$ TO \('([^']+)'\)$$) AS until
            FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = %s::regclass
        ) partitions WHERE until IS NOT NULL ORDER BY 2
        """,
        [table],
    )
    return dict(cursor.fetchall())
