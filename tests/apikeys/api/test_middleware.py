"""The row of a request in the request log: its route and outcome, and no secret."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from apikeys import key_text
from apikeys.api.middleware import route_of
from apikeys.models import ApiKey, LoggedRequest, Usage
from stores.models import Store
from tests.conftest import IssueKey, bearer
from tests.key_requests import NOON

ORDERS = "/v1/stores/267418190/orders/"


def the_row() -> LoggedRequest:
    return LoggedRequest.objects.get()


def test_middleware_logs_a_request(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    response = client.get(
        ORDERS,
        {"search": "Ada"},
        headers=bearer(plaintext) | {"User-Agent": "curl/8"},
        REMOTE_ADDR="2001:db8::1",
    )
    row = the_row()
    assert (row.key_id, row.store_id, row.prefix) == (key.pk, key.store_id, key.prefix)
    assert (row.method, row.path, row.route) == ("GET", ORDERS, "/v1/stores/{store_id}/orders/")
    assert (row.resource, row.access, row.status, row.reason) == ("orders", "read", 200, None)
    assert (row.address, row.client) == ("2001:db8::1", "curl/8")
    assert row.request_id.hex == response["X-Request-Id"].replace("-", "")
    assert 0 <= row.milliseconds < 60_000


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"deactivated_at": NOON}, ORDERS, "api_key_inactive"),
        ({"suspended_at": NOON}, ORDERS, "api_key_inactive"),
        ({"expires_at": NOON.replace(year=2020)}, ORDERS, "api_key_expired"),
        ({"allowed_addresses": ["192.0.2.1"]}, ORDERS, "address_not_allowed"),
        ({"rate_limit": 1}, ORDERS, "rate_limited"),
        ({}, "/v1/stores/267418190/customers/", "resource_not_allowed"),
        ({}, "/v1/stores/518203746/orders/", "api_key_wrong_store"),
    ],
)
@pytest.mark.usefixtures("within_a_minute")
def test_middleware_logs_and_counts_a_refusal_by_its_code(
    client: Client, issue: IssueKey, other_store: Store, change: dict[str, Any], path: str, reason: str
) -> None:
    key, plaintext = issue()
    ApiKey.objects.filter(pk=key.pk).update(**change)
    if reason == "rate_limited":
        client.get(path, headers=bearer(plaintext))
    assert client.get(path, headers=bearer(plaintext)).json()["code"] == reason
    row = LoggedRequest.objects.with_error().get()
    assert (row.reason, row.outcome) == (reason, "refused")
    assert Usage.objects.get(outcome="refused").reason == reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [(f"{ORDERS}999999/", "not_found"), (f"{ORDERS}?perpage=0", "invalid")],
)
def test_middleware_logs_a_failure_by_its_code(
    client: Client, issue: IssueKey, path: str, reason: str
) -> None:
    _, plaintext = issue()
    client.get(path, headers=bearer(plaintext))
    assert (the_row().reason, the_row().outcome) == (reason, "failed")
    assert Usage.objects.get().reason == ""


def test_middleware_logs_a_server_error(
    client: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    _, plaintext = issue()
    monkeypatch.setattr("stores.api.orders.OrderViewSet.list", None)
    assert client.get(ORDERS, headers=bearer(plaintext)).status_code == 500
    assert (the_row().status, the_row().reason) == (500, "server_error")


@pytest.mark.parametrize(
    ("pattern", "route"),
    [
        (r"v1/^stores/(?P<store_id>[1-9][0-9]{8})/orders/?$", "/v1/stores/{store_id}/orders/"),
        (
            r"v1/^stores/(?P<store_id>[1-9][0-9]{8})/orders/(?P<pk>[^/.]+)/?$",
            "/v1/stores/{store_id}/orders/{pk}/",
        ),
        ("^v1/api-key/?$", "/v1/api-key/"),
        ("v1/stores/<int:store_id>/nothing/", "/v1/stores/{store_id}/nothing/"),
    ],
)
def test_route_of_writes_a_route_as_people_do(pattern: str, route: str) -> None:
    assert route_of(pattern) == route


# What must be in no row, however it is sent.
QUERY, BODY = "q5u8e2r1y7secret", "b3o9d4y6secret"
_, SOMEBODYS_KEY = key_text.generate()
SECRET = SOMEBODYS_KEY.partition(".")[2]


def everything_kept() -> str:
    """All columns of all rows, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM apikeys_loggedrequest")
        return str(cursor.fetchall())


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE", "PROPFINDANDMORE"]
)
def test_middleware_logs_no_query_string_body_or_key(client: Client, issue: IssueKey, method: str) -> None:
    key, plaintext = issue(access=["orders:write", "products:write"])
    secret = plaintext.partition(".")[2]
    paths = [
        *(ORDERS, f"{ORDERS}1/", f"{ORDERS}{SOMEBODYS_KEY}/", f"{ORDERS}{plaintext}", "/v1/api-key/"),
        *("/v1/stores/267418190/products/", f"/v1/stores/267418190/products/{'x' * 150}{plaintext}/"),
        f"{ORDERS}{plaintext.replace('.', '%2e')}/",
    ]
    for path in paths:
        client.generic(
            method,
            f"{path}?search={QUERY}&key={SOMEBODYS_KEY}",
            f'{{"name": "{BODY}", "note": "{SOMEBODYS_KEY}"}}',
            content_type="application/json",
            headers=bearer(plaintext) | {"User-Agent": f"Bot/1 \0 Bearer {SOMEBODYS_KEY} {plaintext}"},
        )
    assert LoggedRequest.objects.count() >= 4
    kept = everything_kept()
    for text in (QUERY, BODY, SECRET, SECRET[:12], secret, secret[:12], "Authorization"):
        assert text not in kept
    assert key.prefix in kept


ODD_AGENTS = ["", "\0", "\xff\xfe", "x" * 5000, "\u202e", "';--", "\ud800"]


@pytest.mark.parametrize("agent", ODD_AGENTS)
def test_middleware_logs_any_user_agent(client: Client, issue: IssueKey, agent: str) -> None:
    _, plaintext = issue()
    client.get(f"{ORDERS}%00%ff%e2%80%ae/", HTTP_USER_AGENT=agent, headers=bearer(plaintext))
    client.get(ORDERS, HTTP_USER_AGENT=agent, headers=bearer(plaintext))
    assert LoggedRequest.objects.filter(status=200).count() == 1


@pytest.mark.parametrize("sent", ["0f8fad5b-d9cb-469f-a165-70867728950e", "not one", "", "x" * 5000, "{}"])
def test_middleware_logs_the_id_of_the_answer(client: Client, issue: IssueKey, sent: str) -> None:
    _, plaintext = issue()
    answer = client.get(ORDERS, headers=bearer(plaintext) | {"X-Request-Id": sent})
    found = LoggedRequest.objects.with_request_id(UUID(answer["X-Request-Id"]))
    assert found.get().path == ORDERS
