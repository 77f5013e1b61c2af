"""Fill the databases that ours is measured on; each function returns what requests there need."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from apikeys import key_text, lifecycle
from apikeys.demo.seed import seed_keys
from apikeys.models import ApiKey, Usage
from reflow.api.pagination import ListOrder
from stores.demo import NORTHWOOD_ID
from stores.models import Order, Store

UNLIMITED = 10**9
# Keys that requests are made with: few of the demo store, a thousand of one with very many.
USED_KEYS, USED_KEYS_OF_MANY = 100, 1_000
FEW_KEYS = 20
ORDERS_PER_PAGE = 20
# The demo makes so many days for a store that has grown; those before are copies of them.
DAYS = 22
PREFIXES = 16**key_text.PREFIX_LENGTH
# Odd, so that numbers in sequence come to prefixes all over the range, and no two to the same.
SPREAD = 165_580_141
# A row for each number to %s.
NUMBERS = """(
    WITH RECURSIVE numbers (number) AS (
        SELECT CAST(1 AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number < %s
    )
    SELECT number FROM numbers
) AS numbers"""


def seed_shop(keys: int, orders: int) -> list[str]:
    """Make the demo store; returns Authorization headers of keys that never run into their limit."""
    call_command("migrate", verbosity=0)
    call_command("seed_demo", keys=keys, orders=orders, usage_days=30)
    store = Store.objects.get(pk=NORTHWOOD_ID)
    headers = [insert_key(store, f"Benchmark {number}")[1] for number in range(USED_KEYS)]
    settle()
    return headers


def seed_many_keys(number: int) -> list[str]:
    """Make a store with as many keys, most of which nobody can use; returns the headers of the others."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        store = Store.objects.create(pk=NORTHWOOD_ID, name="Many keys")
        inserted = [insert_key(store, f"Key {index}") for index in range(USED_KEYS_OF_MANY)]
        copy_key(inserted[USED_KEYS_OF_MANY // 2][0], times=max(1, number - USED_KEYS_OF_MANY))
    settle()
    return [header for _, header in inserted]


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
    _, header = insert_key(grown, "Benchmark")
    browser = Client()
    browser.force_login(owner)
    before_last_page = Order.objects.for_store(grown).order_by("created_at", "id").values()[ORDERS_PER_PAGE]
    order = ListOrder(Order, ("-created_at", "-id"))
    settle()
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}",
        "header": header,
        "few": str(few.pk),
        "end": order.make_cursor(before_last_page, backwards=False),
    }


def insert_key(store: Store, name: str) -> tuple[ApiKey, str]:
    """Make a key that may read orders; returns it and its Authorization header."""
    access = ["orders:read"]
    key, plaintext = lifecycle.insert_key(store=store, name=name, access=access, rate_limit=UNLIMITED)
    return key, f"Bearer {plaintext}"


def copy_key(key: ApiKey, *, times: int) -> None:
    prefix = "printf('%%07x', {})" if connection.vendor == "sqlite" else "lpad(to_hex({}), 7, '0')"
    prefix = prefix.format(f"(number * {SPREAD}) %% {PREFIXES}")
    changed = {
        "prefix": prefix,
        "digest": f"{prefix} || substr(digest, {key_text.PREFIX_LENGTH + 1})",
        "name": "'Copy ' || number",
        "comparable_name": "'copy ' || number",
    }
    copy_rows(ApiKey, changed, f", {NUMBERS} WHERE id = %s ON CONFLICT (prefix) DO NOTHING", [times, key.pk])


def copy_usage(*, days_earlier: int) -> None:
    """Let every key have done so many days ago what it did in the newest days."""
    if connection.vendor == "sqlite":
        changed = {
            "day": f"date(day, '-{days_earlier} days')",
            "last_at": f"date(last_at, '-{days_earlier} days') || substr(last_at, 11)",
        }
    else:
        changed = {"day": f"day - {days_earlier}", "last_at": f"last_at - interval '{days_earlier} days'"}
    copy_rows(Usage, changed, "WHERE day > %s", [timezone.now().date() - timedelta(days=DAYS)])


def copy_rows(model: type[Model], changed: dict[str, str], which: str, parameters: list[Any]) -> None:
    """Add copies of rows with some of their columns changed, in one statement: models would take minutes."""
    table = model._meta.db_table
    columns = [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(column, column) for column in columns)
    copy = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} {which}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(copy, parameters)


def settle() -> None:
    """Do now what the database does by itself in the hours after so many rows were written."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute("ANALYZE")
        else:
            cursor.execute("VACUUM ANALYZE")
