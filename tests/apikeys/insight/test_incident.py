"""The incident sheet: its numbers are those of a recount of the log, and it says what is not in the log."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.insight.incident import investigate
from apikeys.models import ApiKey, LoggedRequest, Usage
from apikeys.usage import recorder
from tests.conftest import IssueKey
from tests.key_requests import make_request

STRANGER = "203.0.113.9"


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    """A key that its own server uses, and a stranger read customers and changed orders with."""
    key, _ = issue(access=["orders:write", "customers:read"])
    now = timezone.now()
    base = f"/v1/stores/{key.store_id}"
    for minute in range(5):
        recorder.record(make_request(key, at=now - timedelta(minutes=minute), address="192.0.2.1"))
    for number in (1, 2, 2, 3):
        recorder.record(
            make_request(
                key, at=now, address=STRANGER, client="thief/1", resource="customers",
                path=f"{base}/customers/{number}/",
            )
        )  # fmt: skip
    recorder.record(
        make_request(
            key, at=now, address=STRANGER, client="thief/1", access="write", path=f"{base}/orders/7/"
        )
    )
    recorder.record(
        make_request(
            key, at=now, address=STRANGER, client="thief/1", resource="coupons", status_code=401,
            reason="resource_not_allowed", path=f"{base}/coupons/",
        )
    )  # fmt: skip
    Usage.objects.create(
        store_id=key.store_id, key=key, day=now.date() - timedelta(days=30), outcome="succeeded", requests=9,
        last_at=now,
    )  # fmt: skip
    return key


def test_the_numbers_are_those_of_the_log(key: ApiKey) -> None:
    sheet = investigate(key, address=STRANGER, start=None, end=None)
    assert sheet.requests == LoggedRequest.objects.filter(address=STRANGER).count() == 6
    assert [(one.resource, one.access, one.requests, one.objects) for one in sheet.touched] == [
        ("customers", "read", 4, 3), ("orders", "write", 1, 1),
    ]  # fmt: skip
    assert sheet.touched[1].paths == [f"/v1/stores/{key.store_id}/orders/7/"]
    assert sheet.refused == [("resource_not_allowed", 1)]
    assert sheet.unusual == [
        "No other request came from its network, 203.0.113.0/24.",
        "No other request has this program: thief/1.",
        "No other request has this resource: coupons.",
        "No other request has this resource: customers.",
    ]
    assert sheet.unlogged == 9
    assert investigate(key, address="", start=None, end=None).requests == 11
    assert investigate(key, address="", start=None, end=timezone.now() - timedelta(minutes=3)).requests == 2


def test_the_page_shows_it_and_says_what_is_wrong_with_an_address(signed_in: Client, key: ApiKey) -> None:
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/incident/"
    shown = signed_in.get(f"{page}?address={STRANGER}").content.decode()
    for fact in (
        "<b>6</b> requests",
        "3 objects in 4 requests",
        "orders/7/",
        "thief/1",
        "9 requests of this key",
    ):
        assert fact in shown
    assert "is not an IP address" in signed_in.get(f"{page}?address=hello").content.decode()
