"""A shop in a new database: ``python -m tests.resilience.shop`` makes it and prints its key."""

from datetime import timedelta
from pathlib import Path

import django


def main() -> None:
    django.setup()

    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone

    from apikeys import lifecycle
    from stores.models import Store
    from stores.resources import SCOPES
    from tests.shop import make_customer, make_line, make_order

    call_command("migrate", interactive=False, verbosity=0)
    if not any(Path(settings.STATIC_ROOT).iterdir()):
        call_command("collectstatic", interactive=False, verbosity=0)
    store = Store.objects.create(id=267418190, name="Northwood")
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse battery staple")
    store.owners.add(owner)
    customer = make_customer(store)
    for number in range(1, 21):
        make_line(make_order(customer, number))
    for expires_at in (None, timezone.now() + timedelta(minutes=30)):
        _, plaintext = lifecycle.insert_key(
            store=store, name=f"Expires {expires_at}", access=list(SCOPES), expires_at=expires_at
        )
        print(plaintext)


if __name__ == "__main__":
    main()
