"""The Authorization header, shown by ``/v1/api-key/``, which needs nothing but a key."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from tests.conftest import IssueKey, bearer, with_wrong_secret

URL = "/v1/api-key/"
REALM = 'Bearer realm="Reflow API"'


def refusal(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.json()["code"], response["WWW-Authenticate"]


def test_api_key_takes_the_scheme_in_any_case(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    for header in ("Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "):
        assert client.get(URL, headers={"Authorization": header.format(plaintext)}).status_code == 200, header


@pytest.mark.parametrize(
    ("columns", "code", "sentence"),
    [
        ({"deactivated_at": timezone.now()}, "api_key_inactive", "This API key was deact"),
        ({"expires_at": timezone.now()}, "api_key_expired", "This API key has expired"),
    ],
)
def test_api_key_says_why_it_is_off_to_the_whole_key_only(
    client: Client, issue: IssueKey, columns: dict[str, Any], code: str, sentence: str
) -> None:
    key, plaintext = issue()
    ApiKey.objects.filter(pk=key.pk).update(**columns)
    status, told, challenge = refusal(client.get(URL, headers=bearer(plaintext)))
    assert (status, told) == (401, code)
    assert challenge.startswith(f'{REALM}, error="invalid_token", error_description="{sentence}')
    assert client.get(URL, headers=bearer(with_wrong_secret(plaintext))).json()["code"] == "api_key_invalid"


def test_api_key_refuses_a_deleted_key_at_once(client: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue()
    assert client.get(URL, headers=bearer(plaintext)).status_code == 200
    lifecycle.delete_key(key, by=Actor(owner))
    assert client.get(URL, headers=bearer(plaintext)).json()["code"] == "api_key_invalid"


def test_api_key_takes_no_session(signed_in: Client) -> None:
    answer = signed_in.get(URL)
    assert refusal(answer) == (401, "api_key_missing", REALM)
    assert answer["Cache-Control"] == "no-store"
