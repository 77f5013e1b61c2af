"""Which keys need attention: each reason, what ends it, and that the list shows those that were counted."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, ApiKeyUsage, AuditEntry, LastUse, RefusalUsage
from apikeys.usage.attention import Attention, needing_attention, needs_attention
from stores.models import Store
from tests.conftest import IssueKey


def reasons_of(key: ApiKey) -> set[str]:
    """The reasons for which the list shows this key."""
    of_store = ApiKey.objects.for_store(key.store)
    return {reason.value for reason in Attention if key in needing_attention(of_store, reason.value)}


@pytest.fixture
def make(issue: IssueKey) -> Any:
    """Makes a key: days since it was created and last used, and until it expires."""

    def make_key(
        *, created: float = 0, used: float | None = None, expires: float | None = None, **columns: Any
    ) -> ApiKey:
        now = timezone.now()
        key, _ = issue(access=columns.pop("access", ["orders:read"]))
        created_at = now - timedelta(days=created)
        ApiKey.objects.filter(pk=key.pk).update(
            created_at=created_at,
            expires_at=None if expires is None else now + timedelta(days=expires),
            **columns,
        )
        AuditEntry.objects.filter(key=key).update(at=created_at)
        if used is not None:
            at = now - timedelta(days=used)
            LastUse.objects.create(key=key, at=at, method="GET", status_code=200)
        return key

    return make_key


def refuse(key: ApiKey, *, days_ago: float) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    RefusalUsage.objects.create(key=key, date=at.date(), reason="address", requests=1, last_at=at)


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"created": 29}, set()),
        ({"created": 31}, {"never-used"}),
        ({"created": 100, "used": 89}, set()),
        ({"created": 100, "used": 91}, {"idle-90-days"}),
        ({"created": 31, "expires": -1}, set()),
        ({"created": 31, "expires": -1, "used": 2}, set()),
        ({"created": 31, "expires": -2, "used": 1}, {"expired-called"}),
        ({"created": 31, "expires": 8, "used": 1}, set()),
        ({"created": 31, "expires": 6, "used": 1}, {"expiring-soon"}),
        ({"created": 31, "deactivated_at": timezone.now()}, set()),
        ({"created": 31, "suspended_at": timezone.now()}, set()),
        ({"created": 31, "expires": -2, "used": 1, "deactivated_at": timezone.now()}, set()),
        ({"created": 31, "used": 1, "access": ["orders:write"]}, {"write-unused"}),
        ({"created": 29, "used": 1, "access": ["orders:write"]}, set()),
        ({"created": 61, "used": 31, "access": ["orders:write"]}, set()),
    ],
)
def test_a_key_needs_attention_for(make: Any, given: dict[str, Any], reasons: set[str]) -> None:
    assert reasons_of(make(**given)) == reasons


def test_a_refusal_needs_attention_until_the_key_is_changed(make: Any) -> None:
    key = make(created=20, used=1)
    refuse(key, days_ago=1)
    assert reasons_of(key) == {"refused-since-change"}
    key.refresh_from_db()
    lifecycle.update_key(key, by=Actor(), version=key.version, access=["orders:read", "customers:read"])
    assert reasons_of(key) == set()


@pytest.mark.parametrize(("resource", "reasons"), [("orders", set()), ("products", {"write-unused"})])
def test_write_access_is_used_by_a_write_to_that_resource(
    make: Any, resource: str, reasons: set[str]
) -> None:
    key = make(created=31, used=1, access=["orders:write"])
    now = timezone.now()
    ApiKeyUsage.objects.create(
        key=key,
        date=now.date(),
        resource=resource,
        access="write",
        outcome="succeeded",
        requests=1,
        last_at=now,
    )
    assert reasons_of(key) == reasons


def test_each_reason_is_one_line_and_all_take_two_queries(make: Any, store: Store) -> None:
    for _ in range(2):
        make(created=31)
    make(created=31, expires=6)
    with CaptureQueriesContext(connection) as captured:
        lines = needs_attention(store)
    assert len(captured) == 2
    path = f"/stores/{store.pk}/settings/api-keys/"
    assert [(str(line), line.path) for line in lines] == [
        ("1 key expiring within 7 days", f"{path}?attention=expiring-soon"),
        ("3 keys never used in 30 days", f"{path}?attention=never-used"),
    ]


def test_another_stores_keys_are_no_concern(make: Any, other_store: Store) -> None:
    make(created=31)
    assert needs_attention(other_store) == []
