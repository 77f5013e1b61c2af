"""Scopes: what a key can be let into, and how that is written."""

import pytest

from stores.resources import SCOPES, Access, Resource, with_implied


@pytest.mark.parametrize(
    ("method", "access"),
    [
        ("GET", Access.READ),
        ("HEAD", Access.READ),
        ("OPTIONS", Access.READ),
        ("POST", Access.WRITE),
        ("PUT", Access.WRITE),
        ("PATCH", Access.WRITE),
        ("DELETE", Access.WRITE),
        ("PROPFIND", Access.WRITE),
        ("get", Access.WRITE),
    ],
)
def test_only_the_safe_methods_read(method: str, access: Access) -> None:
    assert Access.for_method(method) is access


def test_every_resource_can_be_read_and_written() -> None:
    assert len(SCOPES) == 2 * len(Resource)
    assert SCOPES[:2] == ("products:read", "products:write")
    assert Resource.ORDERS.scope(Access.WRITE) in SCOPES


@pytest.mark.parametrize("resource", Resource)
def test_every_resource_says_what_it_exposes(resource: Resource) -> None:
    assert resource.exposes


def test_only_the_shop_window_is_public() -> None:
    assert [resource for resource in Resource if resource.is_public] == [
        Resource.PRODUCTS,
        Resource.CATEGORIES,
    ]


def test_write_implies_read_in_the_order_of_the_list() -> None:
    scopes = ["coupons:read", "orders:write", "products:read", "orders:write"]
    assert with_implied(scopes) == ["products:read", "orders:read", "orders:write", "coupons:read"]


def test_all_scopes_imply_themselves_and_none_imply_none() -> None:
    assert with_implied(SCOPES) == list(SCOPES)
    assert with_implied([]) == []


def test_every_unknown_scope_is_named() -> None:
    with pytest.raises(ValueError, match=r"Unknown access: orders, planets:read\."):
        with_implied(["planets:read", "orders:read", "orders"])
