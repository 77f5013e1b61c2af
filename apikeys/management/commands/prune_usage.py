"""``manage.py prune_usage``: delete what was counted on days long past, and make partitions for what will be.

On PostgreSQL a month of usage is a partition: it is made ahead, and goes when all of its days are too old.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from apikeys.management.operator import OperatorCommand, count_to
from apikeys.models import ApiKeyUsage, RefusalUsage, StoreUsage, UsageWriter
from apikeys.models.usage import PERIOD_DAYS, first_day
from apikeys.usage.partitions import drop_partitions, make_partitions, months_after

MONTHS_AHEAD = 3
ROWS_PER_TRANSACTION = 5_000

# A batch that failed is handed in again within seconds: then nobody asks after it any more.
WRITERS_KEPT = timedelta(days=1)


class Command(OperatorCommand):
    help = (
        "Delete the daily figures of keys, and those of stores, that are older than so many days. "
        "It takes a few thousand rows at a time and holds up nobody; what it has begun, the next run ends. "
        "On PostgreSQL, make the partitions of the coming months, and delete whole months."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=count_to(36_500),
            default=settings.USAGE_KEPT_DAYS,
            help=f"days to keep, today included: {PERIOD_DAYS} or more (USAGE_KEPT_DAYS: %(default)s)",
        )

    def handle(self, *, days: int, **options: Any) -> None:
        if days < PERIOD_DAYS:
            raise CommandError(f"The pages show {PERIOD_DAYS} days: keep as many, or more.")
        first = first_day(days=days)
        if connection.vendor == "postgresql":
            # Deleted row by row, a month would be empty before it can be dropped.
            first = first.replace(day=1)
        months = months_after(timezone.now().date(), MONTHS_AHEAD + 1)
        for what, model in (("keys", ApiKeyUsage), ("stores", StoreUsage), ("refusals", RefusalUsage)):
            made = make_partitions(model._meta.db_table, months)
            dropped = drop_partitions(model._meta.db_table, before=first)
            if made or dropped:
                self.stdout.write(
                    f"Usage of {what}: {len(made)} partitions are made, {len(dropped)} are dropped."
                )
            deleted = delete_in_portions(model.objects.filter(date__lt=first).order_by("date"))
            self.stdout.write(f"Usage of {what}: {deleted:,} rows from before {first} are deleted.")
        delete_in_portions(UsageWriter.objects.filter(at__lt=timezone.now() - WRITERS_KEPT))


def delete_in_portions(rows: QuerySet[Any]) -> int:
    """Delete rows that nothing refers to; returns how many."""
    total = 0
    while deleted := delete_some(rows):
        total += deleted
    return total


@transaction.atomic
def delete_some(rows: QuerySet[Any]) -> int:
    # Those that another run of this is deleting are left to it.
    ids = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:ROWS_PER_TRANSACTION]
    deleted: int = rows.filter(pk__in=list(ids)).delete()[0]
    return deleted
