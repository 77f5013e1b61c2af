"""A product's variants, such as its sizes: read and written as a part of the product."""

from typing import Any

from django.db.models import CharField as CharColumn
from django.db.models import Value
from django.db.models.functions import Cast, Concat
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.api.base import JsonObject, Row
from stores.api.represent import represent_money
from stores.api.serializers import (
    AmountField,
    CharField,
    CompleteSerializer,
    IdField,
    StrictModelSerializer,
    validate_row,
)
from stores.api.shapes import (
    Shape,
    amount_field,
    boolean_field,
    count_field,
    formatted_field,
    id_field,
    text_field,
)
from stores.models import Product, ProductVariant

VARIANT_ROWS = ProductVariant.objects.values(
    "id", "product_id", "sku", "name", "price", "original_price", "quantity"
)


class VariantShape(Shape):
    id = id_field("variant")
    sku = text_field("The owner's own article number; may be empty.")
    name = text_field("Its value of `option_name`, such as `Large`.")
    price = amount_field("What it costs now.")
    price_formatted = formatted_field("price")
    original_price = amount_field("What it cost before the sale; null without one.", allow_null=True)
    original_price_formatted = formatted_field("original_price", allow_null=True)
    in_stock = boolean_field("Whether it can be bought now.")
    quantity = count_field("How many pieces are left; null where they are not counted.", allow_null=True)


class VariantsShape(Shape):
    enabled = boolean_field("Whether the product comes in variants.")
    option_name = text_field("What they differ in, such as `Size`; may be empty.")
    items = VariantShape(many=True, help_text="The variants, in the owner's order.")


class VariantSerializer(CompleteSerializer, StrictModelSerializer[ProductVariant]):
    id = IdField(required=False, help_text="The id of a variant to change; a new variant has none.")
    price = AmountField()
    original_price = AmountField(required=False, allow_null=True)

    class Meta:
        model = ProductVariant
        fields = ("id", "sku", "name", "price", "original_price", "quantity")


class VariantsSerializer(CompleteSerializer):
    option_name = CharField(max_length=60, allow_blank=True, required=False)
    items = serializers.ListField(child=VariantSerializer(), max_length=100)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({item["name"] for item in items}) < len(items):
            raise ValidationError("Two variants have the same name.")
        ids = [item["id"] for item in items if "id" in item]
        if len(set(ids)) < len(ids):
            raise ValidationError("A variant is given twice.")
        return items


def represent_variant(row: Row, currency: str, *, is_counted: bool) -> JsonObject:
    return {
        "id": str(row["id"]),
        "sku": row["sku"],
        "name": row["name"],
        **represent_money(row, ("price", "original_price"), currency),
        "in_stock": row["quantity"] > 0 or not is_counted,
        "quantity": row["quantity"] if is_counted else None,
    }


def replace_variants(product: Product, items: list[dict[str, Any]]) -> None:
    """Make these the product's variants: change those with an id, add the others, delete the rest."""
    existing = {variant.pk: variant for variant in product.variants.all()}
    ids = [item["id"] for item in items if "id" in item]
    if unknown := [str(pk) for pk in ids if pk not in existing]:
        raise ValidationError({"variants": [f"The product has no variant {', '.join(unknown)}."]})
    product.variants.exclude(pk__in=ids).delete()
    # Names that no other has, so that two variants can swap theirs.
    product.variants.update(name=Concat(Value("\x1f"), Cast("pk", CharColumn())))
    for position, item in enumerate(items):
        variant = existing.get(item.pop("id", None), ProductVariant(product=product))
        for name, value in item.items():
            setattr(variant, name, value)
        variant.position = position
        try:
            validate_row(variant)
        except ValidationError as error:
            raise ValidationError({"variants": {"items": {str(position): error.detail}}}) from error
        variant.save()
