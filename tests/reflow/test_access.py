"""Every route, with every method and every kind of key, against the one table that says who may do what."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from reflow.access import ROUTES, Key, Route
from reflow.schema import SCHEME, document
from stores.models import Store
from stores.resources import SCOPES, with_implied
from tests.conftest import IssueKey, bearer
from tests.specimens import Specimens, make_specimens, undone

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")

each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


def call(route: Route, specimens: Specimens, key: str | None = None, method: str | None = None) -> Any:
    """One request with a body that is no use; whatever it does is taken back."""
    address = specimens.fill(route.path, route.resource)
    headers = bearer(key) if key else None
    with undone():
        return Client().generic(method or route.method, address, "[]", "application/json", headers=headers)


def refusal(response: Any) -> str | None:
    return response.json()["code"] if response.status_code == 401 else None


def is_let_in(response: Any) -> bool:
    """What reads or deletes succeeds; what writes is told that its body is no use."""
    return response.status_code in {200, 204, 400}


@each_route
def test_without_a_key(route: Route, specimens: Specimens) -> None:
    response = call(route, specimens)
    if route.key is Key.REQUIRED:
        assert refusal(response) == "api_key_missing"
    else:
        assert is_let_in(response)


@each_route
def test_with_a_key_that_is_dead(route: Route, specimens: Specimens, issue: IssueKey, owner: User) -> None:
    key, plaintext = issue(access=list(SCOPES))
    key.deactivate(by=owner)
    response = call(route, specimens, plaintext)
    if route.key is Key.IGNORED:
        assert is_let_in(response)
    else:
        assert refusal(response) == "api_key_inactive"


@each_route
def test_with_a_key_of_another_store(
    route: Route, specimens: Specimens, issue: IssueKey, other_store: Store
) -> None:
    _, plaintext = issue(store=other_store, access=list(SCOPES))
    response = call(route, specimens, plaintext)
    if "{store_id}" in route.path:
        assert refusal(response) == "api_key_wrong_store"
    else:
        assert is_let_in(response)


@each_route
def test_with_each_single_scope(route: Route, specimens: Specimens, issue: IssueKey) -> None:
    for scope in SCOPES:
        _, plaintext = issue(access=[scope])
        response = call(route, specimens, plaintext)
        if route.scope in {None, *with_implied([scope])}:
            assert is_let_in(response), scope
        else:
            assert refusal(response) == "resource_not_allowed"
            assert response.json()["required"] == route.scope


@each_route
def test_no_other_method_does_anything(route: Route, specimens: Specimens, issue: IssueKey) -> None:
    _, plaintext = issue(access=list(SCOPES))
    known = {other.method for other in ROUTES if other.path == route.path} | {"HEAD", "OPTIONS"}
    for method in set(METHODS) - known:
        assert call(route, specimens, plaintext, method).status_code == 405, method


def test_the_description_says_the_same() -> None:
    described = {
        (method.upper(), path): operation["security"]
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {
        (route.method, route.path): ways_in(route) for route in ROUTES if route.path != "/v1/openapi.json"
    }


def ways_in(route: Route) -> list[dict[str, list[str]]]:
    """The ways to authenticate, in the words of OpenAPI."""
    with_key = {SCHEME: [route.scope] if route.scope else []}
    without: dict[str, list[str]] = {}
    ways = {Key.REQUIRED: [with_key], Key.OPTIONAL: [with_key, without], Key.IGNORED: [without]}
    return ways[route.key]
