"""The one query that every request with a key makes.

Its SQL is written out, and its row becomes no model: for the ORM to write this query and read this row takes
six times as long, more than all the rest of the check.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from apikeys.models import ApiKey
from apikeys.models.key import KeyRules
from stores.models import Store, rows

STORE_FIELDS = ("id", "name", "currency", "changed_at")


@dataclass
class FoundKey(KeyRules):
    """A key, as far as a request needs it. Its fields are columns of the key, and then of its ``store``."""

    pk: int
    store_id: int
    name: str
    prefix: str
    access: list[str]
    expires_at: datetime | None
    allowed_addresses: list[str]
    rate_limit: int | None
    deactivated_at: datetime | None
    reactivates_at: datetime | None
    leaked_at: datetime | None
    suspended_at: datetime | None
    fence: dict[str, Any] | None
    is_canary: bool
    renews_days: int | None
    is_unconfirmed: bool
    replaced_at: datetime | None
    reused_at: datetime | None
    created_at: datetime
    store_name: str
    store_currency: str
    store_changed_at: datetime | None

    @cached_property
    def store(self) -> Store:
        values = (self.store_id, self.store_name, self.store_currency, self.store_changed_at)
        return Store.from_db(DEFAULT_DB_ALIAS, STORE_FIELDS, values)


KEY_FIELDS = {field.attname: field for field in ApiKey._meta.concrete_fields}
# Of the fields that are not called as a column of the key.
OTHER_FIELDS = {"pk": KEY_FIELDS["id"]} | {
    f"store_{name}": Store._meta.get_field(name) for name in STORE_FIELDS[1:]
}
COLUMNS = [(OTHER_FIELDS | KEY_FIELDS)[field.name] for field in fields(FoundKey)]
READERS = [rows.READERS.get(type(column)) for column in COLUMNS]
SELECTED = [rows.select(column, "key" if column.model is ApiKey else "store") for column in COLUMNS]
QUERY = f"""
    SELECT {", ".join(SELECTED)}
    FROM apikeys_apikey key JOIN stores_store store ON store.id = key.store_id
    WHERE key.prefix = %s AND key.digest = %s
"""  # noqa: S608  # names of our own


def find_key(prefix: str, digest: str) -> FoundKey | None:
    """Return the key with this prefix and digest; None for none. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, (prefix, digest))
        row = cursor.fetchone()
    if row is None:
        return None
    return FoundKey(*rows.read(row, READERS))
