from datetime import timedelta

from django.test import Client
from django.utils import timezone

from apikeys.models import Usage
from apikeys.models.outcomes import Outcome
from tests.conftest import IssueKey, bearer


def test_a_key_is_told_about_itself(client: Client, issue: IssueKey) -> None:
    expires_at = timezone.now() + timedelta(days=30)
    key, plaintext = issue(name="Accounting", access=["orders:write"], expires_at=expires_at)
    for ago, requests in ((0, 2), (29, 3), (30, 100)):
        at = timezone.now() - timedelta(days=ago)
        Usage.objects.create(
            store_id=key.store_id,
            key=key,
            day=at.date(),
            resource="orders",
            access="read",
            outcome=Outcome.SUCCEEDED,
            requests=requests,
            last_at=at,
        )
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


def test_a_key_that_asks_about_itself_is_counted(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    client.get("/v1/api-key/", headers=bearer(plaintext))
    body = client.get("/v1/api-key/", headers=bearer(plaintext)).json()
    assert body["usage"] == {"other": {"succeeded": 1, "refused": 0, "failed": 0}}


def test_a_key_is_told_why_it_was_refused(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:read"])
    today = timezone.now().date()
    for reason, ago, requests in (("rate_limited", 0, 2), ("rate_limited", 29, 5), ("rate_limited", 30, 100)):
        day = today - timedelta(days=ago)
        Usage.objects.create(
            outcome="refused",
            store_id=key.store_id,
            key=key,
            day=day,
            reason=reason,
            requests=requests,
            last_at=timezone.now(),
        )
    client.get("/v1/stores/267418190/customers/", headers=bearer(plaintext))
    body = client.get("/v1/api-key/", headers=bearer(plaintext)).json()
    assert list(body["refusals"].items()) == [("rate_limited", 7), ("resource_not_allowed", 1)]


def test_only_reading_is_possible(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    response = client.post("/v1/api-key/", headers=bearer(plaintext))
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_a_key_reads_what_became_of_its_own_request(client: Client, issue: IssueKey) -> None:
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
