"""Orders and products with all that ours say about them, in the same shape, by plain ModelSerializers."""

from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from django.utils.html import linebreaks
from rest_framework import serializers

from stores.api.outputs import get_currency
from stores.models import Category, Customer, Order, OrderLine, Product, ProductVariant
from stores.money import format_amount


@cache
def describe_currency(code: str) -> dict[str, Any]:
    return msgspec.structs.asdict(get_currency(code))


class Formatted(serializers.Field[Any, Any, Any, Any]):
    """An amount as people write it: ``price_formatted`` is the ``price``, in the store's currency."""

    def __init__(self, store: str = "store") -> None:
        super().__init__(source="*", read_only=True)
        self.store = attrgetter(store)

    def to_representation(self, value: Any) -> str | None:
        amount = getattr(value, str(self.field_name).removesuffix("_formatted"))
        return None if amount is None else format_amount(amount, self.store(value).currency)


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    id = serializers.CharField()

    class Meta:
        model = Customer
        fields = ("id", "name", "email", "phone")


class ShippingAddressSerializer(serializers.ModelSerializer[Order]):
    name = serializers.CharField(source="recipient")

    class Meta:
        model = Order
        fields = ("name", "address", "city", "postcode", "state", "country")


class LineSerializer(serializers.ModelSerializer[OrderLine]):
    product_id = serializers.CharField()
    variant_id = serializers.CharField()

    class Meta:
        model = OrderLine
        fields = ("product_id", "variant_id", "name", "sku", "quantity", "unit_price", "total")


class OrderSerializer(serializers.ModelSerializer[Order]):
    object = serializers.ReadOnlyField(default="order")
    id = serializers.CharField()
    currency = serializers.SerializerMethodField()
    subtotal_formatted = Formatted()
    shipping_formatted = Formatted()
    discount_formatted = Formatted()
    tax_formatted = Formatted()
    total_formatted = Formatted()
    customer = CustomerSerializer()
    shipping_address = ShippingAddressSerializer(source="*")
    line_items = LineSerializer(source="lines", many=True)

    class Meta:
        model = Order
        exclude = ("store", "search_text", "recipient", "address", "city", "postcode", "state", "country")

    def get_currency(self, order: Order) -> dict[str, Any]:
        return describe_currency(order.store.currency)


class CategorySerializer(serializers.ModelSerializer[Category]):
    object = serializers.ReadOnlyField(default="category")
    id = serializers.CharField()
    parent = serializers.CharField(source="parent_id")  # type: ignore[assignment]

    class Meta:
        model = Category
        exclude = ("store",)

    def to_representation(self, category: Category) -> dict[str, Any]:
        below = CategorySerializer(category.subcategories.all(), many=True)
        return {**super().to_representation(category), "subcategories": below.data}


class VariantSerializer(serializers.ModelSerializer[ProductVariant]):
    id = serializers.CharField()
    price_formatted = Formatted("product.store")
    original_price_formatted = Formatted("product.store")
    in_stock = serializers.SerializerMethodField()
    quantity = serializers.SerializerMethodField()
    available_quantity = serializers.SerializerMethodField(method_name="get_quantity")

    class Meta:
        model = ProductVariant
        exclude = ("store", "product", "position", "search_text")

    def get_in_stock(self, variant: ProductVariant) -> bool:
        return variant.quantity > 0 or variant.product.inventory_type == "infinite"

    def get_quantity(self, variant: ProductVariant) -> int | None:
        counted = variant.product.inventory_type == "tracked"
        return variant.quantity if counted else None


class VariantsSerializer(serializers.ModelSerializer[Product]):
    enabled = serializers.BooleanField(source="variants.all")
    items = VariantSerializer(source="variants", many=True)

    class Meta:
        model = Product
        fields = ("enabled", "option_name", "items")


class PersonalizationSerializer(serializers.ModelSerializer[Product]):
    enabled = serializers.BooleanField(source="personalization")
    items = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = ("enabled", "items")

    def get_items(self, product: Product) -> list[dict[str, Any]]:
        text = {
            "id": "text",
            "type": "text",
            "name": "Personal text",
            "required": False,
            "price": 0,
            "price_formatted": format_amount(0, product.store.currency),
            "instructions": "",
            "min": None,
            "max": None,
            "filetypes": "",
            "dropdownOptions": "",
        }
        return [text] if product.personalization else []


class SaleSerializer(serializers.ModelSerializer[Product]):
    enabled = serializers.SerializerMethodField()
    original_price = serializers.SerializerMethodField()
    original_price_formatted = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = ("enabled", "original_price", "original_price_formatted")

    def get_enabled(self, product: Product) -> bool:
        return self.get_original_price(product) is not None

    def get_original_price(self, product: Product) -> int | None:
        prices = [product.original_price, *(each.original_price for each in product.variants.all())]
        return next((price for price in prices if price is not None), None)

    def get_original_price_formatted(self, product: Product) -> str | None:
        price = self.get_original_price(product)
        return None if price is None else format_amount(price, product.store.currency)


class ProductSerializer(serializers.ModelSerializer[Product]):
    object = serializers.ReadOnlyField(default="product")
    id = serializers.CharField()
    description_html = serializers.SerializerMethodField()
    currency = serializers.SerializerMethodField()
    price_formatted = Formatted()
    price_range = serializers.SerializerMethodField()
    price_range_formatted = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    media = serializers.SerializerMethodField()
    min_quantity = serializers.SerializerMethodField()
    in_stock = serializers.SerializerMethodField()
    available_quantity = serializers.SerializerMethodField()
    personalization = PersonalizationSerializer(source="*")
    on_sale = SaleSerializer(source="*")
    variants = VariantsSerializer(source="*")
    categories = CategorySerializer(many=True)

    class Meta:
        model = Product
        exclude = ("store", "option_name", "personalization_items", "search_text", "name_key")

    def get_description_html(self, product: Product) -> str:
        return linebreaks(product.description, autoescape=True) if product.description else ""

    def get_currency(self, product: Product) -> dict[str, Any]:
        return describe_currency(product.store.currency)

    def get_price_range(self, product: Product) -> list[int]:
        prices = [variant.price for variant in product.variants.all()] or [product.price]
        return sorted({min(prices), max(prices)})

    def get_price_range_formatted(self, product: Product) -> str:
        prices = self.get_price_range(product)
        return " - ".join(format_amount(price, product.store.currency) for price in prices)

    def get_image(self, product: Product) -> dict[str, str]:
        address = self.context["request"].build_absolute_uri("/static/img/no-picture.png")
        return product.media[0] if product.media else dict.fromkeys(("sm", "md", "lg"), address)

    def get_media(self, product: Product) -> list[dict[str, Any]]:
        media = enumerate(product.media, start=1)
        return [{"id": str(place), "type": "image", "src": picture} for place, picture in media]

    def get_min_quantity(self, product: Product) -> int | None:
        return product.min_quantity if product.min_quantity > 1 else None

    def get_available_quantity(self, product: Product) -> int | None:
        if product.inventory_type == "infinite":
            return None
        variants = product.variants.all()
        return sum(variant.quantity for variant in variants) if variants else product.quantity

    def get_in_stock(self, product: Product) -> bool:
        return self.get_available_quantity(product) != 0
