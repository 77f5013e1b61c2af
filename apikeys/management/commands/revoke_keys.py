"""``manage.py revoke_keys``: deactivate leaked keys, listed one a line in a file or on standard input."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys.models import ApiKey


class Command(BaseCommand):
    help = "Deactivate the keys in a file, or on standard input, one a line, and tell their owners."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="a path, or - for standard input")

    def handle(self, *, file: str, **options: Any) -> None:
        handed_in = set(read(file).split())
        found = ApiKey.objects.presented_as(handed_in)
        for key in found:
            key.report_leaked()
            self.stdout.write(f"{key.prefix} of {key.store} is deactivated")
        self.stdout.write(f"{len(found)} of {len(handed_in)} keys exist.")


def read(file: str) -> str:
    """The text of a file, ``-`` being standard input. Raises CommandError where it cannot be read."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
