"""``python -m tests.benchmarks.ours.seed_used KEYS USAGE_DAYS ORDERS``: a store that has grown, beside one
with twenty keys.

Printed as JSON: the cookie of a person who owns both, the header of a key of the grown one, the id of the
small one, and the cursor that leads to the last page of the grown one's orders.
"""

import json
import sys
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from apikeys import lifecycle  # noqa: E402
from apikeys.demo.seed import seed_keys  # noqa: E402
from apikeys.models import Usage  # noqa: E402
from reflow.api.pagination import ListOrder  # noqa: E402
from stores.demo import NORTHWOOD_ID  # noqa: E402
from stores.models import Order, Store  # noqa: E402
from tests.benchmarks.ours.seed import UNLIMITED, settle  # noqa: E402

FEW_KEYS = 20
ORDERS_PER_PAGE = 20
# The demo makes so many days; those before are copies of them.
DAYS = 22


def seed(*, keys: int, usage_days: int, orders: int) -> dict[str, str]:
    call_command("seed_demo", keys=keys, orders=orders, usage_days=DAYS)
    grown = Store.objects.get(pk=NORTHWOOD_ID)
    owner = grown.owners.get()
    few = Store.objects.create(name="Few keys")
    few.owners.add(owner)
    seed_keys(few, count=FEW_KEYS, days=DAYS)
    for earlier in range(DAYS, usage_days, DAYS):
        copy_usage(days_earlier=earlier)
    _, plaintext = lifecycle.insert_key(
        store=grown, name="Benchmark", access=["orders:read"], rate_limit=UNLIMITED
    )
    browser = Client()
    browser.force_login(owner)
    before_last_page = Order.objects.for_store(grown).order_by("created_at", "id")[ORDERS_PER_PAGE]
    order = ListOrder(Order, ("-created_at", "-id"))
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}",
        "header": f"Bearer {plaintext}",
        "few": str(few.pk),
        "end": order.make_cursor(before_last_page, backwards=False),
    }


def copy_usage(*, days_earlier: int) -> None:
    """Let every key have done so many days ago what it did in the newest days, in one statement."""
    if connection.vendor == "sqlite":
        changed = {
            "day": f"date(day, '-{days_earlier} days')",
            "last_at": f"date(last_at, '-{days_earlier} days') || substr(last_at, 11)",
        }
    else:
        changed = {"day": f"day - {days_earlier}", "last_at": f"last_at - interval '{days_earlier} days'"}
    columns = [str(field.column) for field in Usage._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(column, column) for column in columns)
    newest = timezone.now().date() - timedelta(days=DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Usage._meta.db_table} ({', '.join(columns)}) "  # noqa: S608
            f"SELECT {values} FROM {Usage._meta.db_table} WHERE day > %s",
            [newest],
        )


if __name__ == "__main__":
    keys, usage_days, orders = map(int, sys.argv[1:])
    call_command("migrate", verbosity=0)
    known = seed(keys=keys, usage_days=usage_days, orders=orders)
    settle()
    print(json.dumps(known))
