"""JSON types are kept apart: what the description calls a string takes no number, and the other way round."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from stores.api.categories import CategorySerializer
from stores.api.coupons import CouponSerializer
from stores.api.customers import CustomerSerializer
from stores.api.orders import OrderSerializer
from stores.api.products import ProductSerializer
from stores.models import Store
from tests.shop import Caller, refused
from tests.specimens import make_specimens

SERIALIZERS: dict[str, type[serializers.Serializer[Any]]] = {
    "products": ProductSerializer,
    "categories": CategorySerializer,
    "orders": OrderSerializer,
    "customers": CustomerSerializer,
    "coupons": CouponSerializer,
}
# What else a field's part needs, so that only the value in question is wrong.
COMPLETE: dict[str, Any] = {
    "media.src": dict.fromkeys(("sm", "md", "lg"), "https://example.com/"),
    "media": {"type": "image", "src": dict.fromkeys(("sm", "md", "lg"), "https://example.com/")},
    "variants.items": {"name": "Small", "price": 1},
    "personalization.items": {"id": "name", "type": "text", "name": "Name"},
}


def fields_of(field: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every field that holds a single value, by where it is; ``*`` stands for an item of a list."""
    if hasattr(field, "child"):
        yield from fields_of(field.child, (*path, "*"))
    elif hasattr(field, "fields"):
        for name, inner in field.fields.items():
            yield from fields_of(inner, (*path, name))
    else:
        yield path, field


def wrong_values(field: Any) -> list[Any]:
    """Values of other JSON types that a lenient reader would convert."""
    if isinstance(field, serializers.BooleanField):
        return ["true", "1", 1, 0, 1.0]
    if isinstance(field, serializers.IntegerField):
        return ["5", " 5 ", True, False]
    return [5, 5.5, True, False]


def body_with(path: tuple[str, ...], value: Any) -> Any:
    """The body in which the field at this place has this value."""
    for index in reversed(range(len(path))):
        name = path[index]
        if name == "*":
            value = [value]
        else:
            parent = ".".join(part for part in path[:index] if part != "*")
            value = COMPLETE.get(parent, {}) | {name: value}
    return value


@pytest.mark.parametrize("resource", SERIALIZERS)
def test_a_value_of_another_type_is_refused(api: Caller, store: Store, resource: str) -> None:
    row = make_specimens(store).ids[resource][0]  # type: ignore[index]
    for path, field in fields_of(SERIALIZERS[resource](context={"store": None})):
        name = ".".join(path).replace("*", "0")
        for value in wrong_values(field):
            assert list(refused(api.patch(f"/{resource}/{row}", body_with(path, value)))) == [name], value
