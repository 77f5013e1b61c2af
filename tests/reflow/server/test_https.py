"""A proxy that ends TLS and a site that does not believe it: a message, and no redirect without an end."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

BEHIND_PROXY = {"X-Forwarded-For": "203.0.113.9"}
TRUSTED = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("trusted", "headers", "status", "variable"),
    [
        (None, {}, 301, ""),
        (None, {"X-Forwarded-Proto": "http"}, 301, ""),
        (None, {"X-Forwarded-Proto": "https"}, 500, "TRUST_X_FORWARDED_PROTO=true"),
        (TRUSTED, {"X-Forwarded-Proto": "https"}, 200, ""),
        (TRUSTED, {"X-Forwarded-Proto": "http"}, 301, ""),
        (TRUSTED, {}, 500, "X-Forwarded-Proto"),
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


@pytest.mark.parametrize(
    ("trusted", "proxies", "ids"),
    [
        (None, [], {"reflow.W001", "reflow.W002"}),
        (TRUSTED, [], {"reflow.W002"}),
        (TRUSTED, ["127.0.0.1"], set()),
    ],
)
def test_the_deployment_check_names_what_is_missing(
    settings: Any, trusted: Any, proxies: list[str], ids: set[str]
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER, settings.TRUSTED_PROXIES = trusted, proxies
    found = run_checks(include_deployment_checks=True)
    assert {str(message.id) for message in found if str(message.id).startswith("reflow.")} == ids
