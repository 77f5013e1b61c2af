"""Scopes: what a key can be let into, and how that is written."""

import pytest

from stores.resources import SCOPES, Resource, with_implied


def test_only_the_shop_window_is_public() -> None:
    public = [resource for resource in Resource if resource.is_public]
    assert public == [Resource.PRODUCTS, Resource.CATEGORIES]


def test_with_implied_adds_read_to_write_in_the_order_of_the_list() -> None:
    scopes = ["coupons:read", "orders:write", "products:read", "orders:write"]
    assert with_implied(scopes) == ["products:read", "orders:read", "orders:write", "coupons:read"]
    assert with_implied(SCOPES) == list(SCOPES)


def test_with_implied_names_every_unknown_scope() -> None:
    with pytest.raises(ValueError, match=r"Unknown access: orders, planets:read\."):
        with_implied(["planets:read", "orders:read", "orders"])
