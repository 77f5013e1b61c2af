"""The routes of the resource api_keys: what programs see and change, and that nothing can grow."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from stores.models import Store
from tests.conftest import IssueKey, bearer, deliver_emails
from tests.issuer import make_trust

KEYS = "/v1/stores/267418190/api-keys/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = 86400
MANAGING = ["orders:write", "customers:read", "api_keys:write"]


class Api:
    """The API, called with one key."""

    def __init__(self, plaintext: str) -> None:
        self.client = Client(headers=bearer(plaintext))

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        content = "" if body is None else json.dumps(body)
        return self.client.generic(method, f"{KEYS}{path}", content, "application/json")

    def make(self, **fields: Any) -> Any:
        body = {"name": "Made", "access": ["orders:read"], "expires_in": 8 * DAY} | fields
        return self.call("POST", body=body)


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def program(issue: IssueKey) -> ApiKey:
    """A key that manages keys, which ends in a hundred days and works from the tests' network."""
    limits: Any = {"expires_at": NOON + timedelta(days=100), "allowed_addresses": ["127.0.0.0/8"]}
    key, plaintext = issue(name="Program", access=MANAGING, **limits)
    key.plaintext = plaintext  # type: ignore[attr-defined]
    return key


@pytest.fixture
def api(program: ApiKey) -> Api:
    return Api(program.plaintext)  # type: ignore[attr-defined]


def test_keys_of_a_trust_are_not_there(api: Api, program: ApiKey, store: Store) -> None:
    trust = make_trust(store, Actor())
    key, _ = lifecycle.insert_key(store=store, name="For minutes", access=["orders:read"], trust=trust)
    for query in ("", "?cursor=", "?access=orders:read", "?search=minutes"):
        prefixes = [row["prefix"] for row in api.call("GET", query).json()["data"]]
        assert prefixes == ([] if "minutes" in query else [program.prefix])
    for method in ("GET", "PATCH", "DELETE"):
        assert api.call(method, key.prefix, {}).status_code == 404


def test_create_answers_the_whole_key_once(api: Api, program: ApiKey) -> None:
    deliver_emails().clear()
    response = api.make(note="Nightly", allowed_addresses=["127.0.0.1"])
    made = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver{KEYS}{made['prefix']}"
    key = ApiKey.objects.get(prefix=made["prefix"])
    assert (key.made_by, key.created_by) == (program, None)
    assert made == {
        "object": "api_key",
        "prefix": key.prefix,
        "name": "Made",
        "note": "Nightly",
        "access": ["orders:read"],
        "expires_at": "2026-12-01T12:00:00Z",
        "allowed_addresses": ["127.0.0.1"],
        "status": "working",
        "created_at": "2026-11-23T12:00:00Z",
        "created_by": {"type": "api_key", "prefix": program.prefix},
        "last_used_at": None,
        "last_tried_at": None,
        "requests_30d": 0,
        "refused_30d": 0,
        "successor": None,
        "predecessor": None,
        "key": made["key"],
    }
    own = Client().get("/v1/api-key/", headers=bearer(made["key"])).json()
    assert own["prefix"] == made["prefix"]
    del made["key"]
    assert api.call("GET", f"{key.prefix}/").json() == made | {
        "last_used_at": "2026-11-23T12:00:00Z",
        "last_tried_at": "2026-11-23T12:00:00Z",
        "requests_30d": 1,
    }
    entry = AuditEntry.objects.for_key(key)[0]
    assert (entry.sentence, entry.actor_name) == ("Created with orders:read.", f"API key {program.prefix}")
    (email,) = deliver_emails()
    assert f"By: API key {program.prefix}" in email.body


MISSING, BEYOND, INVALID = (401, "resource_not_allowed"), (403, "beyond_own_access"), (400, "invalid")


@pytest.mark.parametrize(
    ("fields", "refusal", "named"),
    [
        ({"access": ["coupons:read"]}, MISSING, "coupons:read"),
        ({"access": ["customers:write"]}, MISSING, "customers:write"),
        ({"access": ["api_keys:read"]}, MISSING, "api_keys:read"),
        ({"expires_in": 101 * DAY}, BEYOND, "expires_at"),
        ({"allowed_addresses": []}, BEYOND, "allowed_addresses"),
        ({"allowed_addresses": ["126.0.0.0/7"]}, BEYOND, "allowed_addresses"),
        ({"access": ["planets:read"]}, INVALID, "access.0"),
        ({"access": []}, INVALID, "access"),
        ({"expires_in": 59}, INVALID, "expires_in"),
        ({"expires_in": None, "expires_at": "2026-11-23T11:00:00Z"}, INVALID, "expires_in"),
        ({"expires_at": "2026-11-24T11:00:00Z"}, INVALID, "expires_in"),
        ({"expires_at": "2026-11-23T11:00:00Z"}, INVALID, "expires_at"),
        ({"name": "program"}, (409, "conflict"), "name"),
        ({"name": "\u200b"}, INVALID, "name"),
        ({"allowed_addresses": ["here"]}, INVALID, "allowed_addresses"),
        ({"renews_days": 30}, INVALID, "renews_days"),
    ],
)
def test_create_refuses_what_is_wrong_or_too_much(
    api: Api, fields: Any, refusal: tuple[int, str], named: str
) -> None:
    response = api.make(**{"allowed_addresses": ["127.0.0.1"], **fields})
    body = response.json()
    assert (response.status_code, body["code"]) == refusal
    assert named in (body["required"] if refusal == MISSING else body["fields"])
    assert ApiKey.objects.count() == AuditEntry.objects.count() == 1


def test_a_program_changes_only_keys_that_it_made(api: Api, issue: IssueKey, program: ApiKey) -> None:
    foreign, _ = issue(name="Foreign", access=["orders:read"], expires_at=NOON + timedelta(days=1))
    for method, path, body in (
        ("PATCH", "", {"name": "Mine now"}),
        ("DELETE", "", None),
        ("POST", "roll/", {"overlap": 0}),
        ("POST", "deactivate/", {}),
    ):
        for key in (foreign, program):
            response = api.call(method, f"{key.prefix}/{path}", body)
            assert (response.status_code, response.json()["code"]) == (403, "beyond_own_access"), method
            assert response.json()["fields"] == {"key": ["A key can change only keys that it made."]}
    assert {key["name"] for key in api.call("GET").json()["data"]} == {"Foreign", "Program"}


def test_a_program_changes_rolls_and_ends_the_keys_that_it_made(api: Api, program: ApiKey) -> None:
    made = api.make(allowed_addresses=["127.0.0.1"]).json()
    path = f"{made['prefix']}/"
    changed = api.call("PATCH", path, {"name": "Renamed", "access": ["orders:write"], "expires_in": 2 * DAY})
    assert (changed.json()["name"], changed.json()["access"]) == ("Renamed", ["orders:read", "orders:write"])
    assert api.call("POST", f"{path}deactivate/").json()["status"] == "off"
    assert api.call("POST", f"{path}deactivate/").status_code == 409
    assert api.call("POST", f"{path}reactivate/").json()["status"] == "working"
    rolled = api.call("POST", f"{path}roll/", {"overlap": 60}).json()
    assert rolled["predecessor"] == made["prefix"]
    assert api.call("GET", path).json()["successor"] == rolled["prefix"]
    assert api.call("POST", f"{path}roll/", {"overlap": 60}).status_code == 409
    assert api.call("DELETE", f"{rolled['prefix']}/").status_code == 204
    assert api.call("GET", f"{rolled['prefix']}/").status_code == 404
    assert {entry.actor_prefix for entry in AuditEntry.objects.exclude(key=program)} == {program.prefix}


def test_update_takes_back_what_was_read_and_names_what_cannot_be_written(api: Api, program: ApiKey) -> None:
    path = f"{api.make(allowed_addresses=['127.0.0.1']).json()['prefix']}/"
    with time_machine.travel(NOON + timedelta(seconds=0.5), tick=False):
        read = api.call("GET", path).json()
    assert api.call("PATCH", path, read).json() == read
    entries = AuditEntry.objects.count()
    assert api.call("PATCH", path, read | {"note": "Nightly"}).json() == read | {"note": "Nightly"}
    assert AuditEntry.objects.count() == entries + 1
    computed = read.keys() - {"name", "note", "access", "expires_at", "allowed_addresses"}
    for name in computed:
        answer = api.call("PATCH", path, read | {"note": "Nightly", name: "another"})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


def test_a_program_gives_no_more_than_it_has_at_that_moment(api: Api, program: ApiKey, owner: User) -> None:
    made = api.make(access=["orders:write"], allowed_addresses=["127.0.0.1"]).json()
    lifecycle.update_key(program, by=Actor(owner), version=1, access=["api_keys:write", "customers:read"])
    for path, body in (("roll/", {"overlap": 0}), ("reactivate/", {})):
        if path == "reactivate/":
            lifecycle.deactivate_key(ApiKey.objects.get(prefix=made["prefix"]), by=Actor(owner))
        response = api.call("POST", f"{made['prefix']}/{path}", body)
        assert (response.status_code, response.json()["code"]) == (401, "resource_not_allowed")
    assert api.call("PATCH", f"{made['prefix']}/", {"access": ["customers:read"]}).status_code == 200


def test_the_successor_of_a_program_manages_what_it_made(api: Api, program: ApiKey, owner: User) -> None:
    made = api.make(allowed_addresses=["127.0.0.1"]).json()
    _, plaintext = lifecycle.roll_key(program, by=Actor(owner), overlap=timedelta(0))
    assert Api(plaintext).call("DELETE", f"{made['prefix']}/").status_code == 204


def test_a_leak_takes_the_keys_that_were_made_with_it(api: Api, program: ApiKey, issue: IssueKey) -> None:
    made = api.make(allowed_addresses=["127.0.0.1"]).json()
    bystander, _ = issue(name="Bystander")
    deliver_emails().clear()
    Client().post("/v1/api-keys/revoke/", {"keys": [program.plaintext]}, "application/json")  # type: ignore[attr-defined]
    assert list(ApiKey.objects.usable()) == [bystander]
    sentence = AuditEntry.objects.filter(prefix=made["prefix"])[0].sentence
    assert sentence == f"Deactivated for good: made with {program.prefix}, which leaked."
    assert len(deliver_emails()) == 1


def test_list_is_filtered_and_paged(api: Api, program: ApiKey, issue: IssueKey, owner: User) -> None:
    with time_machine.travel(NOON + timedelta(seconds=1), tick=False):
        other, _ = issue(name="Other")
    lifecycle.deactivate_key(other, by=Actor(owner))
    with time_machine.travel(NOON + timedelta(seconds=2), tick=False):
        api.make(allowed_addresses=["127.0.0.1"])
        for query, names in (
            ("", ["Made", "Other", "Program"]),
            ("?status=off", ["Other"]),
            ("?access=customers:read", ["Program"]),
            ("?created_by=person", ["Other", "Program"]),
            (f"?created_by={program.prefix}", ["Made"]),
            ("?search=OTH", ["Other"]),
            ("?perpage=1&page=3", ["Program"]),
            ("?cursor=&perpage=2", ["Made", "Other"]),
        ):
            assert [key["name"] for key in api.call("GET", query).json()["data"]] == names, query


def test_list_refuses_a_filter_that_it_does_not_have(api: Api) -> None:
    for query in ("?status=sleeping", "?colour=red", "?created_by=me"):
        assert api.call("GET", query).json()["code"] == "invalid"
    described = api.client.get("/v1/openapi.json").json()["paths"]["/v1/stores/{store_id}/api-keys"]["get"]
    (maker,) = (each["schema"] for each in described["parameters"] if each["name"] == "created_by")
    assert (maker["pattern"], maker["maxLength"]) == ("^(person|[0-9a-f]{7})$", 7)


@pytest.mark.parametrize("url", [f"{KEYS}{{prefix}}/reactivate/", "/v1/api-key/roll/"])
def test_an_operation_without_fields_refuses_any(api: Api, program: ApiKey, url: str) -> None:
    for body in ("[[1]]", "[{}]", "5", '"x"', "null", "[]", '{"name": "New"}'):
        answer = api.client.post(url.format(prefix=program.prefix), body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), body
