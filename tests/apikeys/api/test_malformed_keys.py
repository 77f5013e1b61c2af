"""A key of the wrong shape: the sentence names the mistake and the right form, and repeats nothing."""

from base64 import b64encode

import pytest
from django.test import Client

from apikeys.api.malformed_keys import describe_absence, describe_mistake

PREFIX, SECRET = "19656ea", "4329f04826e125f1ee999b53f78"
KEY = f"{PREFIX}.{SECRET}"
BASIC = b64encode(f"{KEY}:".encode()).decode()

MISTAKES = {
    "": "is empty",
    "Bearer": "no key after 'Bearer'",
    "Bearer   ": "no key after 'Bearer'",
    KEY: "'Bearer' and a space are missing",
    f"bearer:{KEY}": "'Bearer' and a space are missing",
    f"Basic {BASIC}": "the scheme Basic, not Bearer",
    f"Token {KEY}": "the scheme Token, not Bearer",
    f"apikey {KEY}": "the scheme ApiKey, not Bearer",
    "something else": "does not begin with 'Bearer'",
    f"Bearer Bearer {KEY}": "'Bearer' is there twice",
    f'Bearer "{KEY}"': "quotes around the key",
    f"Bearer '{KEY}'": "quotes around the key",
    f"Bearer \u201c{KEY}\u201d".encode().decode("latin-1"): "quotes around the key",
    f"Bearer `{KEY}`": "quotes around the key",
    f"Bearer {KEY}\n": "line break in the key",
    f"Bearer {KEY}\r\n": "line break in the key",
    f"Bearer {KEY}\\n": "line break in the key",
    f"Bearer {KEY}%0A": "line break in the key",
    "Bearer <api_key>": "placeholder in place of the key",
    "Bearer $REFLOW_API_KEY": "placeholder in place of the key",
    "Bearer {{api_key}}": "placeholder in place of the key",
    f"Bearer {PREFIX}.\u2022\u2022\u2022".encode().decode("latin-1"): "Part of the key is hidden",
    f"Bearer {PREFIX}.***": "Part of the key is hidden",
    f"Bearer {PREFIX}...": "Part of the key is hidden",
    f"Bearer {PREFIX}": "only the prefix",
    f"Bearer {PREFIX}.": "only the prefix",
    f"Bearer {KEY} {KEY}": "more than a key",
    f"Bearer {KEY}, x": "more than a key",
    f"Bearer {KEY.upper()}": "has capital letters",
    f"Bearer {KEY[:-1]}": "has 34 characters: a whole key has 35",
    f"Bearer {KEY}0": "has 36 characters: a whole key has 35",
    f"Bearer g{KEY[1:]}": "characters that no key has",
    f"Bearer {KEY}\0": "has 36 characters: a whole key has 35",
}


@pytest.mark.parametrize(("header", "expected"), MISTAKES.items())
def test_the_mistake_and_the_right_form_are_named(header: str, expected: str) -> None:
    sentence = describe_mistake(header)
    assert expected in sentence
    assert "'Authorization: Bearer <api_key>'" in sentence
    for part in (PREFIX, SECRET, SECRET[:8], BASIC, PREFIX.upper()):
        assert part not in sentence


@pytest.mark.parametrize("name", ["X-Api-Key", "x-api-key", "Api-Key", "X-Auth-Token"])
def test_a_key_in_another_header_is_named(client: Client, db: None, name: str) -> None:
    response = client.get("/v1/api-key/", headers={name: KEY})
    assert (response.status_code, response.json()["code"]) == (401, "api_key_missing")
    assert f"The header {name.title()} is not read" in response.json()["error"]
    assert SECRET not in response.content.decode()


def test_a_request_without_a_key_is_told_the_form() -> None:
    assert describe_absence({}).startswith("This route needs an API key. Send 'Authorization: Bearer")


def test_the_sentence_reaches_the_client(client: Client, db: None) -> None:
    response = client.get("/v1/api-key/", headers={"Authorization": f"Bearer '{KEY}'"})
    assert (response.status_code, response.json()["code"]) == (401, "api_key_malformed")
    assert "quotes around the key" in response.json()["error"]
