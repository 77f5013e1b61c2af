"""Refusals: opened by requests, settled by the change that mends them or by the owner, opened again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, Refusal
from apikeys.models.refusals import MAX_ADDRESSES
from apikeys.usage import batch as batches
from apikeys.usage.batch import Batch
from tests.conftest import IssueKey
from tests.key_requests import make_request, write_usage

Change = Callable[[ApiKey, Actor], Any]


def refuse(key: ApiKey, reason: str, **more: Any) -> None:
    """Write a request that is refused now."""
    write_usage(make_request(key, **({"at": timezone.now(), "status_code": 401, "reason": reason} | more)))


def state(key: ApiKey) -> list[tuple[str, str, str, int]]:
    rows = Refusal.objects.filter(key=key).order_by("reason", "scope", "address")
    return [(str(row), row.settled_as, row.client, row.requests) for row in rows]


def update(**changes: Any) -> Change:
    return lambda key, by: lifecycle.update_key(key, by=by, version=key.version, **changes)


def set_columns(**columns: Any) -> Change:
    return lambda key, by: ApiKey.objects.filter(pk=key.pk).update(**columns)


def pause(key: ApiKey, by: Actor) -> None:
    lifecycle.deactivate_key(key, by=by)


def reactivate(key: ApiKey, by: Actor) -> None:
    lifecycle.reactivate_key(key, by=by, version=key.version)


def limit(number: int | None) -> Change:
    return lambda key, by: lifecycle.set_rate_limit(key, by=by, requests_per_minute=number)


def suspend(key: ApiKey, by: Actor) -> None:
    lifecycle.suspend_store(key.store, by=by, reason="Guessing.")


def resume(key: ApiKey, by: Actor) -> None:
    lifecycle.resume_store(key.store, by=by)


ORDERS_WRITE = {"access": "write"}


@pytest.mark.parametrize(
    ("before", "reason", "request_fields", "useless", "mend"),
    [
        (
            update(),
            "resource_not_allowed",
            ORDERS_WRITE,
            update(access=["orders:read", "customers:write"], note="Tried"),
            update(access=["orders:write"]),
        ),
        (
            update(allowed_addresses=["192.0.2.1"]),
            "address_not_allowed",
            {},
            update(allowed_addresses=["192.0.2.0/24"]),
            update(allowed_addresses=["203.0.113.0/24"]),
        ),
        (
            set_columns(expires_at=timezone.now() - timedelta(days=2)),
            "api_key_expired",
            {},
            update(expires_at=timezone.now() - timedelta(days=1)),
            update(expires_at=timezone.now() + timedelta(days=1)),
        ),
        (pause, "api_key_inactive", {}, update(note="Off"), reactivate),
        (suspend, "api_key_inactive", {}, update(note="Off"), resume),
        (limit(5), "rate_limited", {"status_code": 429}, limit(4), limit(6)),
        (limit(5), "rate_limited", {"status_code": 429}, update(note="Slow"), limit(None)),
    ],
    ids=["granted", "allowed", "extended", "reactivated", "resumed", "raised", "no limit of its own"],
)
def test_settle_fixed_follows_the_change_that_mends_the_cause(
    key: ApiKey,
    owner: User,
    before: Change,
    reason: str,
    request_fields: dict[str, Any],
    useless: Change,
    mend: Change,
) -> None:
    by = Actor(owner)
    before(key, by)
    refuse(key, reason, **request_fields)
    refusals = Refusal.objects.filter(key=key)
    for change, is_open in ((useless, True), (mend, False)):
        change(ApiKey.objects.get(pk=key.pk), by)
        assert refusals.open().exists() is is_open
    assert refusals.get().settled_as == "fixed"
    refuse(key, reason, **request_fields)
    assert (refusals.open().get().requests, refusals.get().settled_as) == (2, "")


def test_settle_fixed_takes_rows_in_the_order_of_the_usage_writer(key: ApiKey, owner: User) -> None:
    """A database may have the first of these before the second: two changes of both could deadlock."""
    update(allowed_addresses=["192.0.2.1"])(key, Actor(owner))
    key.refresh_from_db()
    for address in ("2001:db8:1::1", "2001:db8:10::1"):
        refuse(key, "address_not_allowed", status_code=403, address=address)
    first, second = Refusal.objects.filter(key=key).order_by("pk")
    with CaptureQueriesContext(connection) as queries:
        update(allowed_addresses=[])(key, Actor(owner))
    earlier, later = (query["sql"] for query in queries if 'UPDATE "apikeys_refusal"' in query["sql"])
    assert f'"apikeys_refusal"."id" = {second.pk}' in earlier
    assert f'"apikeys_refusal"."id" = {first.pk}' in later
    assert {row.settled_as for row in Refusal.objects.filter(key=key)} == {"fixed"}


def test_resume_store_settles_what_the_suspension_refused_in_queries_for_all_keys(
    issue: IssueKey, owner: User
) -> None:
    by = Actor(owner)
    on, off, expired = keys = [issue(name=name)[0] for name in ("On", "Off", "Expired")]
    pause(off, by)
    set_columns(expires_at=timezone.now())(expired, by)
    for one in keys:
        refuse(one, "api_key_inactive")
        refuse(one, "resource_not_allowed", access="write")
    suspend(on, by)
    with CaptureQueriesContext(connection) as queries:
        resume(on, by)
    assert sum('UPDATE "apikeys_refusal"' in query["sql"] for query in queries) == 1
    inactive, scope = "api_key_inactive", "resource_not_allowed orders:write"
    assert [row for one in keys for row in settled(one)] == [
        (inactive, "fixed"), (scope, ""), (inactive, ""), (scope, ""), (inactive, "fixed"), (scope, ""),
    ]  # fmt: skip


def settled(key: ApiKey) -> list[tuple[str, str]]:
    return [(cause, settled_as) for cause, settled_as, _, _ in state(key)]


def test_write_of_a_late_batch_opens_nothing_that_was_fixed(key: ApiKey, owner: User) -> None:
    refuse(key, "resource_not_allowed", access="write")
    earlier = timezone.now()
    update(access=["orders:write"])(key, Actor(owner))
    refuse(key, "resource_not_allowed", access="write", at=earlier)
    assert state(key) == [("resource_not_allowed orders:write", "fixed", "curl/8", 2)]


def test_leave_holds_while_requests_are_counted(key: ApiKey, owner: User) -> None:
    refuse(key, "resource_not_allowed", access="write", client="first")
    refusals = Refusal.objects.filter(key=key)
    assert refusals.leave() == 1
    refuse(key, "resource_not_allowed", access="write", client="second")
    update(access=["orders:write"])(key, Actor(owner))
    assert state(key) == [("resource_not_allowed orders:write", "left", "second", 2)]
    assert not refusals.open().exists()
    assert (refusals.reopen(), refusals.open().count()) == (1, 1)


def test_open_asks_for_the_last_seven_days(key: ApiKey) -> None:
    refuse(key, "api_key_expired", at=timezone.now() - timedelta(days=7, seconds=1))
    assert not Refusal.objects.open().exists()
    refuse(key, "api_key_expired", at=timezone.now() - timedelta(days=6))
    assert Refusal.objects.open().get().requests == 2


@pytest.mark.parametrize("batches", [1, 30])
def test_write_bounds_the_addresses_of_a_key(issue: IssueKey, key: ApiKey, batches: int) -> None:
    other, _ = issue()
    addresses = [f"192.0.2.{number}" for number in range(MAX_ADDRESSES + 10)]
    size = len(addresses) // batches
    refused = {"status_code": 401, "reason": "address_not_allowed"}
    for start in range(0, len(addresses), size):
        some = addresses[start : start + size]
        write_usage(*(make_request(one, address=ip, **refused) for ip in some for one in (key, other)))
    refuse(key, "address_not_allowed", address=addresses[0])
    refuse(key, "address_not_allowed", address=addresses[-1])
    rows = dict(Refusal.objects.filter(key=key).values_list("address", "requests"))
    assert rows == {"": 11, addresses[0]: 2} | dict.fromkeys(addresses[1:MAX_ADDRESSES], 1)
    assert Refusal.objects.filter(key=other).count() == MAX_ADDRESSES + 1


def test_batch_bounds_the_addresses_that_it_counts_apart(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_REFUSED_ADDRESSES", 2)
    key, _ = issue()
    batch = Batch(uuid4(), 1)
    for number in (1, 2, 1, 3):
        address = f"192.0.2.{number}"
        batch.add(make_request(key, address=address, status_code=401, reason="address_not_allowed"))
    counted = {cause.address: refused.requests for cause, refused in batch.refusals.items()}
    assert counted == {"192.0.2.1": 2, "192.0.2.2": 1, "": 1}


@pytest.mark.parametrize("columns", [{"settled_as": "fixed"}, {"settled_at": timezone.now()}])
def test_refusal_is_settled_at_a_time_and_as_something(key: ApiKey, columns: dict[str, Any]) -> None:
    refuse(key, "api_key_expired")
    with pytest.raises(IntegrityError, match="refusal_is_settled_as_something"), transaction.atomic():
        Refusal.objects.update(**columns)
