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


def test_middleware_logs_a_request(client: Client, key: ApiKey, plaintext: str) -> None:
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
    row = LoggedRequest.objects.get(reason__isnull=False)
    assert (row.reason, row.outcome) == (reason, "refused")
    assert Usage.objects.get(outcome="refused").reason == reason


def test_middleware_logs_a_failure_by_its_code(client: Client, plaintext: str) -> None:
    for path, reason in ((f"{ORDERS}999999/", "not_found"), (f"{ORDERS}?perpage=0", "invalid")):
        client.get(path, headers=bearer(plaintext))
        row = LoggedRequest.objects.order_by("-at", "-id")[0]
        assert (row.reason, row.outcome) == (reason, "failed")
    assert {usage.reason for usage in Usage.objects.all()} == {""}


def test_middleware_logs_a_server_error(
    client: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    _, plaintext = issue()
    monkeypatch.setattr("stores.api.orders.OrderViewSet.list", None)
    assert client.get(ORDERS, headers=bearer(plaintext)).status_code == 500
    assert (the_row().status, the_row().reason) == (500, "server_error")


def test_route_of_writes_a_route_as_people_do() -> None:
    pattern = r"v1/^stores/(?P<store_id>[1-9][0-9]{8})/orders/(?P<pk>[^/.]+)/?$"
    assert route_of(pattern) == "/v1/stores/{store_id}/orders/{pk}/"
    assert route_of("stores/<int:store_id>/settings/") == "/stores/{store_id}/settings/"


# What must be in no row, however it is sent.
QUERY, BODY = "q5u8e2r1y7secret", "b3o9d4y6secret"
_, SOMEBODYS_KEY = key_text.generate()
SECRET = SOMEBODYS_KEY.partition(".")[2]


def test_middleware_logs_no_query_string_body_or_key(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:write", "products:write"])
    secret = plaintext.partition(".")[2]
    paths = [
        *(ORDERS, f"{ORDERS}1/", f"{ORDERS}{SOMEBODYS_KEY}/", f"{ORDERS}{plaintext}", "/v1/api-key/"),
        *("/v1/stores/267418190/products/", f"/v1/stores/267418190/products/{'x' * 150}{plaintext}/"),
        f"{ORDERS}{plaintext.replace('.', '%2e')}/",
    ]
    for method in ("GET", "POST", "PATCH", "PROPFINDANDMORE"):
        for path in paths:
            client.generic(
                method,
                f"{path}?search={QUERY}&key={SOMEBODYS_KEY}",
                f'{{"name": "{BODY}", "note": "{SOMEBODYS_KEY}"}}',
                content_type="application/json",
                headers=bearer(plaintext) | {"User-Agent": f"Bot/1 \0 Bearer {SOMEBODYS_KEY} {plaintext}"},
            )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM apikeys_loggedrequest")
        rows = cursor.fetchall()
    assert len(rows) == 4 * len(paths)
    for text in (QUERY, BODY, SECRET, SECRET[:12], secret, secret[:12], "Authorization"):
        assert text not in str(rows)
    assert key.prefix in str(rows)


def test_middleware_logs_any_user_agent(client: Client, plaintext: str) -> None:
    agents = ("", "\0", "\xff\xfe", "x" * 5000, "\u202e", "';--", "\ud800")
    for agent in agents:
        client.get(f"{ORDERS}%00%ff%e2%80%ae/", HTTP_USER_AGENT=agent, headers=bearer(plaintext))
        client.get(ORDERS, HTTP_USER_AGENT=agent, headers=bearer(plaintext))
    assert LoggedRequest.objects.filter(status=200).count() == len(agents)


def test_middleware_logs_the_id_of_the_answer(client: Client, plaintext: str) -> None:
    for sent in ("0f8fad5b-d9cb-469f-a165-70867728950e", "not one", "x" * 5000):
        answer = client.get(ORDERS, headers=bearer(plaintext) | {"X-Request-Id": sent})
        assert LoggedRequest.objects.filter(request_id=UUID(answer["X-Request-Id"])).get().path == ORDERS
