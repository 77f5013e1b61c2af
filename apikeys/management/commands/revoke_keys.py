"""``manage.py revoke_keys``: deactivate keys that have leaked."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys import lifecycle
from apikeys.management.operator import add_by, add_file, key_of, operator, text_of
from apikeys.models import ApiKey


class Command(BaseCommand):
    help = (
        "Deactivate every key that is whole in a text, such as a log or a list, and tell their owners. "
        "With --prefix, those keys instead."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_file(parser)
        parser.add_argument("--prefix", nargs="+", default=[], help="prefixes of keys to deactivate")
        add_by(parser)

    def handle(self, *, file: str, prefix: list[str], by: str | None, **options: Any) -> None:
        acting = operator(by)
        found = [key_of(text) for text in prefix] or ApiKey.objects.in_leak(text_of(file))
        if not found:
            raise CommandError("There is no whole key of this site in it.")
        ended = {key.pk for key in lifecycle.report_leaked_keys(found, by=acting)}
        for key in found:
            verb = "is" if key.pk in ended else "was already"
            self.stdout.write(f"{key.prefix} of {key.store} {verb} deactivated for good.")
