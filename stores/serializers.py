"""The wire format: what objects look like to API clients, and what clients may write.

Output is written by hand, as dicts: on a page of orders, field objects would cost more than the database.
Input is checked twice, by the fields here and by the model's own rules.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils.crypto import get_random_string
from django.utils.html import linebreaks
from django.utils.text import slugify
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.models import (
    Address,
    Category,
    Coupon,
    Customer,
    Order,
    OrderLine,
    Product,
    ProductVariant,
    Store,
)
from stores.money import currency_info, formatted

Row = TypeVar("Row", bound=models.Model)
LARGEST_AMOUNT = 10**12


def timestamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second: ``2026-11-23T12:00:00Z``."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def money(names: Iterable[str], source: Any, currency: str) -> dict[str, Any]:
    """Amounts and their ``…_formatted`` twins; an amount that is None has neither sign nor text."""
    amounts: dict[str, Any] = {}
    for name in names:
        amount = getattr(source, name)
        amounts[name] = amount
        amounts[f"{name}_formatted"] = None if amount is None else formatted(amount, currency)
    return amounts


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what is not written here, so that a typo is never silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise ValidationError({name: ["This field is unknown or cannot be written."] for name in unknown})
        return super().to_internal_value(data)


class WholeSerializer(StrictSerializer):
    """A part of an object that is always given whole: DRF would let a PATCH leave out what is required."""

    def to_internal_value(self, data: Any) -> Any:
        required = [name for name, field in self.fields.items() if field.required]
        if isinstance(data, Mapping) and (missing := [name for name in required if name not in data]):
            raise ValidationError({name: ["This field is required."] for name in missing})
        return super().to_internal_value(data)


class OfStoreSerializer(StrictSerializer, serializers.ModelSerializer[Row]):
    """Writes one row of the store in ``context["store"]``, once it has passed the model's own rules."""

    @property
    def store(self) -> Store:
        store: Store = self.context["store"]
        return store

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row = copy(self.instance) if self.instance else self.new_row()
        concrete = {field.name for field in row._meta.concrete_fields}
        for name in concrete & attrs.keys():
            setattr(row, name, attrs[name])
        check(row)
        return attrs

    def new_row(self) -> models.Model:
        """A row that is not saved yet, of this store."""
        model: type[models.Model] = self.Meta.model
        return model(store=self.store)

    def create(self, validated_data: dict[str, Any]) -> Row:
        return super().create({"store": self.store, **validated_data})


def check(row: models.Model) -> None:
    """Put a row to its model's rules; raises ValidationError that names the fields."""
    try:
        row.full_clean()
    except ModelError as error:
        fields: dict[str, list[str]] = {}
        for name, problems in error.error_dict.items():
            for problem in problems:
                # A constraint's code names its field; see stores.models.
                field = str(problem.code) if name == NON_FIELD_ERRORS else name
                fields.setdefault(field, []).extend(problem.messages)
        raise ValidationError(fields) from error


class AmountField(serializers.IntegerField):
    """Money in the currency's smallest unit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=LARGEST_AMOUNT, **kwargs)


class StoreSerializer(serializers.ModelSerializer[Store]):
    class Meta:
        model = Store
        fields = ("id", "name")

    def to_representation(self, instance: Store) -> dict[str, Any]:
        return {
            "object": "store",
            "id": str(instance.pk),
            "name": instance.name,
            "currency": currency_info(instance.currency),
        }


class CategorySerializer(OfStoreSerializer[Category]):
    handle = serializers.SlugField(max_length=100, required=False)

    class Meta:
        model = Category
        fields = ("handle", "name", "description", "parent", "position")
        extra_kwargs = {
            "parent": {
                "help_text": "The id of the category to put it into; null for the top.",
                # As the model says of another store's, so that nobody learns which ids those have.
                "error_messages": {"does_not_exist": "There is no such category."},
            },
            "position": {"help_text": "Its place among its neighbours, the lowest first."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate(with_handle(self, attrs))

    def to_representation(self, instance: Category) -> dict[str, Any]:
        """One category with those below it; ``context["children"]`` holds the store's, by parent id."""
        children: Mapping[int | None, list[Category]] = self.context["children"]
        return {
            "object": "category",
            "id": str(instance.pk),
            "handle": instance.handle,
            "name": instance.name,
            "description": instance.description,
            "subcategories": [self.to_representation(child) for child in children.get(instance.pk, [])],
        }


def with_handle(serializer: OfStoreSerializer[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """A new row without a handle gets one from its name."""
    if serializer.instance is None and "handle" not in attrs:
        longest = serializer.Meta.model._meta.get_field("handle").max_length  # type: ignore[attr-defined]
        # A name without a Latin letter in it leaves nothing.
        attrs["handle"] = slugify(attrs["name"])[:longest] or get_random_string(8).lower()
    return attrs


class ImageSerializer(WholeSerializer):
    sm = serializers.URLField()
    md = serializers.URLField()
    lg = serializers.URLField()


class VariantSerializer(WholeSerializer, serializers.ModelSerializer[ProductVariant]):
    id = serializers.IntegerField(required=False)
    price = AmountField()
    original_price = AmountField(required=False, allow_null=True)

    class Meta:
        model = ProductVariant
        fields = ("id", "sku", "name", "price", "original_price", "quantity")


class VariantsSerializer(WholeSerializer):
    option_name = serializers.CharField(max_length=60, allow_blank=True, required=False)
    items = serializers.ListField(child=VariantSerializer(), max_length=100)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({item["name"] for item in items}) < len(items):
            raise ValidationError("Two variants have the same name.")
        ids = [item["id"] for item in items if "id" in item]
        if len(set(ids)) < len(ids):
            raise ValidationError("A variant is given twice.")
        return items


class ProductSerializer(OfStoreSerializer[Product]):
    handle = serializers.SlugField(max_length=120, required=False)
    price = AmountField()
    original_price = AmountField(
        required=False, allow_null=True, help_text="What it cost before the sale, in the unit of `price`."
    )
    media = serializers.ListField(child=ImageSerializer(), required=False, max_length=50)
    variants = VariantsSerializer(required=False)
    categories = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        max_length=100,
        help_text="The ids of the categories to sort it into.",
    )

    class Meta:
        model = Product
        fields = (
            "handle",
            "name",
            "excerpt",
            "description",
            "promo_badge",
            "sku",
            "price",
            "original_price",
            "media",
            "variants",
            "categories",
            "inventory_type",
            "quantity",
            "min_quantity",
            "max_quantity",
            "personalization",
            "livemode",
            "position",
        )
        extra_kwargs = {"min_quantity": {"min_value": 1}}

    def validate_categories(self, ids: list[str]) -> list[Category]:
        found = {str(row.pk): row for row in Category.objects.for_store(self.store)}
        if missing := [text for text in ids if text not in found]:
            raise ValidationError(f"There is no category {', '.join(missing)}.")
        return [found[text] for text in ids]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "variants" in attrs and "option_name" in attrs["variants"]:
            attrs["option_name"] = attrs["variants"]["option_name"]
        return super().validate(with_handle(self, attrs))

    def save(self, **kwargs: Any) -> Product:
        """Save the product's own fields, then its categories and variants where they were given."""
        categories = self.validated_data.pop("categories", None)
        variants = self.validated_data.pop("variants", None)
        product = super().save(**kwargs)
        if categories is not None:
            product.categories.set(categories, through_defaults={"store": self.store})
        if variants is not None:
            replace_variants(product, variants["items"])
        return product

    def to_representation(self, instance: Product) -> dict[str, Any]:
        currency = self.store.currency
        variants = instance.choices
        prices = sorted({variant.price for variant in variants})
        price_range = [prices[0], prices[-1]] if len(prices) > 1 else []
        return {
            "object": "product",
            "id": str(instance.pk),
            "name": instance.name,
            "handle": instance.handle,
            "excerpt": instance.excerpt,
            "description": instance.description,
            "description_html": linebreaks(instance.description, autoescape=True),
            "promo_badge": instance.promo_badge,
            "currency": currency_info(currency),
            "price": instance.price,
            "price_formatted": formatted(instance.price, currency),
            "price_range": price_range,
            "price_range_formatted": " - ".join(formatted(price, currency) for price in price_range),
            "image": instance.media[0] if instance.media else None,
            "media": instance.media,
            "variants": {
                "enabled": bool(variants),
                "option_name": instance.option_name,
                "items": [variant_out(variant, instance, currency) for variant in variants],
            },
            "categories": [
                {"id": str(category.pk), "name": category.name} for category in instance.filed_under
            ],
            "inventory_type": instance.inventory_type,
            "in_stock": instance.in_stock,
            "available_quantity": instance.available_quantity,
            "min_quantity": instance.min_quantity,
            "max_quantity": instance.max_quantity,
            "personalization": instance.personalization,
            "on_sale": instance.on_sale,
            "sku": instance.sku,
            "livemode": instance.livemode,
            "created_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }


def variant_out(variant: ProductVariant, product: Product, currency: str) -> dict[str, Any]:
    counted = product.inventory_type == Product.InventoryType.TRACKED
    return {
        "id": str(variant.pk),
        "sku": variant.sku,
        "name": variant.name,
        **money(("price", "original_price"), variant, currency),
        "in_stock": variant.quantity > 0 or not counted,
        "quantity": variant.quantity if counted else None,
    }


def replace_variants(product: Product, items: list[dict[str, Any]]) -> None:
    """Make these the product's variants: with an id one is changed, without one added, left out deleted."""
    existing = {variant.pk: variant for variant in product.variants.all()}
    if unknown := [str(item["id"]) for item in items if "id" in item and item["id"] not in existing]:
        raise ValidationError({"variants": [f"The product has no variant {', '.join(unknown)}."]})
    product.variants.exclude(pk__in=[item["id"] for item in items if "id" in item]).delete()
    # Names that nobody has, so that two variants can swap theirs.
    product.variants.update(name=Concat(Value("\x1f"), Cast("pk", CharField())))
    for position, item in enumerate(items):
        variant = existing.get(item.pop("id", None), ProductVariant(product=product))
        for name, value in item.items():
            setattr(variant, name, value)
        variant.position = position
        try:
            check(variant)
        except ValidationError as error:
            raise ValidationError({"variants": {"items": {str(position): error.detail}}}) from error
        variant.save()


def address_out(source: Address) -> dict[str, str]:
    return {
        "address": source.address,
        "city": source.city,
        "postcode": source.postcode,
        "state": source.state,
        "country": source.country,
    }


class OrderSerializer(OfStoreSerializer[Order]):
    class Meta:
        model = Order
        fields = ("status", "tracking_number", "note")

    def validate_status(self, status: str) -> str:
        order: Order = self.instance  # type: ignore[assignment]  # orders are changed here, never made
        order.ensure_may_become(status)
        return status

    def to_representation(self, instance: Order) -> dict[str, Any]:
        currency = self.store.currency
        customer = instance.customer
        return {
            "object": "order",
            "id": str(instance.pk),
            "number": instance.number,
            "status": instance.status,
            "payment_status": instance.payment_status,
            "currency": currency_info(currency),
            **money(("subtotal", "shipping", "discount", "tax", "total"), instance, currency),
            "customer": {
                "id": str(customer.pk),
                "name": customer.name,
                "email": customer.email,
                "phone": customer.phone,
            },
            "shipping_address": {"name": instance.recipient, **address_out(instance)},
            "line_items": [line_out(line) for line in instance.line_items],
            "tracking_number": instance.tracking_number,
            "note": instance.note,
            "created_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }


def line_out(line: OrderLine) -> dict[str, Any]:
    return {
        "product_id": line.product_id and str(line.product_id),
        "variant_id": line.variant_id and str(line.variant_id),
        "name": line.name,
        "sku": line.sku,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "total": line.total,
    }


class AddressSerializer(StrictSerializer, serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields = ("address", "city", "postcode", "state", "country")


class CustomerSerializer(OfStoreSerializer[Customer]):
    address = AddressSerializer(source="*", required=False)

    class Meta:
        model = Customer
        fields = ("name", "email", "phone", "address")

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """A customer from a QuerySet with ``with_parts()``."""
        return {
            "object": "customer",
            "id": str(instance.pk),
            "name": instance.name,
            "email": instance.email,
            "phone": instance.phone,
            "address": address_out(instance),
            "orders_count": instance.orders_count,
            **money(("total_spent",), instance, self.store.currency),
            "created_at": timestamp(instance.created_at),
        }


class CouponSerializer(OfStoreSerializer[Coupon]):
    value = AmountField(required=False)
    minimum = AmountField(required=False)

    class Meta:
        model = Coupon
        fields = ("code", "kind", "value", "minimum", "starts_at", "ends_at", "usage_limit")

    def to_representation(self, instance: Coupon) -> dict[str, Any]:
        return {
            "object": "coupon",
            "id": str(instance.pk),
            "code": instance.code,
            "kind": instance.kind,
            "value": instance.value,
            "minimum": instance.minimum,
            "starts_at": timestamp(instance.starts_at),
            "ends_at": timestamp(instance.ends_at),
            "usage_limit": instance.usage_limit,
            "times_used": instance.times_used,
            "active": instance.active,
        }
