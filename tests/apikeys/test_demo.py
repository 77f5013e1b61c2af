"""The demo's keys, as ``manage.py seed_demo`` makes them."""

from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command

from apikeys.models import ApiKey, AuditEntry, Email, Event, StoreUsage, TokenExchange
from stores.demo import NORTHWOOD_ID
from stores.models import Store
from tests.shop import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def test_seed_demo_makes_a_key_of_each_status_with_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_OWNER_PASSWORD", "let me have a look")
    call_command("seed_demo", orders=1)
    keys = ApiKey.objects.for_store(Store.objects.get(pk=NORTHWOOD_ID)).kept().with_status()
    assert {key.status for key in keys} == {
        *("leaked", "canary-used", "off", "still-called", "refused", "failing", "quiet", "expiring"),
        "working",
    }
    assert set(AuditEntry.objects.values_list("event", flat=True)) == {
        *(Event.CREATED, Event.UPDATED, Event.DEACTIVATED, Event.REACTIVATED, Event.LEAKED),
        *(Event.TRUSTED, Event.EXCHANGED),
    }
    for key in keys:
        entries = AuditEntry.objects.for_key(key).order_by("at")
        assert (entries[0].event, entries[0].at) == (Event.CREATED, key.created_at)
        assert all(entry.sentence for entry in entries)
    assert keys.get(renews_days__isnull=False).is_usable(NOON)
    taken, refused = TokenExchange.objects.filter(trust__store=NORTHWOOD_ID)
    assert (taken.prefix, refused.prefix) == (ApiKey.objects.get(trust=taken.trust).prefix, "")
    assert not Email.objects.exists()
    assert all(user.check_password("let me have a look") for user in User.objects.all())


def test_seed_demo_names_copies_of_keys_and_changes_nothing_when_run_again() -> None:
    call_command("seed_demo", orders=1, keys=120, usage_days=3)
    keys = ApiKey.objects.filter(store=NORTHWOOD_ID)
    assert keys.count() == len(set(keys.values_list("name", flat=True))) == 120
    usage = set(StoreUsage.objects.values_list())
    assert len({day for _, _, day, *_ in usage}) == 3
    call_command("seed_demo", orders=1, keys=30)
    assert keys.count() == 120
    assert set(StoreUsage.objects.values_list()) == usage
