"""The incident sheet: its numbers are those of a recount of the log, and it says what is not in the log."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.insight import fence, incident
from apikeys.insight.fence import addresses_of
from apikeys.insight.incident import investigate
from apikeys.models import ApiKey, LoggedRequest
from apikeys.usage import recorder
from tests.conftest import IssueKey
from tests.key_requests import count_usage, make_request

STRANGER = "203.0.113.9"


@pytest.fixture
def night() -> datetime:
    """Three o'clock in the night before."""
    return timezone.now().replace(hour=3, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def key(issue: IssueKey, night: datetime) -> ApiKey:
    """A key that its own server uses, and a stranger read customers and changed orders with in the night."""
    key, _ = issue(access=["orders:write", "customers:read"])
    for minute in range(1, 6):
        at = night - timedelta(minutes=minute)
        recorder.record(make_request(key, at=at, address="192.0.2.1"))
    refused = {"status_code": 401, "reason": "resource_not_allowed"}
    theirs: list[tuple[str, str, dict[str, Any]]] = [
        *(("customers", f"customers/{number}", {}) for number in ("1", "2/", "2/", "3/", "")),
        ("orders", "orders/7/", {"access": "write"}),
        ("coupons", "coupons/", refused),
    ]
    for resource, path, more in theirs:
        fields = {"at": night, "address": STRANGER, "client": "thief/1", "resource": resource, **more}
        recorder.record(make_request(key, path=f"/v1/stores/{key.store_id}/{path}", **fields))
    count_usage(key, 9, days_ago=31)
    return key


def test_the_numbers_are_those_of_the_log(key: ApiKey, night: datetime) -> None:
    sheet = investigate(key, address=STRANGER, start=None, end=None)
    assert sheet["requests"] == LoggedRequest.objects.filter(address=STRANGER).count() == 7
    assert [tuple(one.values())[:5] for one in sheet["touched"]] == [
        ("customers", "read", 5, 1, 3),
        ("orders", "write", 1, 0, 1),
    ]
    assert sheet["touched"][1]["paths"] == ["/orders/7"]
    assert sheet["refused"] == [("resource_not_allowed", 1)]
    assert sheet["unusual"] == [
        "No other request came from its network, 203.0.113.0/24.",
        "No other request came with this program: thief/1.",
        "No other request came for this access: coupons:read, customers:read, orders:write.",
        "No other request came in this hour of the day (UTC): 03:00.",
    ]
    assert sheet["unlogged"] == [("orders:read", "succeeded", 9)]
    assert investigate(key, address="", start=night, end=None)["unlogged"] == []
    assert investigate(key, address="", start=None, end=None)["requests"] == 12
    assert investigate(key, address="", start=None, end=night - timedelta(minutes=3))["requests"] == 2


def test_the_page_shows_it_and_says_what_is_wrong_with_an_address(signed_in: Client, key: ApiKey) -> None:
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/incident/"
    shown = signed_in.get(f"{page}?address={STRANGER}").text
    for fact in (
        "<b>7</b> requests",
        "3 objects in 5 requests",
        "1 read a page of the list",
        "Keep out 203.0.113.9: the key works from 192.0.2.1 only",
        "<code>/orders/7</code>",
        "thief/1",
        "it is not known from where: orders:read succeeded (9).",
    ):
        assert fact in shown
    posted = signed_in.post(page, {"address": STRANGER, "from": "", "to": ""})
    assert posted["Location"].endswith(f"/incident/?address={STRANGER}")
    assert "is not an IP address" in signed_in.get(f"{page}?address=hello").text


def test_a_stranger_is_kept_out(signed_in: Client, key: ApiKey) -> None:
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/incident/?address={STRANGER}"
    fix = signed_in.get(page).context["keep_out"]
    assert dict(fix.fields)["allowed_addresses"] == "192.0.2.1"
    ApiKey.objects.update(allowed_addresses=["192.0.2.1"])
    assert "Keep out" not in signed_in.get(page).text


def test_where_others_share_its_network_they_are_named_one_by_one(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = issue()
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    for address in [*addresses, "192.0.2.9"]:
        recorder.record(make_request(key, address=address))
    assert addresses_of(key) == ["192.0.2.0/24"]
    assert addresses_of(key, besides="203.0.113.9") == ["192.0.2.0/24"]
    assert addresses_of(key, besides="192.0.2.9") == addresses
    monkeypatch.setattr(fence, "MAX_ADDRESSES", 2)
    assert addresses_of(key, besides="192.0.2.9") == []


def test_what_was_done_with_it_to_other_keys(signed_in: Client, issue: IssueKey) -> None:
    maker, _ = issue(access=["orders:read", "api_keys:write"])
    page = f"/stores/{maker.store_id}/settings/api-keys/{maker.prefix}/incident/"
    assert "none of today’s was made with it" in signed_in.get(page).text
    made, _ = issue(
        name="Made", by=Actor(key=maker, address=STRANGER), expires_at=timezone.now() + timedelta(days=7)
    )
    for query, is_there in (("", True), (f"?address={STRANGER}", True), ("?address=192.0.2.1", False)):
        sheet = signed_in.get(f"{page}{query}").text
        assert "Made with it, or with keys that were:" in sheet
        assert (f"Made ({made.prefix}): Created with orders:read." in sheet) is is_there
    lifecycle.roll_key(maker, by=Actor(), overlap=timedelta(days=1))
    assert "Rolled: replaced by" in signed_in.get(page).text


def test_of_very_many_requests_the_newest_are_looked_at(
    signed_in: Client, key: ApiKey, night: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident, "MAX_REQUESTS", 9)
    sheet = investigate(key, address="", start=None, end=None)
    assert (sheet["requests"], sheet["looked_from"]) == (9, night - timedelta(minutes=3))
    page = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/incident/"
    assert "only those since" in signed_in.get(page).text
    assert "only those since" not in signed_in.get(f"{page}?to={night:%Y-%m-%dT%H:%M}").text
