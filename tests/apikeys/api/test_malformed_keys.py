"""A key of the wrong shape: the sentence names the mistake and the right form, and repeats nothing."""

from base64 import b64encode

import pytest
from django.test import Client

from apikeys.api.authentication import parse_header
from apikeys.api.malformed_keys import describe_mistake
from stores.models import Store

PREFIX, SECRET = "19656ea", "4329f04826e125f1ee999b53f78"
KEY = f"{PREFIX}.{SECRET}"
BASIC = b64encode(f"{KEY}:".encode()).decode()

NO_SCHEME = "does not begin with 'Bearer' and a space"
MORE = "more around the key"
NO_KEY = "no whole key after 'Bearer'"
MISTAKES = {
    "": NO_SCHEME,
    KEY: NO_SCHEME,
    f"bearer:{KEY}": NO_SCHEME,
    f"Basic {BASIC}": NO_SCHEME,
    f"Token {KEY}": NO_SCHEME,
    f"Bearer Bearer {KEY}": MORE,
    f"Bearer '{KEY}'": MORE,
    f"Bearer \u201c{KEY}\u201d".encode().decode("latin-1"): MORE,
    f"Bearer {KEY}\n": MORE,
    f"Bearer {KEY}0": MORE,
    f"Bearer {KEY.upper()}": MORE,
    "Bearer": NO_KEY,
    "Bearer <api_key>": NO_KEY,
    f"Bearer {PREFIX}.\u2022\u2022\u2022".encode().decode("latin-1"): NO_KEY,
    f"Bearer {PREFIX}": NO_KEY,
    f"Bearer {KEY[:-1]}": NO_KEY,
    f"Bearer g{KEY[1:]}": NO_KEY,
    f"Bearer\t{KEY}": NO_SCHEME,
    f"Bearer {KEY}, Bearer {KEY}": MORE,
    f"Bearer {KEY}\0": MORE,
    f"Bearer {KEY[:-1]}\u00e9": NO_KEY,
    f"Bearer {KEY[:-1]}\u0663": NO_KEY,
    f"Bearer {PREFIX}-{SECRET}": NO_KEY,
    "Bearer " + "a" * 10_000: NO_KEY,
}


@pytest.mark.parametrize(("header", "expected"), MISTAKES.items())
def test_describe_mistake_names_the_mistake_and_the_right_form(header: str, expected: str) -> None:
    assert parse_header(header) is None
    sentence = describe_mistake(header)
    assert expected in sentence
    assert "'Authorization: Bearer <api_key>'" in sentence
    for part in (PREFIX, SECRET, SECRET[:8], BASIC, PREFIX.upper()):
        assert part not in sentence


def test_api_key_takes_the_scheme_in_any_case(client: Client, plaintext: str) -> None:
    for header in ("Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "):
        answer = client.get("/v1/api-key/", headers={"Authorization": header.format(plaintext)})
        assert answer.status_code == 200, header


def test_api_key_names_the_mistake(client: Client, db: None) -> None:
    for headers, query, sentence in (
        ({"X-Api-Key": KEY}, "", "The header X-Api-Key is not read"),
        ({"x-auth-token": KEY}, "", "The header X-Auth-Token is not read"),
        ({}, f"?api_key={KEY}", "Addresses are kept in logs: roll this key"),
        ({"Authorization": f"Bearer '{KEY}'"}, "", "more around the key"),
    ):
        response = client.get(f"/v1/api-key/{query}", headers=headers)
        assert response.status_code == 401
        assert sentence in response.json()["error"]
        assert SECRET not in response.content.decode()


def test_products_refuses_a_key_in_the_query_string(client: Client, store: Store) -> None:
    response = client.get("/v1/stores/267418190/products/", {"api_key": KEY})
    assert (response.status_code, response.json()["code"]) == (401, "api_key_missing")
