"""A shop with keys: ``python -m tests.resilience.shop`` makes it in a new database, and prints new keys."""

from datetime import timedelta
from secrets import token_hex

import django

from tests.server import PASSWORD

OWNER = "owner@example.com"


def main() -> None:
    django.setup()

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone

    from apikeys import lifecycle
    from stores.models import Store
    from stores.resources import SCOPES
    from tests.shop import make_customer, make_line, make_order

    call_command("migrate", interactive=False, verbosity=0)
    store, is_new = Store.objects.get_or_create(id=267418190, name="Northwood")
    if is_new:
        store.owners.add(User.objects.create_user(OWNER, OWNER, PASSWORD))
        customer = make_customer(store)
        for number in range(1, 21):
            make_line(make_order(customer, number))
    for expires_at in (None, timezone.now() + timedelta(minutes=30)):
        _, plaintext = lifecycle.insert_key(
            store=store, name=f"Key {token_hex(8)}", access=list(SCOPES), expires_at=expires_at
        )
        print(plaintext)


if __name__ == "__main__":
    main()
