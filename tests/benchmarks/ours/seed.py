"""``python -m tests.benchmarks.ours.seed KEYS ORDERS``: the demo store, and what a program of it sends.

The header of one of its keys, which may read orders and never runs into its limit, is printed as JSON.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from apikeys.models import ApiKey  # noqa: E402
from stores.models import Store  # noqa: E402

STORE = 267418190
UNLIMITED = 10**9
USAGE_DAYS = 30


def seed(*, keys: int, orders: int) -> str:
    """Fill the demo store; returns the Authorization header of one more key."""
    call_command("seed_demo", keys=keys, orders=orders, usage_days=USAGE_DAYS)
    _, plaintext = ApiKey.objects.draw(
        store=Store.objects.get(pk=STORE), name="Benchmark", access=["orders:read"], rate_limit=UNLIMITED
    )
    return f"Bearer {plaintext}"


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(keys=int(sys.argv[1]), orders=int(sys.argv[2]))))
