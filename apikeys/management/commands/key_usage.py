"""``manage.py key_usage``: what a key, or all keys of a store, did in the last 30 days."""

from typing import Any

from django.core.management.base import CommandParser

from apikeys.management.operator import OperatorCommand, add_prefix_or_store, key_of, store_of
from apikeys.models import ApiKey
from apikeys.usage import reports
from apikeys.usage.periods import Period


class Command(OperatorCommand):
    help = "Show the requests of a key, or of all keys of a store, by day (UTC) and what they came to."

    def add_arguments(self, parser: CommandParser) -> None:
        add_prefix_or_store(parser)

    def handle(self, *, prefix: str | None, store: str | None, **options: Any) -> None:
        if store:
            self.print_days(reports.of_store(store_of(store)))
        else:
            key = key_of(prefix or "")
            self.print_days(reports.of_keys([key])[key.pk])
            self.print_resources(key)

    def print_days(self, period: Period) -> None:
        self.print_table(
            ("DAY", "SUCCEEDED", "REFUSED", "FAILED"),
            *(
                (f"{day.start:%Y-%m-%d}", day.succeeded, day.refused, day.failed)
                for day in period.bars
                if day.total
            ),
            ("30 days", period.succeeded, period.refused, period.failed),
        )

    def print_resources(self, key: ApiKey) -> None:
        uses = reports.by_resource(key)
        self.stdout.write("")
        self.print_table(
            ("RESOURCE", "SUCCEEDED", "REFUSED", "FAILED"),
            *((name, use["succeeded"], use["refused"], use["failed"]) for name, use in uses.items()),
        )
