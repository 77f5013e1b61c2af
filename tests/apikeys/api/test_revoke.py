"""A key in the wrong hands: whoever finds it can have it switched off."""

import json
from typing import Any

import pytest
from django.test import Client

from apikeys.models import ApiKey, AuditEntry
from tests.conftest import IssueKey, bearer, deliver_emails, with_wrong_secret

URL = "/v1/api-keys/revoke/"


def hand_in(client: Client, *keys: Any) -> Any:
    return client.post(URL, json.dumps({"keys": keys}), content_type="application/json")


def test_revoke_deactivates_a_key_and_tells_its_owners(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue(name="Shop")
    _, other_plaintext = issue()
    deliver_emails().clear()
    answer = hand_in(client, plaintext)
    assert (answer.status_code, answer.json()) == (202, {"received": 1})
    assert client.get("/v1/api-key/", headers=bearer(plaintext)).json()["code"] == "api_key_inactive"
    assert client.get("/v1/api-key/", headers=bearer(other_plaintext)).status_code == 200
    assert AuditEntry.objects.for_key(key)[0].sentence == (
        "Deactivated for good: reported as leaked by somebody who had it."
    )
    assert [message.to for message in deliver_emails()] == [["owner@example.com"]]
    assert plaintext[8:] not in deliver_emails()[0].message().as_string()


@pytest.mark.django_db
def test_revoke_answers_alike_whether_a_key_exists(client: Client, plaintext: str) -> None:
    texts = (plaintext, with_wrong_secret(plaintext), f"0000000.{'0' * 27}", "nonsense")
    answers = [hand_in(client, text) for text in texts]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"received":1}')}


def test_revoke_leaves_a_key_whose_secret_is_wrong(client: Client, key: ApiKey, plaintext: str) -> None:
    hand_in(client, with_wrong_secret(plaintext))
    assert not ApiKey.objects.get(pk=key.pk).leaked_at
    hand_in(client, plaintext, with_wrong_secret(plaintext))
    assert ApiKey.objects.get(pk=key.pk).leaked_at


def test_revoke_finds_a_key_in_any_text(client: Client, issue: IssueKey) -> None:
    for text in (
        "Authorization: Bearer {key}",
        '"{key}",',
        "https://shop.example.com/?key={encoded}&page=1",
        "{upper}",
        "0000000.000000000000000000000000000 {key}",
    ):
        key, plaintext = issue()
        found = text.format(key=plaintext, encoded=plaintext.replace(".", "%252e"), upper=plaintext.upper())
        answer = hand_in(client, "nothing of ours", found)
        assert (answer.status_code, answer.json()) == (202, {"received": 2})
        assert ApiKey.objects.get(pk=key.pk).leaked_at, text


def test_revoke_refuses_a_malformed_body(client: Client, db: None, settings: Any) -> None:
    many = " ".join(f"{number:07x}.{'0' * 27}" for number in range(101))
    settings.RATE_LIMIT_REVOCATIONS = 100
    values: tuple[Any, ...] = ([], "19656ea", [{}], ["x"] * 101, ["x" * 10_001], [many], ["\0"], ["\ud800"])
    bodies = [{}, [], {"keys": ["x"], "reason": "found it"}, *({"keys": value} for value in values)]
    for body in bodies:
        answer = client.post(URL, json.dumps(body), content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), body


@pytest.mark.django_db
@pytest.mark.usefixtures("within_a_minute")
def test_revoke_limits_reports_by_address(client: Client, settings: Any) -> None:
    settings.RATE_LIMIT_REVOCATIONS = 2
    assert [hand_in(client, "x").status_code for _ in range(3)] == [202, 202, 429]
