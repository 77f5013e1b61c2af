"""``python -m tests.benchmarks.ours.seed KEYS ORDERS``: the demo store, and what its programs send.

The Authorization headers of some of its keys, which may read orders and never run into their limit, are
printed as a JSON list.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from apikeys import lifecycle  # noqa: E402
from stores.demo import NORTHWOOD_ID  # noqa: E402
from stores.models import Store  # noqa: E402

USAGE_DAYS = 30
IN_USE = 100
UNLIMITED = 10**9


def seed(*, keys: int, orders: int) -> list[str]:
    """Fill the demo store, and draw a few more keys: returns their headers."""
    call_command("seed_demo", keys=keys, orders=orders, usage_days=USAGE_DAYS)
    store = Store.objects.get(pk=NORTHWOOD_ID)
    drawn = (
        lifecycle.insert_key(
            store=store, name=f"Benchmark {number}", access=["orders:read"], rate_limit=UNLIMITED
        )
        for number in range(IN_USE)
    )
    return [f"Bearer {plaintext}" for _, plaintext in drawn]


def settle() -> None:
    """Do now what the database does by itself in the hours after so many rows were written."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("ANALYZE")
        else:
            cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    headers = seed(keys=int(sys.argv[1]), orders=int(sys.argv[2]))
    settle()
    print(json.dumps(headers))
