"""The routes on which a key speaks about itself."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import IssueKey, bearer
from tests.key_requests import count_usage

pytestmark = pytest.mark.usefixtures("within_a_minute")


def test_api_key_answers_what_the_key_is_and_did(client: Client, issue: IssueKey) -> None:
    expires_at = timezone.now() + timedelta(days=30)
    key, plaintext = issue(name="Accounting", access=["orders:write"], expires_at=expires_at)
    for ago, requests in ((0, 2), (29, 3), (30, 100)):
        count_usage(key, requests, days_ago=ago)
    body = client.get("/v1/api-key/", headers=bearer(plaintext)).json()
    assert body == {
        "object": "api_key",
        "name": "Accounting",
        "prefix": key.prefix,
        "store": {"id": "267418190", "name": "Northwood"},
        "access": ["orders:read", "orders:write"],
        "created_at": key.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "allowed_addresses": [],
        "limits": {
            "requests_per_minute": 600,
            "remaining": 599,
            "resets_in_seconds": body["limits"]["resets_in_seconds"],
        },
        "usage": {"orders": {"succeeded": 5, "refused": 0, "failed": 0}},
        "refusals": {},
    }


def test_api_key_answers_refusals_by_reason(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:read"])
    for reason, ago, requests in (("rate_limited", 0, 2), ("rate_limited", 29, 5), ("rate_limited", 30, 100)):
        count_usage(key, requests, outcome="refused", reason=reason, days_ago=ago)
    client.get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    body = client.get("/v1/api-key/", headers=bearer(plaintext)).json()
    assert list(body["refusals"].items()) == [("rate_limited", 7), ("resource_not_allowed", 1)]


def test_api_key_request_answers_what_became_of_it(client: Client, issue: IssueKey) -> None:
    (_, plaintext), (_, colleague) = issue(access=["orders:read"]), issue()
    sent = client.get("/v1/stores/267418190/customers/?page=1", headers=bearer(plaintext))
    address = f"/v1/api-key/requests/{sent['X-Request-Id']}"
    body = client.get(address, headers=bearer(plaintext)).json()
    assert body == {
        "object": "request",
        "id": sent["X-Request-Id"],
        "at": body["at"],
        "method": "GET",
        "path": "/v1/stores/267418190/customers/",
        "status": 401,
        "code": "resource_not_allowed",
        "milliseconds": body["milliseconds"],
    }
    for other in (colleague, plaintext):
        missing = address if other == colleague else "/v1/api-key/requests/no-id"
        assert client.get(missing, headers=bearer(other)).status_code == 404


def test_api_key_takes_no_parameters(client: Client, issue: IssueKey) -> None:
    answer = client.get("/v1/api-key/?fields=name&page=undefined", headers=bearer(issue()[1]))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["fields"])
