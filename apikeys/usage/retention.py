"""Deletes what is old, once a day: usage, the request log, refusals, e-mail, reminders and claims.

On PostgreSQL a day of the request log is a partition, made ahead, and dropping it takes as long for a million
rows as for one. Rows of a day without a partition are in the default partition; they, all rows on SQLite, and
all other tables are deleted a few thousand rows at a time, which holds up nobody.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apikeys.models import (
    ApiKey,
    Email,
    HourlyUsage,
    KeptAnswer,
    KnownNetwork,
    LastUse,
    LoggedRequest,
    Refusal,
    Reminder,
    StoreUsage,
    Usage,
    UsageWriter,
)
from apikeys.models.kept_answer import ANSWERS_KEPT
from apikeys.models.usage import first_day
from stores.models import Change
from stores.models.changes import DAYS_KEPT

logger = logging.getLogger(__name__)

ROWS_PER_TRANSACTION = 5_000

# Rhythms are told from the last four weeks.
HOURLY_USAGE_KEPT = timedelta(weeks=5)
# A batch that failed is handed in again within seconds: then nobody asks after it any more.
WRITERS_KEPT = timedelta(days=1)
SENT_EMAILS_KEPT = timedelta(days=14)
FAILED_EMAILS_KEPT = timedelta(days=90)

LOG_TABLE = LoggedRequest._meta.db_table
LOG_DAYS_AHEAD = 7
# Whoever waits for a lock on the table holds up all who come after: better to try again tomorrow.
LOCK_TIMEOUT = "3s"


def delete_old_usage() -> None:
    """Delete counts older than USAGE_KEPT_DAYS, old answers, and what was noted of keys that are gone."""
    first = first_day(days=settings.USAGE_KEPT_DAYS)
    midnight, now = datetime.combine(first, time.min, UTC), timezone.now()
    delete_before(Usage, "day", first)
    delete_before(StoreUsage, "day", first)
    delete_before(HourlyUsage, "hour", now - HOURLY_USAGE_KEPT)
    Refusal.objects.filter(last_at__lt=midnight).delete()
    UsageWriter.objects.filter(at__lt=now - WRITERS_KEPT).delete()
    delete_before(KeptAnswer, "created_at", now - ANSWERS_KEPT)
    is_gone = ~Exists(ApiKey.objects.filter(pk=OuterRef("key_id")))
    LastUse.objects.filter(is_gone).delete()
    KnownNetwork.objects.filter(is_gone).delete()


def delete_old_changes() -> None:
    """Delete what the shop's feed of changes no longer leads to."""
    delete_before(Change, "at", timezone.now() - timedelta(days=DAYS_KEPT))


def delete_old_emails() -> None:
    """Delete e-mails that were sent or given up long ago, and that owners were reminded of something."""
    now = timezone.now()
    old = Q(sent_at__lt=now - SENT_EMAILS_KEPT) | Q(failed_at__lt=now - FAILED_EMAILS_KEPT)
    Email.objects.filter(old).delete()
    Reminder.objects.filter(at__lt=now - timedelta(days=settings.USAGE_KEPT_DAYS)).delete()


def maintain_request_log() -> None:
    """Make the partitions of the coming days, and delete what is older than REQUEST_LOG_DAYS.

    It can be run at any time and as often as one likes. Raises OperationalError where a lock on the table
    cannot be had within LOCK_TIMEOUT; what was done before stays done.
    """
    today = timezone.now().date()
    first = today - timedelta(days=settings.REQUEST_LOG_DAYS - 1)
    if connection.vendor == "postgresql":
        for ahead in range(1, LOG_DAYS_AHEAD + 1):
            make_partition(today + timedelta(days=ahead))
        drop_partitions(before=first)
    delete_before(LoggedRequest, "at", datetime.combine(first, time.min, UTC))


def delete_before(model: type[models.Model], column: str, moment: date) -> None:
    """Delete the rows from before a day or a moment, a portion to a transaction.

    Ids follow time but for a few rows, which go next time: so it takes no index of the column.
    """
    rows = model._default_manager.order_by("pk")
    while True:
        oldest = rows.values_list("pk", column)[:ROWS_PER_TRANSACTION]
        old = [pk for pk, at in oldest if at < moment]
        if not old:
            return
        rows.filter(pk__in=old).delete()


def make_partition(day: date) -> None:
    """Make the log's partition of a day that has not begun, unless there is one.

    A table that is made first and attached then needs no lock that keeps others from the rows.
    """
    name = partition_of(day)
    try:
        with _locking() as cursor:
            # Whoever makes it at the same time waits here, and finds it then. It holds up nobody else.
            cursor.execute(f"LOCK TABLE {LOG_TABLE} IN SHARE UPDATE EXCLUSIVE MODE")
            if name in partitions(cursor):
                return
            cursor.execute(f"CREATE TABLE {name} (LIKE {LOG_TABLE} INCLUDING ALL)")
            cursor.execute(
                f"ALTER TABLE {LOG_TABLE} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
            )
    except IntegrityError:
        # They stay in the default partition.
        logger.warning("The request log gets no partition for %s: it has rows of that day already", day)


def drop_partitions(*, before: date) -> None:
    """Drop the log's partitions that end before this day begins."""
    with connection.cursor() as cursor:
        old = [name for name in partitions(cursor) if name < partition_of(before)]
    for name in old:
        with _locking() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")


@contextmanager
def _locking() -> Iterator[Any]:
    """Open a transaction that gives up waiting for a lock; yields its cursor."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        yield cursor


def partition_of(day: date) -> str:
    """Return the name of a day's partition: by their names, days are in their order."""
    return f"{LOG_TABLE}_{day:%Y%m%d}"


def partitions(cursor: Any) -> list[str]:
    """Return the names of the log's partitions of a day each, without the default one and any other."""
    cursor.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = %s::regclass AND relname ~ %s",
        [LOG_TABLE, f"^{LOG_TABLE}_[0-9]{{8}}$"],
    )
    return [name for (name,) in cursor.fetchall()]
