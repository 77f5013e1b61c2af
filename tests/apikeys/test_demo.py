"""The demo's keys, as ``manage.py seed_demo`` makes them."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command

from apikeys.models import ApiKey, AuditEntry, Email, Event, LoggedRequest, StoreUsage, TokenExchange
from stores.demo import NORTHWOOD_ID
from stores.models import Store
from tests.shop import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def test_seed_demo_makes_a_key_of_each_status(monkeypatch: pytest.MonkeyPatch) -> None:
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
    fenced = keys.get(fence__isnull=False)
    assert (fenced.access, fenced.allowed_addresses) == (["customers:read"], ["203.0.113.101"])
    assert keys.get(renews_days__isnull=False).is_usable(NOON)
    taken, refused = TokenExchange.objects.filter(trust__store=NORTHWOOD_ID)
    assert (taken.prefix, refused.prefix) == (ApiKey.objects.get(trust=taken.trust).prefix, "")
    assert not Email.objects.exists()
    assert all(user.check_password("let me have a look") for user in User.objects.all())


def test_seed_demo_logs_every_request_of_14_days() -> None:
    call_command("seed_demo", orders=1)
    totals: Counter[tuple[date, str]] = Counter()
    for day, outcome, requests in StoreUsage.objects.filter(store=NORTHWOOD_ID).values_list(
        "day", "outcome", "requests"
    ):
        totals[day, outcome] += requests
    days = {day for day, _ in totals}
    assert (len(days), min(days), max(days)) == (30, NOON.date() - timedelta(days=29), NOON.date())
    logged: Counter[tuple[date, str]] = Counter()
    for at, status in LoggedRequest.objects.filter(store=NORTHWOOD_ID).values_list("at", "status"):
        logged[at.date(), {200: "succeeded", 401: "refused"}.get(status, "failed")] += 1
    first_logged = NOON.date() - timedelta(days=13)
    assert logged == {key: requests for key, requests in totals.items() if key[0] >= first_logged}
    assert {outcome for _, outcome in logged} == {"succeeded", "refused", "failed"}
    moments = list(
        LoggedRequest.objects.filter(store=NORTHWOOD_ID).order_by("pk").values_list("at", flat=True)
    )
    assert moments == sorted(moments)
    assert moments[-1] <= NOON


def test_seed_demo_names_copies_of_keys() -> None:
    call_command("seed_demo", orders=1, keys=120, usage_days=3)
    keys = ApiKey.objects.filter(store=NORTHWOOD_ID)
    assert keys.count() == len(set(keys.values_list("name", flat=True))) == 120
    assert StoreUsage.objects.filter(store=NORTHWOOD_ID).values("day").distinct().count() == 3


def test_seed_demo_again_changes_nothing() -> None:
    call_command("seed_demo", orders=1, usage_days=1)
    before = list(ApiKey.objects.values_list("pk", flat=True)), list(StoreUsage.objects.values_list())
    call_command("seed_demo", orders=1, keys=30)
    assert (
        list(ApiKey.objects.values_list("pk", flat=True)),
        list(StoreUsage.objects.values_list()),
    ) == before
