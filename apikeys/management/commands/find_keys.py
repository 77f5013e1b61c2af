"""``manage.py find_keys``: which keys are in a leak."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.management.operator import add_file, text_of
from apikeys.models import ApiKey


class Command(BaseCommand):
    help = (
        "Find the whole keys in a log, a diff or any other text. "
        "Nothing of the text is kept or printed. Ends with status 1 when there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_file(parser)

    def handle(self, *, file: str, **options: Any) -> None:
        found = ApiKey.objects.with_status().select_related("store").in_leak(text_of(file))
        if not found:
            raise CommandError("There is no whole key of this site in it.")
        for key in found:
            self.stdout.write(f"{key.prefix} of {key.store} ({key.store_id}), {key.name}: {key.state.word}")
