"""Products: what a store sells."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from stores import models
from stores.api.base import HANDLE_PATTERN, HandleViewSet
from stores.api.categories import Category, find_branch, read_category_tree
from stores.api.filters import CharFilter, FlagFilter, ListFilters, SortFilter
from stores.api.outputs import (
    HANDLE,
    Columns,
    Currency,
    Output,
    Row,
    Rows,
    Time,
    always,
    amount,
    count,
    format_optional,
    formatted,
    id_of,
    text,
    time,
)
from stores.api.serializers import (
    AmountField,
    CharField,
    CountField,
    EnumField,
    HandleSerializer,
    IdField,
    ListField,
    StrictSerializer,
    is_same,
    leave_changes,
)
from stores.api.variants import VARIANTS, Variants, VariantsSerializer, represent_variant, write_variants
from stores.money import format_amount
from stores.resources import Resource
from stores.text import comparable, to_html

PLACES = Rows(models.ProductCategory, "product_id", ["category_id"], order_by=["category_id"])
# Products without a picture show this one. Its address stays the same in every release.
PLACEHOLDER = f"{settings.STATIC_URL}img/no-picture.png"
# What a product with personalization asks for where its owner has not said.
PERSONAL_TEXT = {"id": "text", "type": "text", "name": "Personal text"}
# What an input is where its owner has not said.
INPUT_DEFAULTS = {
    "required": False,
    "price": 0,
    "instructions": "",
    "min": None,
    "max": None,
    "filetypes": "",
    "dropdownOptions": "",
}


# Output.


class Image(Output):
    sm: Annotated[str, text("Where the small rendition is.", 200)]
    md: Annotated[str, text("Where the medium rendition is.", 200)]
    lg: Annotated[str, text("Where the large rendition is.", 200)]


class Media(Output, kw_only=True):
    id: Annotated[str, text("Its own id within the product.", 40)]
    type: Annotated[Literal["image"], always("image")]
    src: Annotated[Image, text("Where it is, in three sizes.")]


class PersonalizationItem(Output, kw_only=True):
    id: Annotated[str, text("Its own id within the product.", 40)]
    type: Annotated[
        Literal["text", "checkbox", "dropdown", "file"], text("What the buyer is shown to fill in.")
    ]
    name: Annotated[str, text("What the input is called.", 100)]
    required: Annotated[bool, text("Whether it has to be filled in.")]
    price: Annotated[int, amount("What it adds to the price.")]
    price_formatted: Annotated[str, formatted("price")]
    instructions: Annotated[str, text("What the buyer is told about it; may be empty.", 500)]
    min: Annotated[int | None, count("The fewest characters of a text; null where none is set.")]
    max: Annotated[int | None, count("The most characters of a text; null where none is set.")]
    filetypes: Annotated[str, text("Of a file, what an input's `accept` takes; may be empty.", 200)]
    dropdownOptions: Annotated[  # noqa: N815  # the published clients' name
        str, text("What a dropdown offers, separated by commas; may be empty.", 1000)
    ]


class Personalization(Output):
    enabled: Annotated[bool, text("Whether buyers may add something of their own.")]
    items: Annotated[list[PersonalizationItem], text("The inputs for it.")]


class Sale(Output, kw_only=True):
    enabled: Annotated[bool, text("Whether it, or any of its variants, has an original price.")]
    original_price: Annotated[int | None, amount("What it cost before the sale; null without one.")]
    original_price_formatted: Annotated[str | None, formatted("original_price")]


class Product(Output, kw_only=True):
    object: Annotated[Literal["product"], always("product")]
    id: Annotated[str, id_of("product")]
    name: Annotated[str, text("What the product is called.", 200)]
    handle: Annotated[str, HANDLE]
    excerpt: Annotated[str, text("A sentence or two; may be empty.", 300)]
    description: Annotated[str, text("Plain text; a blank line begins a paragraph. May be empty.", 20_000)]
    description_html: Annotated[
        str, text("The description as HTML, escaped and safe to show; empty without one.", 200_000)
    ]
    promo_badge: Annotated[
        str, text("A word or two to stick onto the picture, such as `New`; may be empty.", 40)
    ]
    currency: Annotated[Currency, text("What its amounts are in.")]
    price: Annotated[int, amount("What it costs now.")]
    price_formatted: Annotated[str, formatted("price")]
    original_price: Annotated[int | None, amount("What it cost before the sale; null without one.")]
    price_range: Annotated[
        list[Annotated[int, msgspec.Meta(ge=0)]],
        msgspec.Meta(
            min_length=1,
            max_length=2,
            description="The lowest and the highest price of its variants, or the one price there is, in the "
            "smallest unit of the store's currency.",
        ),
    ]
    price_range_formatted: Annotated[
        str, text("`price_range` as people write it, such as `$19.99 - $24.99`.", 100)
    ]
    image: Annotated[Image, text("The first of `media`; a placeholder where there is none.")]
    media: Annotated[list[Media], text("All images, the most important first.")]
    variants: Annotated[Variants, text("What it comes in, such as sizes.")]
    categories: Annotated[list[Category], text("The categories it is sorted into.")]
    inventory_type: Annotated[
        models.InventoryType, text("`tracked`: pieces are counted. `infinite`: never out.")
    ]
    in_stock: Annotated[bool, text("Whether it, or any of its variants, can be bought now.")]
    available_quantity: Annotated[
        int | None, count("How many pieces are left, of all variants; null where they are not counted.")
    ]
    quantity: Annotated[int, count("How many pieces are left where there are no variants.")]
    min_quantity: Annotated[int | None, count("The fewest pieces in one order; null where none is set.")]
    max_quantity: Annotated[int | None, count("The most pieces in one order; null where none is set.")]
    personalization: Annotated[Personalization, text("What buyers may add of their own.")]
    on_sale: Annotated[Sale, text("Whether its price is lowered, and from what.")]
    sku: Annotated[str, text("The owner's own article number; may be empty.", 64)]
    livemode: Annotated[bool, text("Whether it is really for sale, and not a trial, which only keys see.")]
    position: Annotated[int, count("Its place in the owner's own order.")]
    created_at: Annotated[Time, time("When it was added.")]
    updated_at: Annotated[Time, time("When it was last changed.")]


COLUMNS = Columns(models.Product, Product)
PRODUCTS = Rows(
    models.Product,
    "id",
    [*COLUMNS.names, "option_name", "personalization_items"],
    joined={"store": ["currency"]},
)


def represent_product(
    row: Row, variants: list[Row], categories: list[Category], placeholder: Image
) -> Product:
    currency = row["store__currency"]
    is_counted = row["inventory_type"] == models.InventoryType.TRACKED
    quantity = sum(variant["quantity"] for variant in variants) if variants else row["quantity"]
    prices = [variant["price"] for variant in variants] or [row["price"]]
    price_range = sorted({min(prices), max(prices)})
    original_prices = [row["original_price"], *(variant["original_price"] for variant in variants)]
    original_price = next((price for price in original_prices if price is not None), None)
    media = represent_media(row["media"])
    inputs = row["personalization_items"] or ([PERSONAL_TEXT] if row["personalization"] else [])
    return COLUMNS.fill(
        row,
        currency,
        description_html=row["description"] and to_html(row["description"]),
        price_range=price_range,
        price_range_formatted=" - ".join(format_amount(price, currency) for price in price_range),
        image=media[0].src if media else placeholder,
        media=media,
        variants=Variants(
            bool(variants),
            row["option_name"],
            [represent_variant(variant, currency, is_counted=is_counted) for variant in variants],
        ),
        categories=categories,
        in_stock=quantity > 0 or not is_counted,
        available_quantity=quantity if is_counted else None,
        # One in an order is the least there is: nothing is set.
        min_quantity=row["min_quantity"] if row["min_quantity"] > 1 else None,
        personalization=Personalization(
            row["personalization"],
            [represent_item(item, currency) for item in inputs],
        ),
        on_sale=Sale(
            enabled=original_price is not None,
            original_price=original_price,
            original_price_formatted=format_optional(original_price, currency),
        ),
    )


def represent_media(media: list[dict[str, str]]) -> list[Media]:
    """Return a product's stored pictures for clients. One without an id of its own is known by its place."""
    return [
        Media(
            id=picture.get("id", str(place)),
            type="image",
            src=Image(picture["sm"], picture["md"], picture["lg"]),
        )
        for place, picture in enumerate(media, start=1)
    ]


def represent_item(item: dict[str, Any], currency: str) -> PersonalizationItem:
    values: dict[str, Any] = INPUT_DEFAULTS | item
    return PersonalizationItem(**values, price_formatted=format_amount(values["price"], currency))


# Input.


class ImageSerializer(StrictSerializer):
    sm = serializers.URLField(max_length=200)
    md = serializers.URLField(max_length=200)
    lg = serializers.URLField(max_length=200)


class MediaSerializer(StrictSerializer):
    id = CharField(max_length=40, required=False, help_text="Its id as it was read; a new one has none.")
    type = serializers.ChoiceField(["image"])
    src = ImageSerializer()


class PersonalizationItemSerializer(StrictSerializer):
    id = CharField(max_length=40)
    type = serializers.ChoiceField(["text", "checkbox", "dropdown", "file"])
    name = CharField(max_length=100)
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    price = AmountField(required=False)
    instructions = CharField(max_length=500, required=False, allow_blank=True)
    min = CountField(required=False, allow_null=True)
    max = CountField(required=False, allow_null=True)
    filetypes = CharField(max_length=200, required=False, allow_blank=True)
    dropdownOptions = CharField(max_length=1000, required=False, allow_blank=True)  # noqa: N815


class PersonalizationSerializer(StrictSerializer):
    """The inputs are replaced as a whole; the text of a price may be sent as it was read."""

    enabled = serializers.BooleanField(required=False)
    items = ListField(child=PersonalizationItemSerializer(), required=False, max_length=20)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(data.get("items"), list):
            current = self.context.get("current", {}).get("personalization", {}).get("items", [])
            texts = [{"id": item["id"], "price_formatted": item["price_formatted"]} for item in current]
            data = {**data, "items": leave_changes(data["items"], texts)}
        return super().to_internal_value(data)


class CategoryField(IdField):
    """The id of a category, or the whole category as it was read."""

    def to_internal_value(self, data: Any) -> Any:
        whole = data if isinstance(data, Mapping) else {"id": data}
        if not isinstance(whole.get("id"), str):
            raise ValidationError("Must be a string.")
        pk = super().to_internal_value(whole["id"])
        if isinstance(data, Mapping) and (current := self.root.known_categories.get(pk)):  # type: ignore[attr-defined]
            changed = [name for name, value in data.items() if not is_same(value, current.get(name))]
            if changed:
                message = "It cannot be changed here: use the category's own address."
                raise ValidationError({name: [message] for name in changed})
        return pk


class ProductSerializer(HandleSerializer[models.Product]):
    price = AmountField()
    original_price = AmountField(
        required=False, allow_null=True, help_text="What it cost before the sale, in the unit of `price`."
    )
    media = ListField(child=MediaSerializer(), required=False, max_length=50)
    variants = VariantsSerializer(required=False, allow_null=True)
    categories = ListField(
        child=CategoryField(),
        required=False,
        max_length=100,
        help_text="The categories to sort it into: their ids, or the categories as they are read.",
    )
    inventory_type = EnumField(models.InventoryType, required=False)
    min_quantity = CountField(required=False, allow_null=True, min_value=1)
    max_quantity = CountField(required=False, allow_null=True, min_value=1)
    personalization = PersonalizationSerializer(required=False, allow_null=True)

    class Meta:
        model = models.Product
        fields = (
            *("handle", "name", "excerpt", "description", "promo_badge", "sku"),
            *("price", "original_price", "media", "variants", "categories"),
            *("inventory_type", "quantity", "min_quantity", "max_quantity"),
            *("personalization", "livemode", "position"),
        )

    @cached_property
    def known_categories(self) -> dict[str, Any]:
        """The store's categories in JSON, by their ids."""
        tree = read_category_tree(self.store.pk).values()
        return {category.id: msgspec.to_builtins(category) for category in tree}

    def validate_media(self, pictures: list[Any]) -> list[dict[str, str]]:
        """Return the pictures as they are stored: ``{"id", "sm", "md", "lg"}`` each."""
        return [{"id": picture.get("id", get_random_string(8)), **picture["src"]} for picture in pictures]

    def validate_categories(self, ids: list[int]) -> list[models.Category]:
        found = models.Category.objects.filter(store=self.store).in_bulk(ids)
        if missing := [str(pk) for pk in ids if pk not in found]:
            raise ValidationError(f"There is no category {', '.join(missing)}.")
        return list(found.values())

    def validate_min_quantity(self, quantity: int | None) -> int:
        return quantity or 1

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Move what is written as parts of the product into its columns."""
        if "variants" in attrs:
            attrs["variants"] = attrs["variants"] or {"option_name": "", "items": []}
            attrs["option_name"] = attrs["variants"].pop("option_name", self.get_current("option_name"))
        if "personalization" in attrs:
            sent = attrs["personalization"] or {"enabled": False, "items": []}
            attrs["personalization"] = sent.get("enabled", self.get_current("personalization"))
            items = sent.get("items", self.get_current("personalization_items"))
            attrs["personalization_items"] = [dict(item) for item in items]
        return super().validate(attrs)

    def get_current(self, column: str) -> Any:
        return getattr(self.instance or models.Product(), column)

    def write_parts(self, row: models.Product, sent: dict[str, Any]) -> bool:
        has_changed = "categories" in sent and set(sent["categories"]) != set(row.categories.all())
        if has_changed:
            row.categories.set(sent["categories"], through_defaults={"store": self.store})
        if "items" in sent.get("variants", {}):
            has_changed |= write_variants(row, sent["variants"]["items"])
        return has_changed


# Filters.


class ProductFilters(ListFilters):
    category = CharFilter(
        method="filter_category",
        max_length=120,
        validators=[RegexValidator(rf"\A{HANDLE_PATTERN}\Z", "Must be the id or the handle of a category.")],
        help_text="Only products in the category with this id or handle, or in any category below it.",
    )
    sku = CharFilter(
        method="filter_sku",
        help_text="Only the product with this SKU, or with a variant that has it.",
    )
    in_stock = FlagFilter(
        method="filter_stock", help_text="Only products that can be bought now, or the others."
    )
    search = CharFilter(
        method="filter_search",
        help_text="Only products with this text in their name, description or SKU, or a variant's SKU.",
    )
    order = SortFilter(name="name_key", price="price", date="created_at", custom="position")

    def filter_category(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        branch = find_branch(self.request.resolver_match.kwargs["store_id"], value)
        products = models.ProductCategory.objects.filter(category__in=branch).values("product")
        return queryset.filter(pk__in=products)

    def filter_sku(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(Q(sku=value) | has_variant(sku=value))

    def filter_stock(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        in_stock = (
            Q(inventory_type=models.InventoryType.INFINITE)
            | has_variant(quantity__gt=0)
            | (~has_variant() & Q(quantity__gt=0))
        )
        return queryset.filter(in_stock if value else ~in_stock)

    def filter_search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        folded = comparable(value)
        found = Q(search_text__contains=folded) | has_variant(search_text__contains=folded)
        return queryset.filter(found) if folded else queryset


def has_variant(**conditions: Any) -> Q:
    return Q(Exists(models.ProductVariant.objects.filter(product=OuterRef("pk"), **conditions)))


class ProductViewSet(HandleViewSet):
    resource = Resource.PRODUCTS
    output = Product
    queryset = models.Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilters

    def get_conditions(self) -> dict[str, Any]:
        """Show a trial only to those who have a key."""
        conditions = super().get_conditions()
        return conditions if self.request.auth else conditions | {"livemode": True}

    def represent(self, ids: Sequence[int]) -> Sequence[Product]:
        # Before their parts, which then are not older than updated_at; and without what was hidden meanwhile.
        rows = [row for row in PRODUCTS.read(ids) if self.request.auth or row["livemode"]]
        variants, places = VARIANTS.read_groups(ids), PLACES.read_groups(ids)
        tree = read_category_tree(self.store_id)
        address = self.request.build_absolute_uri(PLACEHOLDER)
        placeholder = Image(address, address, address)
        return [
            represent_product(
                row,
                variants[row["id"]],
                [
                    tree[place["category_id"]]
                    for place in places[row["id"]]
                    if place["category_id"] in tree  # not deleted meanwhile
                ],
                placeholder,
            )
            for row in rows
        ]
