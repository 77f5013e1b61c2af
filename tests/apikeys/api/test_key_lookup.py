"""The written-out query finds what the ORM would."""

from dataclasses import asdict, fields
from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from apikeys.api.key_lookup import FoundKey, find_key
from apikeys.models import ApiKey
from stores.models import Store
from tests.conftest import IssueKey


@pytest.mark.parametrize("is_full", [True, False])
def test_it_finds_what_the_orm_finds(issue: IssueKey, *, is_full: bool) -> None:
    now = timezone.now()
    full = {"expires_at": now + timedelta(days=1), "allowed_addresses": ["203.0.113.0/24", "2001:db8::1"]}
    key, plaintext = issue(**(full if is_full else {}))
    if is_full:
        lifecycle.set_rate_limit(key, by=Actor(), requests_per_minute=7)
        lifecycle.deactivate_key(key, by=Actor(), until=now + timedelta(hours=1))
        lifecycle.suspend_store(key.store, by=Actor(), reason="Guessing.")
        Store.objects.update(changed_at=now)
    found = find_key(key.prefix, key_text.digest(plaintext))
    expected = ApiKey.objects.select_related("store").get(pk=key.pk)
    assert found is not None
    store = expected.store
    of_store = {f"store_{name}": getattr(store, name) for name in ("name", "currency", "changed_at")}
    names = [field.name for field in fields(FoundKey) if field.name not in of_store]
    assert asdict(found) == {name: getattr(expected, name) for name in names} | of_store
    assert (found.store, found.store.name, found.store.currency) == (store, "Northwood", "USD")
    assert found.store.created_at == store.created_at
