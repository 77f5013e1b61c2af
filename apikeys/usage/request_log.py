"""Upkeep of the request log, once a day: partitions are made ahead, and what is too old is dropped.

On PostgreSQL a day is a partition, and dropping it takes as long for a million rows as for one. Rows of a day
without a partition are in the default partition; they, and all rows on SQLite, are deleted in portions.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from apikeys.models import HourlyUsage, LoggedRequest
from apikeys.usage.partitions import drop_partitions, make_partitions

DAYS_AHEAD = 7
HOURLY_USAGE_KEPT = timedelta(days=2)
ROWS_PER_TRANSACTION = 5_000

TABLE = LoggedRequest._meta.db_table


@dataclass(slots=True)
class Upkeep:
    """What was done: the names of partitions that were made and dropped, and how many rows were deleted."""

    made: list[str]
    dropped: list[str]
    deleted: int


def maintain_request_log() -> Upkeep:
    """Make the partitions of the coming days, and drop what is older than REQUEST_LOG_DAYS.

    It can be run at any time and as often as one likes. Raises OperationalError where a lock on the table
    cannot be had within LOCK_TIMEOUT; what was done before stays done.
    """
    today = timezone.now().date()
    first = today - timedelta(days=settings.REQUEST_LOG_DAYS - 1)
    upkeep = Upkeep(
        made=make_partitions(TABLE, [today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 2)]),
        dropped=drop_partitions(TABLE, before=first),
        deleted=delete_before(LoggedRequest, "at", datetime.combine(first, time.min, UTC)),
    )
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
