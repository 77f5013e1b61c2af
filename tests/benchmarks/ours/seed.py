"""Fill the databases that ours is measured on; each function returns what requests there need."""

from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.demo.seed import seed_keys
from apikeys.models import Usage
from reflow.api.pagination import ListOrder
from stores.demo import NORTHWOOD_ID
from stores.models import Order, Store

UNLIMITED = 10**9
# Keys that requests are made with.
USED_KEYS = 100
FEW_KEYS = 20
ORDERS_PER_PAGE = 20
# The demo makes so many days for a store that has grown; those before are copies of them.
DAYS = 22


def seed_shop(keys: int, orders: int) -> list[str]:
    """Make the demo store; returns Authorization headers of keys that never run into their limit."""
    call_command("migrate", verbosity=0)
    call_command("seed_demo", keys=keys, orders=orders, usage_days=30)
    store = Store.objects.get(pk=NORTHWOOD_ID)
    headers = [insert_key(store, f"Benchmark {number}") for number in range(USED_KEYS)]
    settle()
    return headers


def seed_used_store(keys: int, usage_days: int, orders: int) -> dict[str, str]:
    """Make a store that has grown, beside one with FEW_KEYS.

    Returns the cookie of a person who owns both, the header of a key of the grown one, the id of the small
    one, and the cursor that leads to the last page of the grown one's orders.
    """
    call_command("migrate", verbosity=0)
    call_command("seed_demo", keys=keys, orders=orders, usage_days=DAYS)
    grown = Store.objects.get(pk=NORTHWOOD_ID)
    owner = grown.owners.get()
    few = Store.objects.create(name="Few keys")
    few.owners.add(owner)
    seed_keys(few, count=FEW_KEYS, days=DAYS)
    for earlier in range(DAYS, usage_days, DAYS):
        copy_usage(days_earlier=earlier)
    browser = Client()
    browser.force_login(owner)
    before_last_page = (
        Order.objects.filter(store=grown).order_by("created_at", "id").values()[ORDERS_PER_PAGE]
    )
    order = ListOrder(Order, ("-created_at", "-id"))
    settle()
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}",
        "header": insert_key(grown, "Benchmark"),
        "few": str(few.pk),
        "end": order.make_cursor(before_last_page, backwards=False),
    }


def insert_key(store: Store, name: str) -> str:
    """Make a key that may read orders; returns its Authorization header."""
    access = ["orders:read"]
    _, plaintext = lifecycle.insert_key(store=store, name=name, access=access, rate_limit=UNLIMITED)
    return f"Bearer {plaintext}"


def copy_usage(*, days_earlier: int) -> None:
    """Let every key have done so many days ago what it did in the newest days.

    It is one statement: models would take minutes.
    """
    if connection.vendor == "sqlite":
        changed = {
            "day": f"date(day, '-{days_earlier} days')",
            "last_at": f"date(last_at, '-{days_earlier} days') || substr(last_at, 11)",
        }
    else:
        changed = {"day": f"day - {days_earlier}", "last_at": f"last_at - interval '{days_earlier} days'"}
    table = Usage._meta.db_table
    columns = [str(field.column) for field in Usage._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(column, column) for column in columns)
    copy = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE day > %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(copy, [timezone.now().date() - timedelta(days=DAYS)])


def settle() -> None:
    """Do now what the database does by itself in the hours after so many rows were written."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("ANALYZE")
        else:
            cursor.execute("VACUUM ANALYZE")
