"""``manage.py find_keys``: which keys are in a leak."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apikeys.management.operator import OperatorCommand, add_file, text_of
from apikeys.models import ApiKey


class Command(OperatorCommand):
    help = (
        "Find the keys in a log, a diff or any other text: whole, masked, or by their prefix. "
        "Nothing of the text is kept or printed. Ends with status 1 when there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_file(parser)

    def handle(self, *, file: str, **options: Any) -> None:
        found = ApiKey.objects.with_status().select_related("store").in_leak(text_of(file))
        if not found:
            raise CommandError("There is no key of this site in it.")
        self.print_table(
            ("PREFIX", "STORE", "STORE'S NAME", "KEY'S NAME", "STATUS", "IN IT"),
            *(
                (
                    key.prefix,
                    key.store.pk,
                    key.store,
                    key.name,
                    key.state.word,
                    "the whole key" if whole else "its prefix",
                )
                for key, whole in found
            ),
        )
