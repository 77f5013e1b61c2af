"""``python -m tests.benchmarks.ours.seed_many NUMBER``: a store with very many keys, and what some send.

The Authorization headers of a thousand of them are printed as a JSON list.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from apikeys import key_text, lifecycle  # noqa: E402
from apikeys.models import ApiKey  # noqa: E402
from stores.demo import NORTHWOOD_ID  # noqa: E402
from stores.models import Store  # noqa: E402
from tests.benchmarks.ours.seed import UNLIMITED, settle  # noqa: E402

IN_USE = 1_000
PREFIXES = 16**key_text.PREFIX_LENGTH
# Odd, so that numbers in sequence come to prefixes all over the range, and no two to the same.
SPREAD = 165_580_141


@transaction.atomic
def seed(number: int) -> list[str]:
    """Give a new store as many keys; returns the headers of IN_USE of them. Nobody can use the others."""
    store = Store.objects.create(pk=NORTHWOOD_ID, name="Many keys")
    headers: list[str] = []
    for index in range(IN_USE):
        key, plaintext = lifecycle.insert_key(
            store=store, name=f"Key {index}", access=["orders:read"], rate_limit=UNLIMITED
        )
        headers.append(f"Bearer {plaintext}")
        if index == IN_USE // 2:
            copy(key, times=max(1, number - IN_USE))
    return headers


def copy(key: ApiKey, *, times: int) -> None:
    """Add so many copies of a key in one statement: models would take minutes."""
    prefix = "printf('%%07x', {})" if connection.vendor == "sqlite" else "lpad(to_hex({}), 7, '0')"
    prefix = prefix.format(f"(number * {SPREAD}) %% {PREFIXES}")
    changed = {
        "prefix": prefix,
        "digest": f"{prefix} || substr(digest, {key_text.PREFIX_LENGTH + 1})",
        "name": "'Copy ' || number",
        "comparable_name": "'copy ' || number",
    }
    columns = [str(field.column) for field in ApiKey._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE numbers (number) AS (
                SELECT CAST(1 AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number < %s
            )
            INSERT INTO {ApiKey._meta.db_table} ({", ".join(columns)})
            SELECT {values} FROM {ApiKey._meta.db_table}, numbers WHERE id = %s
            ON CONFLICT (prefix) DO NOTHING
            """,  # noqa: S608
            [times, key.pk],
        )


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    sent = seed(int(sys.argv[1]))
    settle()
    print(json.dumps(sent))
