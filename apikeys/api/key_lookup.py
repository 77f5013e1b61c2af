"""The one query that every request with a key makes.

Its SQL is written out and its row becomes a key by ``Model.from_db``: for the ORM to write this query and
read this row takes six times as long, more than all the rest of the check.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from apikeys.models import ApiKey
from stores.models import Store


def _moment(value: datetime) -> datetime:
    """Return a moment as an aware datetime: SQLite has it without a zone, in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


# What a request needs of a key: reading any other field costs a query. In the order of the model's fields,
# as from_db() takes them, each with what makes its value of the database's where that is not null.
FIELDS: dict[str, Callable[[Any], Any] | None] = {
    "id": None,
    "store_id": None,
    "name": None,
    "prefix": None,
    "digest": None,
    "access": json.loads,
    "expires_at": _moment,
    "allowed_addresses": json.loads,
    "rate_limit": None,
    "deactivated_at": _moment,
    "reactivates_at": _moment,
    "leaked_at": _moment,
    "suspended_at": _moment,
    "fence": json.loads,
    "is_canary": bool,
    "is_unconfirmed": bool,
    "replaced_at": _moment,
    "reused_at": _moment,
    "created_at": _moment,
}
STORE_FIELDS = ("id", "name", "currency", "changed_at")
CONVERTERS = tuple(FIELDS.values())
QUERY = f"""
    SELECT {", ".join(f"key.{name}" for name in FIELDS)}, store.name, store.currency, store.changed_at
    FROM apikeys_apikey key JOIN stores_store store ON store.id = key.store_id
    WHERE key.prefix = %s AND key.digest = %s
"""  # noqa: S608  # names of our own


def find_key(prefix: str, digest: str) -> ApiKey | None:
    """Return the key with this prefix and digest, with its store; None for none. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, (prefix, digest))
        row = cursor.fetchone()
    if row is None:
        return None
    *columns, store_name, store_currency, store_changed_at = row
    values = [
        value if value is None or convert is None else convert(value)
        for value, convert in zip(columns, CONVERTERS, strict=True)
    ]
    key: ApiKey = ApiKey.from_db(DEFAULT_DB_ALIAS, FIELDS, values)
    store = (key.store_id, store_name, store_currency, store_changed_at and _moment(store_changed_at))
    key.store = Store.from_db(DEFAULT_DB_ALIAS, STORE_FIELDS, store)
    return key
