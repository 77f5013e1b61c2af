"""A product's variants, such as its sizes: read and written as a part of the product."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.api.outputs import Columns, Output, Row, Rows, amount, count, formatted, id_of, text
from stores.api.serializers import (
    AmountField,
    CharField,
    IdField,
    ListField,
    StrictModelSerializer,
    StrictSerializer,
    leave_changes,
    validate_row,
)
from stores.models import Product, ProductVariant

MAX_VARIANTS = 100


class Variant(Output, kw_only=True):
    id: Annotated[str, id_of("variant")]
    sku: Annotated[str, text("The owner's own article number; may be empty.", 64)]
    name: Annotated[str, text("Its value of `option_name`, such as `Large`.", 100)]
    price: Annotated[int, amount("What it costs now.")]
    price_formatted: Annotated[str, formatted("price")]
    original_price: Annotated[int | None, amount("What it cost before the sale; null without one.")]
    original_price_formatted: Annotated[str | None, formatted("original_price")]
    in_stock: Annotated[bool, text("Whether it can be bought now.")]
    quantity: Annotated[int | None, count("How many pieces are left; null where they are not counted.")]
    available_quantity: Annotated[int | None, count("The same as `quantity`.")]


class Variants(Output):
    enabled: Annotated[bool, text("Whether the product comes in variants.")]
    option_name: Annotated[str, text("What they differ in, such as `Size`; may be empty.", 60)]
    items: Annotated[list[Variant], text("The variants, in the owner's order.")]


COLUMNS = Columns(ProductVariant, Variant)
VARIANTS = Rows(ProductVariant, "product_id", COLUMNS.names, order_by=("position", "id"))


def represent_variant(row: Row, currency: str, *, is_counted: bool) -> Variant:
    quantity = row["quantity"] if is_counted else None
    in_stock = row["quantity"] > 0 or not is_counted
    return COLUMNS.fill(row, currency, in_stock=in_stock, quantity=quantity, available_quantity=quantity)


class VariantSerializer(StrictModelSerializer[ProductVariant]):
    """One with an id is changed where it differs; one without is new."""

    id = IdField(required=False, help_text="The id of a variant to change; a new variant has none.")
    remove = serializers.BooleanField(required=False, help_text="With an `id`: true takes the variant away.")
    price = AmountField(required=False, help_text="What it costs now. Required of a new variant.")
    name = CharField(max_length=100, required=False, help_text="Required of a new variant.")
    original_price = AmountField(required=False, allow_null=True)

    class Meta:
        model = ProductVariant
        fields = ("id", "remove", "sku", "name", "price", "original_price", "quantity")

    def get_required(self, data: Mapping[str, Any]) -> Sequence[str]:
        if data.get("remove"):
            return ("id",)
        return () if "id" in data else ("name", "price")


class VariantsSerializer(StrictSerializer):
    option_name = CharField(max_length=60, allow_blank=True, required=False)
    items = ListField(
        child=VariantSerializer(),
        required=False,
        max_length=MAX_VARIANTS,
        help_text="Variants to add, to change by their `id`, or to remove. One that is left out stays; an "
        "empty list removes all.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Leave out what is repeated of each variant, by its id."""
        if isinstance(data, Mapping) and isinstance(data.get("items"), list):
            current = self.context.get("current", {}).get("variants", {}).get("items", [])
            data = {**data, "items": leave_changes(data["items"], current)}
        return super().to_internal_value(data)


def write_variants(product: Product, items: list[dict[str, Any]]) -> bool:
    """Add, change and remove variants of a locked product; returns whether anything differs from before.

    They take the order of ``items`` where these name all that stay; else new ones go to the end.
    """
    before = list(product.variants.all())
    by_pk = {variant.pk: variant for variant in before}
    ids = [item["id"] for item in items if "id" in item]
    if unknown := [str(pk) for pk in ids if pk not in by_pk]:
        raise ValidationError({"variants": [f"The product has no variant {', '.join(unknown)}."]})
    removed = {item["id"] for item in items if item.pop("remove", False)} if items else set(by_pk)
    staying = [variant for variant in before if variant.pk not in removed]
    has_changed = False
    sent: dict[int, ProductVariant] = {}
    for place, item in enumerate(items):
        pk = item.pop("id", None)
        if pk in removed:
            continue
        sent[place] = by_pk.get(pk, ProductVariant(product=product))
        for name, value in item.items():
            has_changed |= getattr(sent[place], name) != value
            setattr(sent[place], name, value)
    names_all = {variant.pk for variant in staying} <= {variant.pk for variant in sent.values()}
    new = [variant for variant in sent.values() if variant not in staying]
    after = list(sent.values()) if names_all else [*staying, *new]
    if not has_changed and [variant.pk for variant in after] == [variant.pk for variant in before]:
        return False
    if len(after) > MAX_VARIANTS:
        raise ValidationError({"variants": {"items": [f"A product has at most {MAX_VARIANTS} variants."]}})
    product.variants.filter(pk__in=removed).delete()
    for position, variant in enumerate(after):
        variant.position = position
    for place, variant in sent.items():
        try:
            validate_row(variant)
        except ValidationError as error:
            raise ValidationError({"variants": {"items": {str(place): error.detail}}}) from error
        variant.save()
    ProductVariant.objects.bulk_update(staying, ["position"])
    return True
