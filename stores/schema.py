"""What the shop's objects look like, told to the API's schema: every field, its type, its unit.

``serializers`` writes the answers by hand and knows nothing of this; a test holds them to it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django_filters import ChoiceFilter, Filter, FilterSet
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.views import APIView

from stores import filters, models

View = TypeVar("View", bound=type[APIView])
Shape = serializers.Serializer[Any]


# Fields that recur.


def constant(name: str) -> serializers.ChoiceField:
    return serializers.ChoiceField([name], help_text=f"What this is: always `{name}`.")


def id_of(what: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=f"The id of the {what}: digits, in a string.", **options)


def text(help_text: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, **options)


def count(help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text, min_value=0, **options)


def amount(help_text: str, **options: Any) -> serializers.IntegerField:
    return count(f"{help_text} In the smallest unit of the store's currency, such as cents.", **options)


def written(name: str, **options: Any) -> serializers.CharField:
    return text(f"`{name}` as people write it, such as `$19.99`.", **options)


def flag(help_text: str) -> serializers.BooleanField:
    return serializers.BooleanField(help_text=help_text)


def moment(help_text: str, **options: Any) -> serializers.DateTimeField:
    example = "ISO 8601 in UTC, to the second: `2026-11-23T12:00:00Z`."
    return serializers.DateTimeField(help_text=f"{help_text} {example}", **options)


# Objects.


class Currency(Shape):
    code = text("ISO 4217 code, such as `USD`.")
    name = text("Its English name, such as `US Dollar`.")
    zero_decimal = flag("Whether it has no smaller unit, so that an amount of 500 yen is `500`.")


class Store(Shape):
    object = constant("store")
    id = id_of("store")
    name = text("What the store is called.")
    currency = Currency(help_text="What all its amounts are in.")


class Image(Shape):
    sm = serializers.URLField(help_text="Where the small rendition is.")
    md = serializers.URLField(help_text="Where the medium rendition is.")
    lg = serializers.URLField(help_text="Where the large rendition is.")


class Variant(Shape):
    id = id_of("variant")
    sku = text("The owner's own article number; may be empty.")
    name = text("Its value of `option_name`, such as `Large`.")
    price = amount("What it costs now.")
    price_formatted = written("price")
    original_price = amount("What it cost before the sale; null without one.", allow_null=True)
    original_price_formatted = written("original_price", allow_null=True)
    in_stock = flag("Whether it can be bought now.")
    quantity = count("How many pieces are left; null where they are not counted.", allow_null=True)


class Variants(Shape):
    enabled = flag("Whether the product comes in variants.")
    option_name = text("What they differ in, such as `Size`; may be empty.")
    items = Variant(many=True, help_text="The variants, in the owner's order.")


class CategoryName(Shape):
    id = id_of("category")
    name = text("What the category is called.")


class Product(Shape):
    object = constant("product")
    id = id_of("product")
    name = text("What the product is called.")
    handle = text("Its name for addresses: letters, digits, hyphens and underscores; unique in the store.")
    excerpt = text("A sentence or two; may be empty.")
    description = text("Plain text; a blank line begins a paragraph. May be empty.")
    description_html = text("The description as HTML, escaped and safe to show.")
    promo_badge = text("A word or two to stick onto the picture, such as `New`; may be empty.")
    currency = Currency(help_text="What its amounts are in.")
    price = amount("What it costs now.")
    price_formatted = written("price")
    price_range = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        help_text="The lowest and the highest price of its variants, in the smallest unit of the store's "
        "currency; empty where they all cost the same.",
    )
    price_range_formatted = text("`price_range` as people write it, such as `$19.99 - $24.99`; may be empty.")
    image = Image(allow_null=True, help_text="The first of `media`; null without any.")
    media = Image(many=True, help_text="All images, the most important first.")
    variants = Variants(help_text="What it comes in, such as sizes.")
    categories = CategoryName(many=True, help_text="The categories it is sorted into.")
    inventory_type = serializers.ChoiceField(
        models.Product.InventoryType.choices,
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


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/Category"}})
class Categories(serializers.ListField):
    """More of what they are in, which the class below cannot say of itself."""


class Category(Shape):
    object = constant("category")
    id = id_of("category")
    handle = text("Its name for addresses: letters, digits, hyphens and underscores; unique in the store.")
    name = text("What the category is called.")
    description = text("Plain text; may be empty.")

    subcategories = Categories(help_text="The categories right below this one, in the owner's order.")


class Address(Shape):
    address = text("Street and number; may be empty.")
    city = text("May be empty.")
    postcode = text("May be empty.")
    state = text("State, province or region; may be empty.")
    country = text("ISO 3166-1 alpha-2 code, such as `US`; may be empty.")


class ShippingAddress(Address):
    name = text("Whom the parcel goes to.")


class Buyer(Shape):
    id = id_of("customer")
    name = text("What the customer is called.")
    email = serializers.EmailField(help_text="E-mail address.")
    phone = text("Phone number as the customer wrote it; may be empty.")


class OrderLine(Shape):
    product_id = id_of("product; null where it was deleted since", allow_null=True)
    variant_id = id_of("variant; null without one, or where it was deleted since", allow_null=True)
    name = text("What was bought, as it was called then.")
    sku = text("The owner's own article number then; may be empty.")
    quantity = count("How many pieces.")
    unit_price = amount("What one piece cost.")
    total = amount("What all of them cost.")


class Order(Shape):
    object = constant("order")
    id = id_of("order")
    number = count("The number that people know it by: counts up in each store.")
    status = serializers.ChoiceField(
        models.Order.Status.choices,
        help_text="How far it has come. `pending` becomes `processing`, then `shipped`, then `completed`; "
        "the first two may become `cancelled`.",
    )
    payment_status = serializers.ChoiceField(
        models.Order.PaymentStatus.choices, help_text="Whether it has been paid for, or paid back."
    )
    currency = Currency(help_text="What its amounts are in.")
    subtotal = amount("All lines together.")
    subtotal_formatted = written("subtotal")
    shipping = amount("What the delivery costs.")
    shipping_formatted = written("shipping")
    discount = amount("What is taken off.")
    discount_formatted = written("discount")
    tax = amount("What is added for tax.")
    tax_formatted = written("tax")
    total = amount("What is to be paid: subtotal, shipping and tax, less the discount.")
    total_formatted = written("total")
    customer = Buyer(help_text="Who ordered.")
    shipping_address = ShippingAddress(help_text="Where it goes.")
    line_items = OrderLine(many=True, help_text="What was bought.")
    tracking_number = text("The carrier's number of the parcel; may be empty.")
    note = text("A note for the people who handle the order; may be empty.")
    created_at = moment("When it was placed.")
    updated_at = moment("When it was last changed.")


class Customer(Buyer):
    object = constant("customer")
    address = Address(help_text="Where the customer lives.")
    orders_count = count("How many orders, not counting cancelled ones.")
    total_spent = amount("What those orders come to.")
    total_spent_formatted = written("total_spent")
    created_at = moment("When the customer was added.")


class Coupon(Shape):
    object = constant("coupon")
    id = id_of("coupon")
    code = text("What a buyer types in; unique in the store.")
    kind = serializers.ChoiceField(
        models.Coupon.Kind.choices,
        help_text="What it takes off: a share of the subtotal, an amount, or the delivery.",
    )
    value = count(
        "Percent for `percent`; for `fixed` an amount in the smallest unit of the store's currency; "
        "without meaning for `free_shipping`."
    )
    minimum = amount("The least subtotal it takes.")
    starts_at = moment("From when on it works.")
    ends_at = moment("Until when it works; null for ever.", allow_null=True)
    usage_limit = count(
        "How often it can be used by all buyers together; null for any number.", allow_null=True
    )
    times_used = count("How often it has been used.")
    active = flag("Whether a buyer could use it now.")


# Operations.


def operations(shape: type[Shape], one: str, many: str, **descriptions: str) -> Callable[[View], View]:
    """Decorates a view whose answers have a shape: what each of its operations is called and gives.

    ``descriptions`` say, by the name of an operation, what its summary leaves open.
    """
    described: dict[str, dict[str, Any]] = {
        "list": {"summary": f"List {many}", "responses": shape(many=True)},
        "retrieve": {"summary": f"Read {one}", "responses": shape},
        "create": {"summary": f"Add {one}", "responses": {201: shape}},
        "partial_update": {"summary": f"Change {one}", "responses": shape},
        "destroy": {"summary": f"Delete {one}", "responses": {204: None}},
    }

    def decorate(view: View) -> View:
        described["list"]["parameters"] = query_parameters(getattr(view, "filterset_class", None))
        there = {
            name: extend_schema(**options, description=descriptions.get(name))
            for name, options in described.items()
            if hasattr(view, name)
        }
        return extend_schema_view(**there)(view)

    return decorate


def query_parameters(filterset: type[FilterSet] | None) -> list[OpenApiParameter]:
    return (
        [query_parameter(name, given) for name, given in filterset.base_filters.items()] if filterset else []
    )


def query_parameter(name: str, given: Filter) -> OpenApiParameter:
    """One of a list's filters, as its form field takes it."""
    description = given.extra.get("help_text", "")
    options: dict[str, Any] = {}
    schema: dict[str, Any] = {"type": "string"}
    match given:
        case filters.SortFilter():
            words = list(given.field.choices)
            schema = {"type": "array", "items": {"type": "string", "enum": words}}
            description = (
                "What to sort by, the weightiest first, with commas between: newest first without it."
            )
            options = {"style": "form", "explode": False}
        case ChoiceFilter():
            schema["enum"] = [value for value, _ in given.extra["choices"]]
        case filters.MomentFilter():
            schema["format"] = "date-time"
            description += " ISO 8601; without a time zone it is UTC."
        case filters.IdFilter():
            schema["pattern"] = "^[1-9][0-9]{0,17}$"
        case filters.SearchFilter():
            schema["maxLength"] = given.extra["max_length"]
    return OpenApiParameter(name, schema, description=description, **options)
