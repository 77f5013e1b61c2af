"""Permissions: the key, the view's resource and the method, weighed against each other."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.api.call import ApiCall, get_call
from apikeys.api.exceptions import ApiError
from apikeys.api.permissions import HasApiKey, HasResourceAccess
from apikeys.models import ApiKey
from stores.resources import Resource

STORE = 267418190
KEY = "19656ea.4329f04826e125f1ee999b53f78"
ORDERS, PRODUCTS = Resource.ORDERS, Resource.PRODUCTS
READ, WRITE = ["orders:read"], ["orders:read", "orders:write"]


def ask(
    permission: type[BasePermission], access: list[str] | None, method: str, view: Any = None, query: str = ""
) -> tuple[str, str]:
    """Return the code of the refusal, blank for none, and the access that the call is noted to need."""
    http = RequestFactory().generic(method, f"/{query}")
    http.api_call = ApiCall()  # type: ignore[attr-defined]
    request = Request(http)
    request.auth = None if access is None else ApiKey(store_id=STORE, access=access)
    try:
        assert permission().has_permission(request, SimpleNamespace(**(view or {})))  # type: ignore[arg-type]
    except ApiError as error:
        return error.code, get_call(request).access
    return "", get_call(request).access


@pytest.mark.parametrize(
    ("access", "resource", "method", "code", "noted"),
    [
        (None, PRODUCTS, "GET", "", ""),
        (None, PRODUCTS, "POST", "api_key_missing", ""),
        (None, ORDERS, "GET", "api_key_missing", ""),
        (None, ORDERS, "OPTIONS", "", ""),
        (None, None, "GET", "", ""),
        (None, None, "POST", "api_key_missing", ""),
        (READ, ORDERS, "GET", "", "read"),
        (READ, ORDERS, "HEAD", "", "read"),
        (READ, ORDERS, "PATCH", "resource_not_allowed", "write"),
        (WRITE, ORDERS, "DELETE", "", "write"),
        (WRITE, PRODUCTS, "GET", "resource_not_allowed", "read"),
        (READ, None, "GET", "", "read"),
    ],
)
def test_has_resource_access_weighs_key_resource_and_method(
    access: list[str] | None, resource: Resource | None, method: str, code: str, noted: str
) -> None:
    view = {"resource": resource, "kwargs": {"store_id": str(STORE)}}
    assert ask(HasResourceAccess, access, method, view) == (code, noted)


@pytest.mark.parametrize(
    ("access", "query", "view", "code"),
    [
        (None, "", {"resource": PRODUCTS, "needs_key": True}, "api_key_missing"),
        (None, f"?key={KEY}", {"resource": PRODUCTS}, "api_key_missing"),
        (READ, "", {"resource": ORDERS, "kwargs": {"store_id": "518203746"}}, "api_key_wrong_store"),
    ],
)
def test_has_resource_access_refuses(
    access: list[str] | None, query: str, view: dict[str, Any], code: str
) -> None:
    assert ask(HasResourceAccess, access, "GET", view, query) == (code, "")


def test_has_resource_access_closes_a_view_without_a_resource() -> None:
    with pytest.raises(PermissionDenied):
        ask(HasResourceAccess, WRITE, "GET")


@pytest.mark.parametrize(
    ("access", "method", "code"),
    [(READ, "GET", ""), (None, "GET", "api_key_missing"), (None, "OPTIONS", "")],
)
def test_has_api_key_takes_any_key(access: list[str] | None, method: str, code: str) -> None:
    assert ask(HasApiKey, access, method) == (code, "")
