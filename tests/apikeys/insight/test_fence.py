"""Fences: a key is limited to what it used, its owner is told of what that refuses, and it is undone."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.insight.fence import plan_fence
from apikeys.insight.rehearsal import rehearse
from apikeys.models import ApiKey, AuditEntry
from apikeys.usage import recorder
from tests.conftest import IssueKey, bearer, deliver_emails
from tests.key_requests import make_request

ORDERS = "/v1/stores/267418190/orders/"


def record(key: ApiKey, *addresses: str, days_ago: int = 1, **more: Any) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    for address in addresses:
        recorder.record(make_request(key, at=at, address=address, **more))


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key that used half of its access, from two offices and one address elsewhere."""
    key, _ = issue(access=["orders:write", "customers:read"])
    record(key, "192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.9", "2001:db8::1")
    record(key, "198.51.100.1", status_code=401, reason="resource_not_allowed", resource="coupons")
    record(key, "198.51.100.2", days_ago=20)
    return key


def test_a_fence_refuses_nothing_of_a_fortnight(key: ApiKey, owner: User) -> None:
    plan = plan_fence(key)
    assert plan is not None
    assert plan.access == ["orders:read"]
    assert sorted(plan.allowed_addresses) == ["192.0.2.0/24", "2001:db8::1", "203.0.113.9"]
    assert (plan.callers, plan.clients, plan.rehearsal.works, plan.rehearsal.fails) == (5, 1, 5, 0)
    lifecycle.fence_key(
        key, by=Actor(owner), version=1, access=plan.access, allowed_addresses=plan.allowed_addresses
    )
    assert rehearse(key).fails == 0
    assert plan_fence(key) is None


def test_nothing_is_planned_where_it_is_not_known_or_takes_nothing_away(
    key: ApiKey, issue: IssueKey, settings: Any
) -> None:
    unused, _ = issue()
    assert plan_fence(unused) is None
    settings.REQUEST_LOG_DAYS = 3
    assert plan_fence(key) is None
    settings.REQUEST_LOG_DAYS = 14
    ApiKey.objects.filter(pk=key.pk).update(access=["orders:read"], allowed_addresses=["203.0.113.9"])
    narrow = ApiKey.objects.get(pk=key.pk)
    assert plan_fence(narrow) is None
    record(narrow, "192.0.2.1")
    ApiKey.objects.filter(pk=key.pk).update(allowed_addresses=[])
    assert plan_fence(ApiKey.objects.get(pk=key.pk)) is not None


def test_a_stranger_at_a_new_fence_is_an_email_once_an_hour(
    signed_in: Client, client: Client, issue: IssueKey
) -> None:
    key, plaintext = issue(access=["orders:read", "customers:read"])
    record(key, "127.0.0.1")
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/"
    assert "0 of 1 requests would have been refused" in signed_in.get(page).text
    signed_in.post(f"{page}fence/", {"version": key.version})
    key.refresh_from_db()
    assert (key.access, key.allowed_addresses) == (["orders:read"], ["127.0.0.1"])
    assert "Fenced to what it used. Removed customers:read." in AuditEntry.objects.for_key(key)[0].sentence
    deliver_emails().clear()
    assert client.get(ORDERS, headers=bearer(plaintext)).status_code == 200
    assert deliver_emails() == []
    for _ in range(3):
        client.get(ORDERS, headers=bearer(plaintext) | {"User-Agent": "curl/8"}, REMOTE_ADDR="203.0.113.9")
    (email,) = deliver_emails()
    assert email.subject == f"API key {key.prefix} was refused by its fence: {key.name}"
    assert "- 203.0.113.9, same program (curl/8): 3 requests, last " in email.body
    assert f"Let in or leave refused: http://testserver{page}#refusals" in email.body
    assert "Allow 203.0.113.9" in signed_in.get(page).text
    hours = [key.is_gate_open(timezone.now() + timedelta(hours=passed)) for passed in (47, 49)]
    assert hours == [True, False]
    shown = signed_in.get(page).text
    assert "Take the fence away" in shown
    signed_in.post(f"{page}fence/", {"version": key.version, "undo": "1"})
    key.refresh_from_db()
    assert (key.access, key.allowed_addresses, key.fence) == (["orders:read", "customers:read"], [], None)
    assert "Fence taken away." in AuditEntry.objects.for_key(key)[0].sentence
    assert deliver_emails()[-1].subject == f"API key {key.prefix} was given more access: {key.name}"


def test_a_fence_of_a_key_that_changed_meanwhile_does_nothing(signed_in: Client, key: ApiKey) -> None:
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/"
    for data in ({"version": key.version + 1}, {}, {"version": "x", "undo": "1"}):
        assert "has changed meanwhile" in signed_in.post(f"{page}fence/", data, follow=True).text
    key.refresh_from_db()
    assert key.version == 1
