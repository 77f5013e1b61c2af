"""Products: what a store sells."""

from typing import Any

import django_filters
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils.html import linebreaks
from rest_framework import mixins, serializers
from rest_framework.exceptions import ValidationError

from stores.api.base import (
    AmountField,
    Changes,
    Creates,
    Deletes,
    OfStoreSerializer,
    WholeSerializer,
    check,
    money,
    timestamp,
    with_handle,
)
from stores.api.filters import IdFilter, SearchFilter, SortFilter
from stores.api.shapes import (
    CurrencyShape,
    Shape,
    amount,
    constant,
    count,
    flag,
    id_of,
    moment,
    operations,
    text,
    written,
)
from stores.models import Category, Product, ProductVariant
from stores.money import currency_info, formatted
from stores.resources import Resource


class ProductFilters(django_filters.FilterSet):
    category = IdFilter(
        field_name="categories", help_text="Only products sorted into the category with this id."
    )
    search = SearchFilter(
        "name", "description", help_text="Only products with this text in their name or description."
    )
    order = SortFilter(keys={"name": "name", "price": "price", "date": "created_at", "custom": "position"})

    class Meta:
        model = Product
        fields = ()


class ImageShape(Shape):
    sm = serializers.URLField(help_text="Where the small rendition is.")
    md = serializers.URLField(help_text="Where the medium rendition is.")
    lg = serializers.URLField(help_text="Where the large rendition is.")


class VariantShape(Shape):
    id = id_of("variant")
    sku = text("The owner's own article number; may be empty.")
    name = text("Its value of `option_name`, such as `Large`.")
    price = amount("What it costs now.")
    price_formatted = written("price")
    original_price = amount("What it cost before the sale; null without one.", allow_null=True)
    original_price_formatted = written("original_price", allow_null=True)
    in_stock = flag("Whether it can be bought now.")
    quantity = count("How many pieces are left; null where they are not counted.", allow_null=True)


class VariantsShape(Shape):
    enabled = flag("Whether the product comes in variants.")
    option_name = text("What they differ in, such as `Size`; may be empty.")
    items = VariantShape(many=True, help_text="The variants, in the owner's order.")


class CategoryNameShape(Shape):
    id = id_of("category")
    name = text("What the category is called.")


class ProductShape(Shape):
    object = constant("product")
    id = id_of("product")
    name = text("What the product is called.")
    handle = text("Its name for addresses: letters, digits, hyphens and underscores; unique in the store.")
    excerpt = text("A sentence or two; may be empty.")
    description = text("Plain text; a blank line begins a paragraph. May be empty.")
    description_html = text("The description as HTML, escaped and safe to show.")
    promo_badge = text("A word or two to stick onto the picture, such as `New`; may be empty.")
    currency = CurrencyShape(help_text="What its amounts are in.")
    price = amount("What it costs now.")
    price_formatted = written("price")
    price_range = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        help_text="The lowest and the highest price of its variants, in the smallest unit of the store's "
        "currency; empty where they all cost the same.",
    )
    price_range_formatted = text("`price_range` as people write it, such as `$19.99 - $24.99`; may be empty.")
    image = ImageShape(allow_null=True, help_text="The first of `media`; null without any.")
    media = ImageShape(many=True, help_text="All images, the most important first.")
    variants = VariantsShape(help_text="What it comes in, such as sizes.")
    categories = CategoryNameShape(many=True, help_text="The categories it is sorted into.")
    inventory_type = serializers.ChoiceField(
        Product.InventoryType.choices,
        help_text="`tracked`: pieces are counted. `infinite`: never out.",
    )
    in_stock = flag("Whether it, or any of its variants, can be bought now.")
    available_quantity = count("How many pieces are left; null where they are not counted.", allow_null=True)
    min_quantity = count("The fewest pieces in one order.")
    max_quantity = count("The most pieces in one order; null for any number.", allow_null=True)
    personalization = flag("Whether buyers may add a text of their own.")
    on_sale = flag("Whether it, or any of its variants, has an original price.")
    sku = text("The owner's own article number; may be empty.")
    livemode = flag("Whether it is really for sale, and not a trial.")
    created_at = moment("When it was added.")
    updated_at = moment("When it was last changed.")


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


@operations(ProductShape, "a product", "products")
class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Creates, Changes, Deletes):
    resource = Resource.PRODUCTS
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilters
