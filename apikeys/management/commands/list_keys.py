"""``manage.py list_keys``: the keys of a store."""

from typing import Any

from django.core.management.base import CommandParser

from apikeys.management.operator import OperatorCommand, add_store, store_of
from apikeys.models import ApiKey, Suspension
from apikeys.usage import reports


class Command(OperatorCommand):
    help = "Show the keys of a store, the busiest first, with what they did in the last 30 days."

    def add_arguments(self, parser: CommandParser) -> None:
        add_store(parser)

    def handle(self, *, store: str, **options: Any) -> None:
        owner = store_of(store)
        keys = ApiKey.objects.for_store(owner).with_status()
        found = list(keys.select_related("last_use").busiest_first())
        periods = reports.of_keys(found)
        if suspension := Suspension.objects.of_store(owner):
            self.stdout.write(f"Suspended since {suspension.at:%Y-%m-%d %H:%M} UTC: {suspension.reason}")
        self.print_table(
            ("PREFIX", "NAME", "STATUS", "REQUESTS", "REFUSED", "LAST USED (UTC)", "ACCESS"),
            *(
                (
                    *(key.prefix, key.name, key.get_status_display()),
                    *(periods[key.pk].total, periods[key.pk].refused, last_used(key)),
                    " ".join(key.access),
                )
                for key in found
            ),
        )


def last_used(key: ApiKey) -> str:
    return f"{key.last_use.at:%Y-%m-%d %H:%M}" if hasattr(key, "last_use") else "never"
