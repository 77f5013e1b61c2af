"""Work grows with a text and not with its square, at every place that reads one from outside.

Twice the text may take 2.5 times the CPU time. Ratios do not depend on the machine, and a measurement that
something disturbed is taken again.
"""

import io
import json
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from apikeys import key_text, outbox
from stores import text
from stores.models import Product, Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, admin_page, bearer
from tests.reflow.observability.formatters import JSON, TEXT

MAX_RATIO = 2.5
# Below this, nothing has grown that matters.
SECONDS_OF_NOTHING = 0.005
ATTEMPTS = 6
KEYS = "/stores/267418190/settings/api-keys/"

Place = Callable[[str], object]

SHAPES: dict[str, Callable[[int], str]] = {
    "percent signs encoded again and again": lambda n: "%" + "25" * (n // 2),
    "the same after a prefix": lambda n: "1234567%" + "25" * (n // 2),
    "encoded dots": lambda n: "1234567%2e" * (n // 10),
    "marks on one letter": lambda n: "a" + "\u0301" * n,
    "marks in the wrong order": lambda n: "a" + "\u0301\u0316" * (n // 2),
    "letters that grow": lambda n: "\ufdfa" * (n // 3),
    "cookies": lambda n: "cookie" * (n // 6),
    "headers": lambda n: "authorization: " * (n // 15),
    "a header that never comes": lambda n: "cookie" + " " * n,
    "quotes": lambda n: "sessionid" + "&quot;'" * (n // 7),
    "bearers": lambda n: "bearer " * (n // 7),
    "mailed addresses": lambda n: "/accounts//reset/key/" * (n // 21),
    "dots": lambda n: "." * n,
    "a hexadecimal run": lambda n: "f" * n,
    "prefixes": lambda n: "19656ea." * (n // 8),
    "brackets": lambda n: "[(<{" * (n // 4),
    "spaces": lambda n: " " * n,
    "lines": lambda n: "\n" * n,
    "joiners": lambda n: "\u200d" * n,
    "words": lambda n: "a, " * (n // 3),
    "digits": lambda n: "1" * n,
}


# A request goes through all of the functions below, if its text gets as far: it is cut first.
OF_REQUESTS = (
    "percent signs encoded again and again", "marks in the wrong order", "letters that grow", "cookies",
    "a header that never comes", "prefixes", "words",
)  # fmt: skip


def slow_shapes(place: Place, shapes: Iterable[str], size: int) -> list[str]:
    return [shape for shape in shapes if not is_linear(place, SHAPES[shape], size)]


def is_linear(place: Place, shape: Callable[[int], str], size: int) -> bool:
    for _ in range(ATTEMPTS):
        large = seconds(place, shape(2 * size))
        if large <= SECONDS_OF_NOTHING or large <= MAX_RATIO * seconds(place, shape(size)):
            return True
    return False


def seconds(place: Place, hostile: str) -> float:
    started = time.thread_time()
    place(hostile)
    return time.thread_time() - started


def refused(call: Place) -> Place:
    """Return the call, of which a refusal is as good as an answer."""

    def try_it(hostile: str) -> None:
        with suppress(ValidationError, CommandError):
            call(hostile)

    return try_it


def log_in(formatter: logging.Formatter) -> Place:
    return lambda hostile: formatter.format(
        logging.makeLogRecord({"msg": "Asked for %s", "args": (hostile,), "client": hostile})
    )


FUNCTIONS: dict[str, Place] = {
    "find_keys": key_text.find_keys,
    "find_prefix": key_text.find_prefix,
    "hide_secrets": key_text.hide_secrets,
    "search_term": key_text.search_term,
    "comparable": text.comparable,
    "clean_name": refused(text.clean_name),
    "clean_text": refused(lambda hostile: text.clean_text(hostile, max_length=500)),
    "the log as JSON": log_in(JSON),
    "the log as text": log_in(TEXT),
    "an e-mail": lambda hostile: outbox.compose(hostile, hostile),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_time_in_proportion_to_a_text(name: str) -> None:
    assert slow_shapes(FUNCTIONS[name], SHAPES, 50_000) == []


@pytest.mark.django_db
def test_find_keys_command_takes_time_in_proportion_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(hostile: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(hostile.encode())))
        call_command("find_keys")

    assert slow_shapes(refused(command), SHAPES, 50_000) == []


def in_json(api: Client, body: Callable[[str], Any]) -> Place:
    url = "/v1/stores/267418190/products/"
    return lambda hostile: api.generic("POST", url, json.dumps(body(hostile)), "application/json")


def header(name: str) -> Place:
    # As WSGI hands headers on, in Latin-1.
    return lambda hostile: Client().get("/accounts/login/", headers={name: latin_1(hostile)})


HEADERS = ("Host", "User-Agent", "Cookie", "Referer", "Accept-Language", "X-Request-Id", "X-Forwarded-For")


def latin_1(hostile: str) -> str:
    return hostile.encode().decode("latin-1")


def places(api: Client, browser: Client, operator: Client) -> dict[str, Place]:
    fields = {"expiry": "90", "access": ["orders:read"], "version": "1"}
    return {
        "a value in JSON": in_json(api, lambda hostile: {"name": "Mug", "price": 1, "description": hostile}),
        "a name in JSON": in_json(api, lambda hostile: {hostile: 1}),
        "an id in JSON": in_json(api, lambda hostile: {"categories": [hostile]}),
        "the query of the API": lambda hostile: api.get(
            "/v1/stores/267418190/products/", {"search": hostile}
        ),
        "reports of leaks": lambda hostile: Client().post(
            "/v1/api-keys/revoke/", {"keys": [hostile[:10_000]]}, "application/json"
        ),
        "the form of a key": lambda hostile: browser.post(
            f"{KEYS}new/", fields | dict.fromkeys(("name", "note", "allowed_addresses"), hostile)
        ),
        "the exchange of tokens": lambda hostile: Client().post(
            "/v1/token/",
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "subject_token": hostile[:16_000],
                "audience": "http://testserver/v1/stores/267418190/",
            },
            "application/json",
        ),
        "the form of a trust": lambda hostile: browser.post(
            f"{KEYS}trusts/new/", fields | dict.fromkeys(("name", "project", "claims"), hostile)
        ),
        "the sign-in form": lambda hostile: Client().post(
            "/accounts/login/", {"login": hostile, "password": hostile, "next": hostile}
        ),
        "the admin's form": lambda hostile: operator.post(
            admin_page(Product, "add"), {"name": hostile, "description": hostile, "store": "267418190"}
        ),
        "the admin's search": lambda hostile: operator.get(admin_page(Store, "changelist"), {"q": hostile}),
        "the list's search": lambda hostile: browser.get(KEYS, {"q": hostile}),
        "the requests' search": lambda hostile: browser.get(f"{KEYS}requests/", {"q": hostile}),
        "the activity's search": lambda hostile: browser.get(f"{KEYS}activity/", {"q": hostile}),
        "the path": lambda hostile: Client().get("/v1/x", PATH_INFO=f"/v1/{latin_1(hostile)}"),
        "the path of a page": lambda hostile: Client().get("/x", PATH_INFO=f"/stores/{latin_1(hostile)}/"),
        "the path of a key's request": lambda hostile: api.get("/v1/x", PATH_INFO=f"/v1/{latin_1(hostile)}"),
        **{name: header(name) for name in HEADERS},
        "User-Agent of a key's request": lambda hostile: api.get(
            "/v1/api-key/", HTTP_USER_AGENT=latin_1(hostile)
        ),
        "Accept": lambda hostile: api.get("/v1/api-key/", HTTP_ACCEPT=latin_1(hostile)),
        "If-None-Match": lambda hostile: api.get("/v1/api-key/", HTTP_IF_NONE_MATCH=latin_1(hostile)),
        "Authorization": lambda hostile: Client().get(
            "/v1/api-key/", HTTP_AUTHORIZATION=f"Bearer {latin_1(hostile)}"
        ),
    }


def test_requests_take_time_in_proportion_to_a_text(
    issue: IssueKey, signed_in: Client, operator: Client, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_KEY = settings.RATE_LIMIT_PER_ADDRESS = settings.RATE_LIMIT_REVOCATIONS = 10**6
    settings.RATE_LIMIT_FAILED_KEYS = 10**6
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    _, plaintext = issue(access=list(SCOPES))
    slow = {}
    for name, place in places(Client(headers=bearer(plaintext)), signed_in, operator).items():
        place("warm")
        slow[name] = slow_shapes(place, OF_REQUESTS, 15_000)
    assert {name: shapes for name, shapes in slow.items() if shapes} == {}
