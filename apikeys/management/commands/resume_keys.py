"""``manage.py resume_keys``: lift what suspend_keys did."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys import lifecycle
from apikeys.management.operator import add_by, add_store, operator, store_of


class Command(BaseCommand):
    help = (
        "Let the keys of a suspended store work again, those that worked before, and tell its owners. "
        "Keys that their owners had deactivated stay so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_store(parser)
        add_by(parser)

    def handle(self, *, store: str, by: str | None, **options: Any) -> None:
        resumed = store_of(store)
        acting = operator(by)
        if not lifecycle.resume_store(resumed, by=acting):
            raise CommandError(f"The keys of {resumed} are not suspended.")
        self.stdout.write(f"The keys of {resumed} are resumed.")
