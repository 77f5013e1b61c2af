"""Rights of a page on another origin to send and read: CORS headers on every response, whatever made it."""

from typing import Any

import pytest
from django.test import Client, override_settings

from reflow.api.addresses import PREFIXES
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, bearer
from tests.reflow.api import test_errors

ORIGIN = {"Origin": "https://shop.example"}
HEADERS = (
    *("authorization", "content-type", "if-none-match", "x-request-id", "cache-control", "traceparent"),
    *("tracestate", "baggage", "sentry-trace", "idempotency-key"),
    *("if-match", "if-modified-since", "if-unmodified-since"),
)
EXPOSED = {
    *("ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"),
    *("X-Request-Id", "Idempotent-Replayed"),
}


@pytest.fixture
def url(store: Store) -> str:
    return f"/v1/stores/{store.pk}"


def assert_readable(response: Any) -> None:
    """Every page may read the response and the headers that mean something to a program, but no cookie."""
    assert response["Access-Control-Allow-Origin"] == "*"
    assert set(response["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_preflight_allows_the_headers_of_clients(client: Client, url: str) -> None:
    ask = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": ", ".join(HEADERS)}
    response = client.options(f"{url}/orders/", headers=ORIGIN | ask)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"
    methods = set(response["Access-Control-Allow-Methods"].split(", "))
    assert methods == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"}
    assert set(response["Access-Control-Allow-Headers"].split(", ")) == set(HEADERS)
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.usefixtures("within_a_minute")
def test_every_status_can_be_read(client: Client, url: str, issue: IssueKey, settings: Any) -> None:
    key = bearer(issue(access=list(SCOPES))[1])
    etag = client.get(f"{url}/products/")["ETag"]
    own = client.get(f"{url}/orders/", headers=key)["ETag"]
    requests: list[tuple[int, str, dict[str, str]]] = [
        (200, f"{url}/products/", {}),
        (304, f"{url}/products/", {"If-None-Match": etag}),
        (304, f"{url}/orders/", {"If-None-Match": own, **key}),
        (400, f"{url}/products/?perpage=0", {}),
        (400, f"{url}/products/", {"Host": "evil.example"}),
        (401, f"{url}/orders/", {}),
        (404, f"{url}/products/1", {}),
        *((404, f"{prefix}nothing", {}) for prefix in PREFIXES),
        (406, f"{url}/products/", {"Accept": "text/csv"}),
    ]
    for status, address, headers in requests:
        response = client.get(address, headers=ORIGIN | headers)
        assert response.status_code == status, address
        assert_readable(response)
        assert ("RateLimit-Policy" in response.headers) or "Authorization" not in headers, address
    with override_settings(ROOT_URLCONF=test_errors.__name__):
        for fault in ("500", "503"):
            for kind in ("raising", "plain"):
                broken = Client(raise_request_exception=False).get(f"/v1/{kind}/{fault}", headers=ORIGIN)
                assert broken.status_code == int(fault)
                assert_readable(broken)
    settings.RATE_LIMIT_PER_ADDRESS = 1
    response = client.get(f"{url}/products/", headers=ORIGIN)
    assert response.status_code == 429
    assert_readable(response)
