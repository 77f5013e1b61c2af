"""The header and what comes of it. Any route shows it; a key's own route needs nothing but the key."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.api.authentication import parse_header
from tests.conftest import IssueKey, bearer

URL = "/v1/api-key/"
REALM = 'Bearer realm="Reflow API"'
KEY = "19656ea.4329f04826e125f1ee999b53f78"


def refusal(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.json()["code"], response["WWW-Authenticate"]


def test_a_key_opens_the_door(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    assert client.get(URL, headers=bearer(plaintext)).status_code == 200


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "])
def test_the_scheme_is_read_as_http_reads_it(client: Client, issue: IssueKey, header: str) -> None:
    _, plaintext = issue()
    assert client.get(URL, headers={"Authorization": header.format(plaintext)}).status_code == 200


@pytest.mark.django_db
def test_no_header_is_a_missing_key(client: Client) -> None:
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
def test_a_malformed_header_says_so(client: Client, header: str) -> None:
    response = client.get(URL, HTTP_AUTHORIZATION=header)
    assert refusal(response) == (401, "api_key_malformed", f'{REALM}, error="invalid_request"')


@given(header=st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_key_or_malformed(header: str) -> None:
    presented = parse_header(header)
    if presented is None:
        return
    assert header.lower().startswith("bearer ")
    assert presented in header


@pytest.mark.django_db
@given(header=st.binary(max_size=60))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_a_server_error(client: Client, header: bytes) -> None:
    response = client.get(URL, HTTP_AUTHORIZATION=header.decode("latin-1"))
    assert response.status_code in {401, 429}


def test_unknown_prefix_and_wrong_secret_get_one_answer(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    wrong_secret = plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1")
    unknown_prefix = ("0" if key.prefix[0] != "0" else "1") + plaintext[1:]
    answers = [client.get(URL, headers=bearer(text)) for text in (wrong_secret, unknown_prefix)]
    for answer in answers:
        assert refusal(answer) == (401, "api_key_invalid", f'{REALM}, error="invalid_token"')
    assert answers[0].json()["error"] == answers[1].json()["error"]


def test_an_inactive_key_is_told_so(client: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue()
    lifecycle.deactivate_key(key, by=Actor(owner))
    status, code, challenge = refusal(client.get(URL, headers=bearer(plaintext)))
    assert (status, code) == (401, "api_key_inactive")
    assert challenge.startswith(f'{REALM}, error="invalid_token", error_description="This API key was deact')


def test_an_expired_key_is_told_so(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue(expires_at=timezone.now() - timedelta(seconds=1))
    status, code, challenge = refusal(client.get(URL, headers=bearer(plaintext)))
    assert (status, code) == (401, "api_key_expired")
    assert "error_description" in challenge


def test_only_the_whole_key_learns_that_it_is_inactive(client: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue()
    lifecycle.deactivate_key(key, by=Actor(owner))
    response = client.get(URL, headers=bearer(plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1")))
    assert response.json()["code"] == "api_key_invalid"


def test_deleting_a_key_holds_from_the_next_request(client: Client, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue()
    assert client.get(URL, headers=bearer(plaintext)).status_code == 200
    lifecycle.delete_key(key, by=Actor(owner))
    assert client.get(URL, headers=bearer(plaintext)).json()["code"] == "api_key_invalid"


def test_the_key_check_is_one_query(
    issue: IssueKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from apikeys.api.authentication import find_key_by_text

    _, plaintext = issue()
    with django_assert_num_queries(1):
        assert find_key_by_text(plaintext).store.name == "Northwood"  # type: ignore[union-attr]


def test_a_browser_session_is_no_key(signed_in: Client) -> None:
    assert signed_in.get(URL).json()["code"] == "api_key_missing"


def test_no_refusal_repeats_what_was_presented(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    for header in (f"Bearer {plaintext}x", f"Basic {plaintext}", f"Bearer {plaintext[:-1]}0"):
        response = client.get(URL, headers={"Authorization": header})
        assert plaintext[8:-1] not in response.content.decode() + str(response.headers)


def test_what_needed_a_key_is_not_stored(client: Client, issue: IssueKey) -> None:
    _, plaintext = issue()
    assert client.get(URL, headers=bearer(plaintext))["Cache-Control"] == "no-store"
    assert client.get(URL)["Cache-Control"] == "no-store"
