"""Upkeep of the request log, once a day: partitions are made ahead, and what is too old is dropped.

On PostgreSQL a day is a partition, and dropping it takes as long for a million rows as for one. Rows of a day
without a partition are in the default partition; they, and all rows on SQLite, are deleted in portions.
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from apikeys.models import HourlyUsage, LoggedRequest

logger = logging.getLogger(__name__)

DAYS_AHEAD = 7
HOURLY_USAGE_KEPT = timedelta(days=2)
ROWS_PER_TRANSACTION = 5_000
# Whoever waits for a lock on the table holds up all who come after: better to try again tomorrow.
LOCK_TIMEOUT = "3s"

TABLE = LoggedRequest._meta.db_table


@dataclass(slots=True)
class Upkeep:
    """What was done: the days whose partitions were made and dropped, and how many rows were deleted."""

    made: list[date] = field(default_factory=list)
    dropped: list[date] = field(default_factory=list)
    deleted: int = 0


def maintain_request_log() -> Upkeep:
    """Make the partitions of the coming days, and drop what is older than REQUEST_LOG_DAYS.

    It can be run at any time and as often as one likes. Raises OperationalError where a lock on the table
    cannot be had within LOCK_TIMEOUT; what was done before stays done.
    """
    upkeep = Upkeep()
    today = timezone.now().date()
    first = today - timedelta(days=settings.REQUEST_LOG_DAYS - 1)
    if connection.vendor == "postgresql":
        existing = _days_with_partition()
        # Never that of a day which has begun: its rows may be in the default partition.
        for day in (today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 1)):
            if day not in existing and _make_partition(day):
                upkeep.made.append(day)
        for day in existing:
            if day < first:
                _drop_partition(day)
                upkeep.dropped.append(day)
    upkeep.deleted = delete_before(LoggedRequest, "at", datetime.combine(first, time.min, UTC))
    delete_before(HourlyUsage, "hour", timezone.now() - HOURLY_USAGE_KEPT)
    return upkeep


def delete_before(model: type[models.Model], column: str, moment: datetime) -> int:
    """Delete rows from before a moment, a portion to a transaction; returns how many.

    Ids follow time but for a few rows, which go next time: so it takes no index of the column.
    """
    rows = model._default_manager.order_by("pk")
    deleted = 0
    while True:
        oldest = rows.values_list("pk", column)[:ROWS_PER_TRANSACTION]
        old = [pk for pk, at in oldest if at < moment]
        if not old:
            return deleted
        deleted += rows.filter(pk__in=old).delete()[0]


def _days_with_partition() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE]
        )
        suffixes = [name.removeprefix(f"{TABLE}_") for (name,) in cursor.fetchall()]
    return sorted(datetime.strptime(s, "%Y%m%d").date() for s in suffixes if s.isdigit())  # noqa: DTZ007


def _make_partition(day: date) -> bool:
    """Make a day's partition; False where rows of it are in the default partition already.

    A table that is made first and attached then needs no lock that keeps others from the log.
    """
    name = f"{TABLE}_{day:%Y%m%d}"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {TABLE} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
            )
    except IntegrityError:
        logger.warning("The request log gets no partition for %s: it has requests of that day already", day)
        return False
    return True


def _drop_partition(day: date) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"DROP TABLE {TABLE}_{day:%Y%m%d}")
