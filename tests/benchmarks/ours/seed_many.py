"""``python -m tests.benchmarks.ours.seed_many NUMBER``: a store with very many keys, and what some send.

The Authorization headers of a thousand of them, from all over the table, are printed as a JSON list.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from apikeys import keys  # noqa: E402
from apikeys.models import ApiKey  # noqa: E402
from stores.demo_catalogue import NORTHWOOD  # noqa: E402
from stores.models import Store  # noqa: E402
from tests.benchmarks.ours.seed import UNLIMITED  # noqa: E402

IN_USE = 1_000
AT_ONCE = 10_000


def seed(number: int) -> list[str]:
    """Give a new store as many keys; returns the headers of IN_USE of them, evenly spread."""
    store = Store.objects.create(pk=NORTHWOOD.id, name=NORTHWOOD.name)
    drawn: dict[str, str] = {}
    while len(drawn) < number:
        prefix, plaintext = keys.generate()
        drawn[prefix] = plaintext
    rows = (
        ApiKey(
            store=store,
            name=f"Key {prefix}",
            prefix=prefix,
            digest=keys.digest(plaintext),
            access=["orders:read"],
            rate_limit=UNLIMITED,
        )
        for prefix, plaintext in drawn.items()
    )
    ApiKey.objects.bulk_create(rows, batch_size=AT_ONCE)
    return [f"Bearer {plaintext}" for plaintext in list(drawn.values())[:: number // IN_USE]]


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(int(sys.argv[1]))))
