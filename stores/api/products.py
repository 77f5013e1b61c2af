"""Products: what a store sells."""

from typing import Any

import django_filters
from django.conf import settings
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.utils.html import linebreaks
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores.api.base import (
    HANDLE_PATTERN,
    CreateMixin,
    DestroyMixin,
    HandleLookupMixin,
    JsonObject,
    ListMixin,
    RetrieveMixin,
    Row,
    UpdateMixin,
)
from stores.api.categories import CategoryShape, find_branch, read_category_tree
from stores.api.filters import SearchFilter, SortFilter
from stores.api.media import SIZES, ImageShape, MediaField, MediaShape, represent_media
from stores.api.represent import format_time, group_by, represent_money
from stores.api.schema import describe_operations
from stores.api.serializers import (
    AmountField,
    BooleanField,
    CompleteSerializer,
    CountField,
    EnumField,
    HandleSerializer,
    IdField,
    SlugField,
)
from stores.api.shapes import (
    CurrencyShape,
    Shape,
    amount_field,
    boolean_field,
    constant_field,
    count_field,
    formatted_field,
    id_field,
    text_field,
    time_field,
)
from stores.api.variants import (
    VARIANT_ROWS,
    VariantsSerializer,
    VariantsShape,
    replace_variants,
    represent_variant,
)
from stores.models import Category, Product, ProductCategory
from stores.money import format_amount, get_currency
from stores.resources import Resource

PLACE_ROWS = ProductCategory.objects.values("product_id", "category_id")
# Products without a picture show this one. Its address stays the same in every release.
PLACEHOLDER = f"{settings.STATIC_URL}img/no-picture.png"
# What the text input of a product with personalization is to storefronts.
PERSONAL_TEXT = {"id": "text", "type": "text", "name": "Personal text", "required": False}


class InventoryTypeField(EnumField):
    enum = Product.InventoryType


class ProductFilters(django_filters.FilterSet):
    category = django_filters.CharFilter(
        method="filter_category",
        validators=[RegexValidator(rf"\A{HANDLE_PATTERN}\Z", "Must be the id or the handle of a category.")],
        help_text="Only products in the category with this id or handle, or in any category below it.",
    )
    search = SearchFilter(
        "name", "description", help_text="Only products with this text in their name or description."
    )
    order = SortFilter(columns={"name": "name", "price": "price", "date": "created_at", "custom": "position"})

    class Meta:
        model = Product
        fields = ()

    def filter_category(self, queryset: QuerySet[Product], name: str, value: str) -> QuerySet[Product]:
        branch = find_branch(self.request.resolver_match.kwargs["store_id"], value)
        products = ProductCategory.objects.filter(category__in=branch).values("product")
        return queryset.filter(pk__in=products)


class PersonalizationItemShape(Shape):
    id = text_field("Its own id within the product.")
    type = constant_field("text")
    name = text_field("What the input is called.")
    required = boolean_field("Whether it has to be filled in.")  # type: ignore[assignment]


class PersonalizationShape(Shape):
    enabled = boolean_field("Whether buyers may add a text of their own.")
    items = PersonalizationItemShape(many=True, help_text="The inputs for it; none where it is not enabled.")


class SaleShape(Shape):
    enabled = boolean_field("Whether it, or any of its variants, has an original price.")
    original_price = amount_field("What it cost before the sale; null without one.", allow_null=True)
    original_price_formatted = formatted_field("original_price", allow_null=True)


class ProductShape(Shape):
    object = constant_field("product")
    id = id_field("product")
    name = text_field("What the product is called.")
    handle = text_field(
        "Its name for addresses: letters, digits, hyphens and underscores; unique in the store."
    )
    excerpt = text_field("A sentence or two; may be empty.")
    description = text_field("Plain text; a blank line begins a paragraph. May be empty.")
    description_html = text_field("The description as HTML, escaped and safe to show; empty without one.")
    promo_badge = text_field("A word or two to stick onto the picture, such as `New`; may be empty.")
    currency = CurrencyShape(help_text="What its amounts are in.")
    price = amount_field("What it costs now.")
    price_formatted = formatted_field("price")
    price_range = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        min_length=1,
        max_length=2,
        help_text="The lowest and the highest price of its variants in the smallest unit of the store's "
        "currency, or the one price there is.",
    )
    price_range_formatted = text_field("`price_range` as people write it, such as `$19.99 - $24.99`.")
    image = ImageShape(help_text="The first of `media`; a placeholder where there is none.")
    media = MediaShape(many=True, help_text="All images, the most important first.")
    variants = VariantsShape(help_text="What it comes in, such as sizes.")
    categories = CategoryShape(many=True, help_text="The categories it is sorted into.")
    inventory_type = InventoryTypeField(help_text="`tracked`: pieces are counted. `infinite`: never out.")
    in_stock = boolean_field("Whether it, or any of its variants, can be bought now.")
    available_quantity = count_field(
        "How many pieces are left; null where they are not counted.", allow_null=True
    )
    min_quantity = count_field("The fewest pieces in one order; null where none is set.", allow_null=True)
    max_quantity = count_field("The most pieces in one order; null where none is set.", allow_null=True)
    personalization = PersonalizationShape(help_text="What buyers may add of their own.")
    on_sale = SaleShape(help_text="Whether its price is lowered, and from what.")
    sku = text_field("The owner's own article number; may be empty.")
    livemode = boolean_field("Whether it is really for sale, and not a trial.")
    position = count_field("Its place in the owner's own order.")
    created_at = time_field("When it was added.")
    updated_at = time_field("When it was last changed.")


class PersonalizationSerializer(CompleteSerializer):
    enabled = BooleanField()


class ProductSerializer(HandleSerializer[Product]):
    handle = SlugField(max_length=120, required=False)
    price = AmountField()
    original_price = AmountField(
        required=False, allow_null=True, help_text="What it cost before the sale, in the unit of `price`."
    )
    media = MediaField(required=False)
    variants = VariantsSerializer(required=False)
    categories = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=100,
        help_text="The ids of the categories to sort it into.",
    )
    inventory_type = InventoryTypeField(required=False)
    min_quantity = CountField(required=False, allow_null=True, min_value=1)
    max_quantity = CountField(required=False, allow_null=True, min_value=1)
    personalization = PersonalizationSerializer(required=False)

    class Meta:
        model = Product
        fields = (
            *("handle", "name", "excerpt", "description", "promo_badge", "sku"),
            *("price", "original_price", "media", "variants", "categories"),
            *("inventory_type", "quantity", "min_quantity", "max_quantity"),
            *("personalization", "livemode", "position"),
        )

    def validate_categories(self, ids: list[int]) -> list[Category]:
        found = Category.objects.for_store(self.store).in_bulk(ids)
        if missing := [str(pk) for pk in ids if pk not in found]:
            raise ValidationError(f"There is no category {', '.join(missing)}.")
        return list(found.values())

    def validate_min_quantity(self, quantity: int | None) -> int:
        return quantity or 1

    def validate_personalization(self, personalization: dict[str, bool]) -> bool:
        return personalization["enabled"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "variants" in attrs and "option_name" in attrs["variants"]:
            attrs["option_name"] = attrs["variants"]["option_name"]
        return super().validate(attrs)

    def save(self, **kwargs: Any) -> Product:
        """Save the product's own columns, then its categories and variants where they were sent."""
        categories = self.validated_data.pop("categories", None)
        variants = self.validated_data.pop("variants", None)
        product = super().save(**kwargs)
        if categories is not None:
            product.categories.set(categories, through_defaults={"store": self.store})
        if variants is not None:
            replace_variants(product, variants["items"])
        return product


def represent_product(
    row: Row, variants: list[Row], categories: list[JsonObject], *, currency: str, placeholder: str
) -> JsonObject:
    is_counted = row["inventory_type"] == Product.InventoryType.TRACKED
    quantity = sum(variant["quantity"] for variant in variants) if variants else row["quantity"]
    prices = [variant["price"] for variant in variants] or [row["price"]]
    price_range = sorted({min(prices), max(prices)})
    original_prices = [row["original_price"], *(variant["original_price"] for variant in variants)]
    original_price = next((price for price in original_prices if price is not None), None)
    media = represent_media(row["media"])
    return {
        "object": "product",
        "id": str(row["id"]),
        "name": row["name"],
        "handle": row["handle"],
        "excerpt": row["excerpt"],
        "description": row["description"],
        "description_html": row["description"] and linebreaks(row["description"], autoescape=True),
        "promo_badge": row["promo_badge"],
        "currency": get_currency(currency),
        **represent_money(row, ("price",), currency),
        "price_range": price_range,
        "price_range_formatted": " - ".join(format_amount(price, currency) for price in price_range),
        "image": media[0]["src"] if media else dict.fromkeys(SIZES, placeholder),
        "media": media,
        "variants": {
            "enabled": bool(variants),
            "option_name": row["option_name"],
            "items": [represent_variant(variant, currency, is_counted=is_counted) for variant in variants],
        },
        "categories": categories,
        "inventory_type": row["inventory_type"],
        "in_stock": quantity > 0 or not is_counted,
        "available_quantity": quantity if is_counted else None,
        # One in an order is the least there is: nothing is set.
        "min_quantity": row["min_quantity"] if row["min_quantity"] > 1 else None,
        "max_quantity": row["max_quantity"],
        "personalization": {
            "enabled": row["personalization"],
            "items": [PERSONAL_TEXT] if row["personalization"] else [],
        },
        "on_sale": {
            "enabled": original_price is not None,
            **represent_money({"original_price": original_price}, ("original_price",), currency),
        },
        "sku": row["sku"],
        "livemode": row["livemode"],
        "position": row["position"],
        "created_at": format_time(row["created_at"]),
        "updated_at": format_time(row["updated_at"]),
    }


@describe_operations(ProductShape, "product", "products")
class ProductViewSet(HandleLookupMixin, ListMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin):
    resource = Resource.PRODUCTS
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilters
    rows = Product.objects.values(
        *("id", "name", "handle", "excerpt", "description", "promo_badge", "sku"),
        *("price", "original_price", "media", "option_name", "inventory_type", "quantity"),
        *("min_quantity", "max_quantity", "personalization", "livemode", "position"),
        *("created_at", "updated_at"),
    )

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        ids = [row["id"] for row in rows]
        variants_by_product = group_by(VARIANT_ROWS.filter(product__in=ids), "product_id")
        places_by_product = group_by(PLACE_ROWS.filter(product__in=ids), "product_id")
        tree = read_category_tree(self.store)
        placeholder = self.request.build_absolute_uri(PLACEHOLDER)
        return [
            represent_product(
                row,
                variants_by_product[row["id"]],
                [
                    tree[place["category_id"]]
                    for place in places_by_product[row["id"]]
                    if place["category_id"] in tree  # not deleted meanwhile
                ],
                currency=self.store.currency,
                placeholder=placeholder,
            )
            for row in rows
        ]
