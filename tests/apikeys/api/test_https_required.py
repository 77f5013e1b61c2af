"""A key that comes over plain HTTP to a site on HTTPS was read by others: it is refused, and noted."""

from typing import Any

import pytest
from django.test import Client

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from tests.conftest import IssueKey, bearer, with_wrong_secret

PATHS = ["/v1/api-key/", "/v1/stores/267418190/", "/v1/stores/267418190/products/", "/v1/openapi.json"]


@pytest.fixture
def on_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True


pytestmark = pytest.mark.usefixtures("on_https")


@pytest.mark.parametrize("path", PATHS)
def test_api_refuses_a_key_over_plain_http_without_a_redirect(
    client: Client, issue: IssueKey, path: str
) -> None:
    key, plaintext = issue(access=["products:read"])
    response = client.get(path, headers=bearer(plaintext))
    assert client.get(path).json()["code"] == "https_required"
    assert (response.status_code, response.json()["code"]) == (403, "https_required")
    assert "WWW-Authenticate" not in response
    assert client.get(path, headers=bearer(plaintext), secure=True).status_code == 200
    assert dict(key.usage.values_list("outcome", "requests")) == {"refused": 1, "succeeded": 1}


def test_api_marks_an_exposed_key_once_with_the_address(client: Client, key: ApiKey, plaintext: str) -> None:
    for _ in range(2):
        client.get("/v1/api-key/", headers=bearer(plaintext))
    assert ApiKey.objects.get(pk=key.pk).exposed_at
    entry, _created = AuditEntry.objects.for_key(key)
    assert (entry.event, entry.address, entry.actor) == ("exposed", "127.0.0.1", None)
    assert "Roll it." in entry.sentence


def test_api_answers_a_wrong_key_over_plain_http_as_ever(client: Client, plaintext: str) -> None:
    assert (
        client.get("/v1/api-key/", headers=bearer(with_wrong_secret(plaintext))).json()["code"]
        == "api_key_invalid"
    )


def test_any_route_marks_an_exposed_key(client: Client, key: ApiKey, plaintext: str) -> None:
    for method, path in (
        *(("GET", path) for path in ("/v1", "/v1/foo", "/v2/stores/", "/projects/1/", "/docs/", "/nowhere")),
        ("POST", "/v1/api-keys/revoke"),
    ):
        client.generic(method, path, headers=bearer(plaintext))
        assert ApiKey.objects.filter(pk=key.pk).exclude(exposed_at=None).update(exposed_at=None) == 1, path


def test_api_marks_an_exposed_key_beyond_its_limit(
    client: Client, key: ApiKey, plaintext: str, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_KEY = 0
    assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 429
    assert ApiKey.objects.get(pk=key.pk).exposed_at


def test_mark_exposed_passes_over_a_deleted_key(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).delete()
    lifecycle.mark_exposed(key, by=Actor())
    assert not AuditEntry.objects.filter(event="exposed").exists()


def test_unknown_api_routes_answer_json_over_plain_http(client: Client, db: None) -> None:
    for path in ("/v1", "/v2", "/projects", "/v1/", "/v2/", "/projects/", "/v2/a", "/v1/foo"):
        response = client.get(path, headers={"Origin": "https://shop.example"})
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert response["Access-Control-Allow-Origin"] == "*"
