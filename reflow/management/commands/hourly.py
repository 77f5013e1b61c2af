"""``manage.py hourly``: look for keys that have fallen silent, and for callers of rolled keys."""

from typing import Any

from django.core.management.base import BaseCommand

from apikeys.insight import callers, rhythm
from reflow.management.commands.daily import do_steps


class Command(BaseCommand):
    help = (
        "Tell owners of keys that have fallen silent, and whether all callers of a rolled key have moved. "
        "Run it once an hour; twice, or on two machines, does no harm."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        do_steps("hourly", STEPS)


STEPS = (rhythm.look_for_silence, callers.tell_of_moves)
