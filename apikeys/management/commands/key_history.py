"""``manage.py key_history``: who did what to a key, or to all keys of a store, and when."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apikeys.management.operator import OperatorCommand, add_prefix_or_store, as_prefix, store_of
from apikeys.models import AuditEntry


class Command(OperatorCommand):
    help = "Show who did what to a key, or to all keys of a store, newest first. Keys that are deleted, too."

    def add_arguments(self, parser: CommandParser) -> None:
        add_prefix_or_store(parser)

    def handle(self, *, prefix: str | None, store: str | None, **options: Any) -> None:
        log = AuditEntry.objects
        lines = log.for_store(store_of(store)) if store else log.for_prefix(as_prefix(prefix or ""))
        if not lines:
            raise CommandError("Nothing is recorded.")
        self.print_table(
            ("WHEN (UTC)", "WHO", "FROM", "TO", "WHAT"),
            *(
                (
                    f"{line.at:%Y-%m-%d %H:%M:%S}",
                    line.actor_name,
                    line.address or "",
                    line.subject,
                    line.sentence,
                )
                for line in lines
            ),
        )
