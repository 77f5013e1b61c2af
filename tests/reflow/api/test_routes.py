"""Access to the API: every route of the API, every method, every kind of caller.

What is right is in the one table, ``tests.routes``. The routes are read from the URLconf, so that a new one
fails here until the table says who may use it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLResolver, get_resolver, resolve
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from reflow.api.schema import SCHEME, get_schema
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, bearer
from tests.routes import ROUTES, Key, Route

REALM = 'Bearer realm="Reflow API"'
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")
READING = frozenset({"GET", "HEAD", "OPTIONS"})


# The one table, by address: ``stores/{store_id}/orders``.
ROWS: dict[str, list[Route]] = defaultdict(list)
for route in ROUTES:
    ROWS[route.path.removeprefix("/v1/").rstrip("/")].append(route)


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The addresses of every DRF view, such as ``v1/stores/{store_id}/orders``."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern).strip("^$")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, address)
        elif hasattr(pattern.callback, "cls"):
            named = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", address)
            yield named.replace("{pk}", "{id}").removesuffix("/?")


FOUND = sorted({route.removeprefix("v1/") for route in routes() if "/projects/" not in route})


@dataclass(frozen=True)
class Caller:
    """A header, and what it alone is refused for; ``access`` is None where that store is not its own."""

    header: dict[str, str]
    refusal: str = ""
    access: tuple[str, ...] | None = ()


@pytest.fixture
def callers(store: Store, other_store: Store, owner: User, issue: IssueKey) -> dict[str, Caller]:
    """Whoever is refused everywhere."""
    inactive, inactive_text = issue(access=list(SCOPES))
    lifecycle.deactivate_key(inactive, by=Actor(owner))
    _, expired_text = issue(access=list(SCOPES), expires_at=timezone.now() - timedelta(seconds=1))
    _, foreign_text = issue(access=list(SCOPES), store=other_store)
    unknown = "0000000." + "0" * 27
    return {
        "no key": Caller({}, "api_key_missing"),
        "malformed": Caller({"Authorization": f"Token {unknown}"}, "api_key_malformed"),
        "unknown": Caller(bearer(unknown), "api_key_invalid"),
        "inactive": Caller(bearer(inactive_text), "api_key_inactive"),
        "expired": Caller(bearer(expired_text), "api_key_expired"),
        "of another store": Caller(bearer(foreign_text), access=None),
    }


def holders(issue: IssueKey, resource: str) -> dict[str, Caller]:
    """Keys that work: two of one scope of a resource each, and one of all scopes but these."""
    others = tuple(scope for scope in SCOPES if scope.partition(":")[0] != resource)
    reading, writing = f"{resource}:read", f"{resource}:write"
    accesses = {"others": others}
    if resource:
        accesses |= {"read": (reading,), "write": (reading, writing)}
    return {
        name: Caller(bearer(issue(access=access[-1:] if name == "write" else access)[1]), access=access)
        for name, access in accesses.items()
    }


def expected(row: list[Route], method: str, caller: Caller) -> str:
    """The code of the refusal, or "" for whoever gets through."""
    keys = {route.key for route in row}
    is_of_store = "{store_id}" in row[0].path
    if Key.IGNORED in keys or (method == "OPTIONS" and caller.refusal == "api_key_missing"):
        return ""
    if caller.refusal == "api_key_missing":
        is_guarded = is_of_store or Key.REQUIRED in keys
        is_open = Key.OPTIONAL in keys and method in READING
        return caller.refusal if is_guarded and not is_open else ""
    if caller.refusal or not is_of_store:
        return caller.refusal
    if caller.access is None:
        return "api_key_wrong_store"
    required = needed(row, method)
    return "" if not required or required in caller.access else "resource_not_allowed"


def needed(row: list[Route], method: str) -> str:
    resource = row[0].resource
    return f"{resource}:{'read' if method in READING else 'write'}" if resource else ""


def challenge(body: dict[str, Any]) -> str:
    """The one ``WWW-Authenticate`` that goes with a refusal."""
    return {
        "api_key_missing": REALM,
        "api_key_malformed": f'{REALM}, error="invalid_request"',
        "api_key_invalid": f'{REALM}, error="invalid_token"',
        "api_key_inactive": f'{REALM}, error="invalid_token", error_description="{body["error"]}"',
        "api_key_expired": f'{REALM}, error="invalid_token", error_description="{body["error"]}"',
        "api_key_wrong_store": f'{REALM}, error="invalid_token"',
        "resource_not_allowed": f'{REALM}, error="insufficient_scope", scope="{body.get("required")}"',
    }[body["code"]]


@pytest.mark.parametrize("route", FOUND)
def test_everybody_gets_as_far_as_they_may(
    client: Client, store: Store, callers: dict[str, Caller], issue: IssueKey, settings: Any, route: str
) -> None:
    settings.RATE_LIMIT_REVOCATIONS = settings.RATE_LIMIT_FAILED_KEYS = 10_000
    assert route in ROWS, "Say in tests.routes who may use this route."
    row = ROWS[route]
    callers |= holders(issue, row[0].resource or "")
    methods = {route.method for route in row}
    answered = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    url = "/v1/" + route.format(store_id=store.pk, id=1, prefix="0000000", request_id="0" * 32)
    for method in METHODS:
        for name, caller in callers.items():
            response = client.generic(method, url, "{}", "application/json", headers=caller.header)
            code = expected(row, method, caller)
            who = f"{method} {url} with a key that is {name}: {response.status_code} {response.content!r}"
            if not code:
                # A key may not renew itself unless its owner says so.
                served = {200, 202, 400, 404} | ({403} if route == "api-key/roll" else set())
                assert response.status_code in (served if method in answered else {405}), who
                continue
            assert response.status_code == 401, who
            assert response["Cache-Control"] == "no-store", who
            if method == "HEAD":
                assert response["WWW-Authenticate"].startswith(REALM), who
                continue
            body = response.json()
            assert body["code"] == code, who
            assert response["WWW-Authenticate"] == challenge(body), who
            if code == "resource_not_allowed":
                granted = list(caller.access or ())
                assert (body["required"], body["granted"]) == (needed(row, method), granted), who


def test_every_route_but_the_documents_answers_with_a_slash_too() -> None:
    for route in set(FOUND) - {"openapi.json"}:
        address = "/v1/" + route.format(store_id=267418190, id=1, prefix="0000000", request_id="0" * 32)
        assert resolve(f"{address}/").func == resolve(address).func


def test_the_table_holds_what_the_walk_finds() -> None:
    assert set(FOUND) == set(ROWS)


def test_the_description_says_the_same() -> None:
    described = {
        (method.upper(), path): operation["security"]
        for path, operations in get_schema()["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {
        (route.method, route.path.rstrip("/")): (
            [{SCHEME: [route.scope] if route.scope else []}] if route.key is Key.REQUIRED else []
        )
        for route in ROUTES
        if route.path != "/v1/openapi.json"
    }
