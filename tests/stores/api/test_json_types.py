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
from stores.api.serializers import describe_wrong_type


def single_fields(field: Any) -> Iterator[Any]:
    """Every field that can be written and holds a single value, however deep."""
    if hasattr(field, "child"):
        yield from single_fields(field.child)
    elif hasattr(field, "fields"):
        for inner in field.fields.values():
            yield from single_fields(inner)
    elif not field.read_only and not isinstance(field, serializers.DateTimeField):  # which takes no number
        yield field


@pytest.mark.parametrize(
    "serializer",
    [CategorySerializer, CouponSerializer, CustomerSerializer, OrderSerializer, ProductSerializer],
)
def test_describe_wrong_type_names_a_value_of_another_type_for_any_field(serializer: type[Any]) -> None:
    fields = list(single_fields(serializer(context={"store": None})))
    assert fields
    for field in fields:
        wrong = "5" if isinstance(field, serializers.IntegerField | serializers.BooleanField) else 5
        assert describe_wrong_type(field, wrong), field
