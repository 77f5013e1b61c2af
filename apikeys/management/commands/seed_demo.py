"""``manage.py seed_demo``: two stores to look at, with their keys and a month of usage."""

from typing import Any

import environ
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from apikeys.demo.seed import seed_keys
from stores.demo.seed import seed
from stores.models import Store


class Command(BaseCommand):
    help = "Fill the database with demo stores, keys and usage. What is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=600, help="orders of the first store")
        parser.add_argument("--keys", type=int, help="its keys, instead of those described")
        parser.add_argument("--usage-days", type=int, default=30, help="days of usage of each key")

    @transaction.atomic
    def handle(self, *, orders: int, keys: int | None, usage_days: int, **options: Any) -> None:
        first, second = seed(orders=orders)
        password = environ.Env().str("DEMO_OWNER_PASSWORD", default="")
        for store in (first, second):
            give_password(store, password)
        seed_keys(first, count=keys, days=usage_days)
        seed_keys(second, count=1, days=usage_days)


def give_password(store: Store, password: str) -> None:
    """Let the store's owners sign in with this password, where they have none yet."""
    for owner in store.owners.all():
        if password and not owner.has_usable_password():
            owner.set_password(password)
            owner.save(update_fields=["password"])
