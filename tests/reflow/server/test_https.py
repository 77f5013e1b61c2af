"""A proxy that ends TLS and a site that does not believe it: a message, and no redirect without an end."""

from typing import Any

import pytest
from django.test import Client

from apikeys.models import ApiKey
from tests.conftest import bearer

BEHIND_PROXY = {"X-Forwarded-For": "203.0.113.9"}
TRUSTED = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("trusted", "headers", "status", "variable"),
    [
        (None, {}, 301, ""),
        (None, {"X-Forwarded-Proto": "http"}, 301, ""),
        (None, {"X-Forwarded-Proto": "https"}, 503, "TRUST_X_FORWARDED_PROTO=true"),
        (TRUSTED, {"X-Forwarded-Proto": "https"}, 200, ""),
        (TRUSTED, {"X-Forwarded-Proto": "http"}, 301, ""),
        (TRUSTED, {}, 503, "X-Forwarded-Proto"),
    ],
)
def test_what_is_missing_is_named_instead_of_a_redirect_to_itself(
    settings: Any, client: Client, trusted: Any, headers: dict[str, str], status: int, variable: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = trusted
    response = client.get("/docs/", headers=BEHIND_PROXY | headers)
    assert response.status_code == status
    if variable:
        assert variable in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/v1/openapi.json", 403), ("/v1/foo", 404)])
def test_a_header_of_a_client_does_not_break_health_checks_and_the_api(
    settings: Any, client: Client, path: str, status: int
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, None
    response = client.get(path, headers={"X-Forwarded-Proto": "https", "Origin": "https://shop.example"})
    assert response.status_code == status
    if path.startswith("/v1/"):
        assert response["Content-Type"].startswith("application/json")
        assert response["Access-Control-Allow-Origin"] == "*"


def test_a_key_is_not_marked_as_exposed_where_the_proxy_says_https(
    settings: Any, client: Client, key: ApiKey, plaintext: str
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, None
    for scheme, is_exposed in (("https", False), ("http", True)):
        client.get("/v1/api-key/", headers=bearer(plaintext) | {"X-Forwarded-Proto": scheme})
        key.refresh_from_db()
        assert (key.exposed_at is not None) is is_exposed
