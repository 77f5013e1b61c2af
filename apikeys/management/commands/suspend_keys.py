"""``manage.py suspend_keys``: stop all keys of a store at once."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apikeys import lifecycle
from apikeys.lifecycle import StoreSuspended
from apikeys.management.operator import add_by, add_store, operator, store_of
from apikeys.models import Suspension


class Command(BaseCommand):
    help = (
        "Refuse all keys of a store from the next request on, let it create none, and tell its owners why, "
        "until resume_keys. The keys stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_store(parser)
        parser.add_argument("--reason", required=True, help="what the store's owners are told")
        add_by(parser)

    def handle(self, *, store: str, reason: str, by: str | None, **options: Any) -> None:
        suspended = store_of(store)
        acting = operator(by)
        try:
            Suspension(store=suspended, reason=reason).clean_fields()
            lifecycle.suspend_store(suspended, by=acting, reason=reason)
        except ValidationError as error:
            raise CommandError(f"The reason will not do: {' '.join(error.messages)}") from error
        except StoreSuspended as error:
            raise CommandError(f"The keys of {suspended} are suspended already.") from error
        self.stdout.write(f"All keys of {suspended} are suspended.")
