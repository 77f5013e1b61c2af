"""Errors in a body are named by field, on POST and on PATCH, and nothing of it is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model
from rest_framework import serializers

from stores.api.serializers import describe_wrong_type
from stores.models import Category, Coupon, Customer, Order, Product, Store
from stores.resources import Resource
from tests.shop import IMAGE, PICTURE, Caller, refused
from tests.specimens import VIEWS, make_specimens

# Bodies that make an object, where clients can, and one that changes any.
NEW: dict[str, tuple[type[Model], dict[str, Any], dict[str, Any]]] = {
    "products": (Product, {"name": "Mug", "price": 1999}, {"excerpt": "Written?"}),
    "categories": (Category, {"name": "Hall"}, {"description": "Written?"}),
    "coupons": (
        Coupon,
        {"code": "NEW", "kind": "fixed", "starts_at": "2020-06-01T00:00:00Z"},
        {"minimum": 1},
    ),
    "customers": (Customer, {}, {"phone": "Written?"}),
    "orders": (Order, {}, {}),
}
RED = {"name": "Red", "price": 1}
INPUT = {"id": "a", "type": "text", "name": "A"}


def variant(**change: Any) -> dict[str, Any]:
    return {"variants": {"items": [RED | change]}}


def media(**change: Any) -> dict[str, Any]:
    return {"media": [PICTURE | change]}


def personal(**change: Any) -> dict[str, Any]:
    return {"personalization": {"items": [INPUT | change]}}


# All fields that cannot be written are tried in tests/security/test_mass_assignment.py.
# Django REST Framework would take a number for a text, a text for a number, and either for a flag.
WRONG: dict[str, list[tuple[dict[str, Any], list[str]]]] = {
    "products": [
        *(({"name": name}, ["name"]) for name in ("", "x" * 201, None, ["Mug"], 5, "a\0b", "\ud800")),
        *(({"price": price}, ["price"]) for price in (-1, 10**12 + 1, "19.99", " 5 ", True, 5.5, 1e300)),
        *(({"livemode": value}, ["livemode"]) for value in ("true", 1, 0.0)),
        *(({"quantity": value}, ["quantity"]) for value in (2**63, "5", False)),
        ({"handle": "not a handle"}, ["handle"]),
        ({"original_price": 1999}, ["original_price"]),
        ({"min_quantity": 0}, ["min_quantity"]),
        ({"max_quantity": 0}, ["max_quantity"]),
        ({"min_quantity": 3, "max_quantity": 2}, ["max_quantity"]),
        ({"inventory_type": "endless"}, ["inventory_type"]),
        ({"inventory_type": True}, ["inventory_type"]),
        ({"personalization": True}, ["personalization.non_field_errors"]),
        ({"personalization": {"items": [{"id": "a", "name": "A"}]}}, ["personalization.items.0.type"]),
        (personal(required="true"), ["personalization.items.0.required"]),
        (personal(price="5"), ["personalization.items.0.price"]),
        ({"media": [{}]}, ["media.0.type", "media.0.src"]),
        ({"media": IMAGE}, ["media"]),
        ({"media": [PICTURE | {"id": "a"}, PICTURE | {"id": "a"}]}, ["media"]),
        (media(type="video"), ["media.0.type"]),
        (media(src={}), ["media.0.src.sm", "media.0.src.md", "media.0.src.lg"]),
        (media(src=IMAGE | {"sm": "javascript:alert(1)"}), ["media.0.src.sm"]),
        (media(src=IMAGE | {"sm": 5}), ["media.0.src.sm"]),
        (media(src=IMAGE | {"xl": "https://example.com/"}), ["media.0.src.xl"]),
        (media(url=""), ["media.0.url"]),
        ({"variants": {"enabled": True, "items": []}}, ["variants.enabled"]),
        ({"personalization": {"enabled": True, "price": 1}}, ["personalization.price"]),
        ({"categories": ["9" * 18]}, ["categories"]),
        ({"categories": ["a\0b"]}, ["categories.0"]),
        ({"categories": [1]}, ["categories.0"]),
        ({"variants": []}, ["variants.non_field_errors"]),
        ({"variants": {"items": [{}]}}, ["variants.items.0.name", "variants.items.0.price"]),
        ({"variants": {"items": [RED, RED]}}, ["variants.items.1.name"]),
        ({"variants": {"items": [RED] * 101}}, ["variants.items"]),
        ({"variants": {"items": [RED | {"id": "1"}] * 2}}, ["variants.items"]),
        (variant(prize=2), ["variants.items.0.prize"]),
        (variant(store=1, product=1), ["variants.items.0.store", "variants.items.0.product"]),
        (variant(price=-2), ["variants.items.0.price"]),
        (variant(original_price=1), ["variants.items.0.original_price"]),
        (variant(id="0"), ["variants.items.0.id"]),
        (variant(id=5), ["variants.items.0.id"]),
        (variant(id="9" * 30), ["variants.items.0.id"]),
        (variant(id="9" * 18), ["variants"]),
        (variant(remove=True), ["variants.items.0.id"]),
        ({"id": "7", "colour": "blue", "created_at": "2026-01-01"}, ["id", "colour", "created_at"]),
    ],
    "categories": [
        *(({"name": name}, ["name"]) for name in ("", "x" * 101)),
        *(({"parent": parent}, ["parent"]) for parent in ("kitchen", "9" * 18, "9" * 30, "", 5)),
        ({"handle": "no handle"}, ["handle"]),
        ({"position": -1}, ["position"]),
    ],
    "coupons": [
        *(({"code": code}, ["code"]) for code in ("", "x" * 41, 5)),
        *(({"value": value}, ["value"]) for value in (-1, None)),
        *(({"starts_at": time}, ["starts_at"]) for time in ("soon", None)),
        *(({"ends_at": time}, ["ends_at"]) for time in ("2019-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00")),
        *(({"usage_limit": limit}, ["usage_limit"]) for limit in (-1, 2**63)),
        ({"kind": "gift"}, ["kind"]),
        ({"kind": "percent", "value": 101}, ["value"]),
        ({"minimum": 10**12 + 1}, ["minimum"]),
    ],
    "customers": [
        *(({"email": email}, ["email"]) for email in ("nobody", None)),
        ({"name": ""}, ["name"]),
        ({"phone": "1" * 41}, ["phone"]),
        ({"address": "1 Main Street"}, ["address.non_field_errors"]),
        ({"address": {"country": "USA"}}, ["address.country"]),
        ({"address": {"zip": "12345"}}, ["address.zip"]),
        ({"address": {"email": "forged@example.com"}}, ["address.email"]),
        ({"address": {"city": 5}}, ["address.city"]),
        ({"city": "Salem"}, ["city"]),
    ],
    "orders": [
        *(({"status": status, "note": "Written?"}, ["status"]) for status in ("lost", None, 5, "completed")),
        *(({"note": note}, ["note"]) for note in ("x" * 2001, {"text": "x"})),
        ({"tracking_number": "x" * 101}, ["tracking_number"]),
    ],
}


@pytest.mark.parametrize("resource", WRONG)
def test_a_write_names_what_is_wrong_and_writes_nothing(api: Caller, store: Store, resource: str) -> None:
    model, new, more = NEW[resource]
    path = f"/{resource}/{make_specimens(store).ids[Resource(resource)][1]}"
    before, number = api.get(path).json(), model._default_manager.count()
    for change, fields in WRONG[resource]:
        assert list(refused(api.patch(path, more | change))) == fields, change
        if new:
            assert list(refused(api.post(f"/{resource}", new | change))) == fields, change
    assert api.get(path).json() == before
    assert model._default_manager.count() == number


# JSON types are kept apart: what is called a string takes no number, and the other way round.


def single_fields(field: Any) -> Iterator[Any]:
    """Every field that can be written and holds a single value, however deep."""
    if hasattr(field, "child"):
        yield from single_fields(field.child)
    elif hasattr(field, "fields"):
        for inner in field.fields.values():
            yield from single_fields(inner)
    elif not field.read_only and not isinstance(field, serializers.DateTimeField):  # which takes no number
        yield field


@pytest.mark.parametrize("view", VIEWS)
def test_describe_wrong_type_names_a_value_of_another_type_for_any_field(view: Any) -> None:
    fields = list(single_fields(view.serializer_class(context={"store": None})))
    assert fields
    for field in fields:
        wrong = "5" if isinstance(field, serializers.IntegerField | serializers.BooleanField) else 5
        assert describe_wrong_type(field, wrong), field
