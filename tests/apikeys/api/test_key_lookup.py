"""The written-out query finds what the ORM would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from apikeys.api.key_lookup import FIELDS, find_key
from apikeys.models import ApiKey
from tests.conftest import IssueKey


def test_its_fields_are_in_the_order_of_the_models() -> None:
    order = [field.attname for field in ApiKey._meta.concrete_fields]
    assert sorted(FIELDS, key=order.index) == list(FIELDS)


@pytest.mark.parametrize("is_full", [True, False])
def test_it_finds_what_the_orm_finds(issue: IssueKey, *, is_full: bool) -> None:
    now = timezone.now()
    full = {"expires_at": now + timedelta(days=1), "allowed_addresses": ["203.0.113.0/24", "2001:db8::1"]}
    key, plaintext = issue(**(full if is_full else {}))
    if is_full:
        lifecycle.set_rate_limit(key, by=Actor(), requests_per_minute=7)
        lifecycle.deactivate_key(key, by=Actor(), until=now + timedelta(hours=1))
        lifecycle.suspend_store(key.store, by=Actor(), reason="Guessing.")
    found = find_key(key.prefix, key_text.digest(plaintext))
    expected = ApiKey.objects.select_related("store").get(pk=key.pk)
    assert found is not None
    assert {name: getattr(found, name) for name in FIELDS} == {
        name: getattr(expected, name) for name in FIELDS
    }
    assert (found.store.pk, found.store.name, found.store.currency) == (267418190, "Northwood", "USD")
    assert found.get_deferred_fields() == {f.attname for f in ApiKey._meta.concrete_fields} - set(FIELDS)
