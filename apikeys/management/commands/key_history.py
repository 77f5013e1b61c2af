"""``manage.py key_history``: who did what to a key, or to all keys of a store, and when."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apikeys.management.operator import OperatorCommand, add_prefix_or_store, as_prefix, store_of
from apikeys.models import audit


class Command(OperatorCommand):
    help = "Show who did what to a key, or to all keys of a store, newest first. Keys that are deleted, too."

    def add_arguments(self, parser: CommandParser) -> None:
        add_prefix_or_store(parser)

    def handle(self, *, prefix: str | None, store: str | None, **options: Any) -> None:
        lines = audit.of_all_keys(store_of(store)) if store else audit.of_prefix(as_prefix(prefix or ""))
        if not lines:
            raise CommandError("Nothing is recorded.")
        self.print_table(
            ("WHEN (UTC)", "WHO", "TO", "WHAT"),
            *(
                (
                    f"{line.action_time:%Y-%m-%d %H:%M:%S}",
                    line.user.email or line.user,
                    *(line.object_repr, line.get_change_message()),
                )
                for line in lines
            ),
        )
