"""``manage.py key_requests``: the newest requests of a key, or of all keys of a store."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apikeys.management.operator import OperatorCommand, add_prefix_or_store, count_to, key_of, store_of
from apikeys.models import LoggedRequest

DEFAULT_ROWS = 50


class Command(OperatorCommand):
    help = "Show the newest requests of a key, or of all keys of a store, and what they came to."

    def add_arguments(self, parser: CommandParser) -> None:
        add_prefix_or_store(parser)
        parser.add_argument("--errors", action="store_true", help="only those that were refused or failed")
        parser.add_argument(
            "--limit",
            type=count_to(10_000),
            default=DEFAULT_ROWS,
            help="how many, the newest first (default: %(default)s)",
        )

    def handle(
        self, *, prefix: str | None, store: str | None, errors: bool, limit: int, **options: Any
    ) -> None:
        log = LoggedRequest.objects
        rows = log.for_store(store_of(store)) if store else log.for_key(key_of(prefix or "").pk)
        if errors:
            rows = rows.with_error()
        newest = rows.newest_first()[:limit]
        if not newest:
            raise CommandError("No request is in the request log.")
        self.print_table(
            ("WHEN (UTC)", "KEY", "METHOD", "PATH", "STATUS", "REASON", "MS", "FROM", "CLIENT", "REQUEST ID"),
            *(
                (
                    *(f"{row.at:%Y-%m-%d %H:%M:%S}", row.prefix, row.method, row.path, row.status),
                    *(row.reason or "", row.milliseconds, row.address or "", row.client, row.request_id),
                )
                for row in newest
            ),
        )
