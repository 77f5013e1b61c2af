"""``manage.py find_keys``: which keys are in a leak."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.management.operator import add_file, text_of
from apikeys.models import ApiKey

HEAD = ("PREFIX", "STORE", "STORE'S NAME", "KEY'S NAME", "STATUS")


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
        rows = [(key.prefix, key.store.pk, key.store, key.name, key.state.word) for key in found]
        self.stdout.write(format_table(HEAD, *rows))


def format_table(*rows: Iterable[object]) -> str:
    """Return columns as wide as their widest cell."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def printable(cell: object) -> str:
    """Return a cell in which nothing moves the cursor or turns the text round, as a name can."""
    return "".join(character if character.isprintable() else "?" for character in str(cell))
