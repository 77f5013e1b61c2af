"""The Authorization header, shown by ``/v1/api-key/``, which needs nothing but a key."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.api.authentication import find_key_by_text, parse_header
from apikeys.models import ApiKey
from tests.conftest import IssueKey, bearer, with_wrong_secret

URL = "/v1/api-key/"
REALM = 'Bearer realm="Reflow API"'
KEY = "19656ea.4329f04826e125f1ee999b53f78"


def refusal(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.json()["code"], response["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "])
def test_api_key_takes_the_scheme_in_any_case(client: Client, issue: IssueKey, header: str) -> None:
    _, plaintext = issue()
    assert client.get(URL, headers={"Authorization": header.format(plaintext)}).status_code == 200


@pytest.mark.django_db
def test_api_key_answers_api_key_missing_without_a_header(client: Client) -> None:
    assert refusal(client.get(URL)) == (401, "api_key_missing", REALM)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        KEY,
        f"Basic {KEY}",
        f"Token {KEY}",
        f"Bearer\t{KEY}",
        f"Bearer {KEY} {KEY}",
        f"Bearer {KEY}, Bearer {KEY}",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY}0",
        f"Bearer {KEY.upper()}",
        f"Bearer {KEY.replace('.', '-')}",
        f"Bearer {KEY.replace('.', '')}",
        f"Bearer g{KEY[1:]}",
        f"Bearer {KEY}\n",
        f"Bearer {KEY}\0",
        f"Bearer {KEY[:-1]}\u00e9",
        f"Bearer {KEY[:-1]}\u0663",
        "Bearer " + "a" * 10_000,
    ],
)
def test_api_key_answers_api_key_malformed(client: Client, header: str) -> None:
    response = client.get(URL, HTTP_AUTHORIZATION=header)
    assert refusal(response) == (401, "api_key_malformed", f'{REALM}, error="invalid_request"')


@given(header=st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
@settings(max_examples=300, deadline=None)
def test_parse_header_finds_a_key_or_none_in_any_text(header: str) -> None:
    presented = parse_header(header)
    if presented is None:
        return
    assert header.lower().startswith("bearer ")
    assert presented in header


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


def test_find_key_by_text_is_one_query(
    issue: IssueKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, plaintext = issue()
    with django_assert_num_queries(1):
        assert find_key_by_text(plaintext).store.name == "Northwood"  # type: ignore[union-attr]


def test_api_key_takes_no_session(signed_in: Client) -> None:
    assert signed_in.get(URL).json()["code"] == "api_key_missing"


def test_api_key_is_not_stored_by_caches(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    assert client.get(URL, headers=bearer(plaintext))["Cache-Control"] == "no-store"
    assert client.get(URL)["Cache-Control"] == "no-store"
