"""What a store sells: categories, products and their variants."""

from collections.abc import Sequence
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Prefetch, Q
from django.utils import timezone
from django.utils.functional import cached_property

from stores.compiled import CompiledIn, group_by
from stores.models.store import OfStoreQuerySet, PartOfStore, Store


def sale_lowers_the_price(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(original_price=None) | Q(original_price__gt=F("price")),
        name=name,
        violation_error_code="original_price",
        violation_error_message="Must be higher than the price, or empty.",
    )


class CategoryQuerySet(OfStoreQuerySet["Category"]):
    pass


class Category(models.Model):
    # Whoever reads a tree follows it level by level, and has to come to an end.
    LEVELS = 10

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="categories")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="subcategories"
    )
    handle = models.SlugField(max_length=100)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ("position", "name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("store", "handle"),
                name="category_handle_is_unique_in_store",
                violation_error_code="handle",
                violation_error_message="Another category has this handle.",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="category_is_not_its_own_parent",
                violation_error_code="parent",
                violation_error_message="A category cannot lie within itself.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Its parent is of the same store, does not lie below it, and the tree keeps to its LEVELS."""
        if self.parent_id is None:
            return
        rows = Category.objects.filter(store_id=self.store_id)
        parents: dict[int, int | None] = dict(rows.values_list("pk", "parent_id"))
        if self.parent_id not in parents:
            raise ValidationError({"parent": "There is no such category."})
        above = ancestors(self.parent_id, parents)
        if self.pk in above:
            raise ValidationError({"parent": "A category cannot lie within itself."})
        if len(above) + 1 + levels_below(self.pk, parents) > self.LEVELS:
            raise ValidationError({"parent": f"Categories can be nested {self.LEVELS} levels deep."})


def ancestors(pk: int, parents: dict[int, int | None]) -> list[int]:
    """A category and those it lies in, up to the top; ``parents`` has the parent of each."""
    line: list[int] = []
    here: int | None = pk
    while here is not None and here not in line:
        line.append(here)
        here = parents[here]
    return line


def levels_below(pk: int | None, parents: dict[int, int | None]) -> int:
    """How many levels there are below a category; none below one that is not saved yet."""
    levels = 0
    level = set() if pk is None else {pk}
    while levels < Category.LEVELS and (level := {pk for pk, parent in parents.items() if parent in level}):
        levels += 1
    return levels


class ProductQuerySet(OfStoreQuerySet["Product"]):
    def with_parts(self) -> Self:
        """With variants and categories, one query each however many products there are."""
        return self.prefetch_related(
            Prefetch("variants", to_attr="choices"), Prefetch("categories", to_attr="filed_under")
        )

    @classmethod
    def fetch_parts(cls, rows: Sequence["Product"]) -> None:
        ids = [product.pk for product in rows]
        choices = group_by("product_id", VARIANTS_OF_PRODUCTS.run(ids))
        places = group_by("product_id", PLACES_OF_PRODUCTS.run(ids))
        for product in rows:
            product.choices = choices[product.pk]
            product.filed_under = [place.category for place in places[product.pk]]


class Product(models.Model):
    class InventoryType(models.TextChoices):
        TRACKED = "tracked", "Counted"
        INFINITE = "infinite", "Always in stock"

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="products")
    handle = models.SlugField(max_length=120)
    name = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True, help_text="Plain text; a blank line begins a paragraph.")
    promo_badge = models.CharField(max_length=40, blank=True)
    sku = models.CharField("SKU", max_length=64, blank=True)
    price = models.PositiveBigIntegerField(help_text="In the smallest unit of the store's currency.")
    original_price = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Before the sale; empty when there is none."
    )
    media = models.JSONField(default=list, blank=True, help_text="Images: a list of {sm, md, lg} addresses.")
    option_name = models.CharField(
        max_length=60, blank=True, help_text="What the variants differ in, such as Size."
    )
    inventory_type = models.CharField(
        max_length=10, choices=InventoryType.choices, default=InventoryType.TRACKED
    )
    quantity = models.PositiveIntegerField(default=0, help_text="In stock, where there are no variants.")
    min_quantity = models.PositiveIntegerField(default=1, help_text="The fewest in one order.")
    max_quantity = models.PositiveIntegerField(null=True, blank=True, help_text="The most in one order.")
    personalization = models.BooleanField(default=False, help_text="Buyers may enter a text.")
    livemode = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0, help_text="Place in the owner's own order.")
    categories = models.ManyToManyField(
        Category, through="ProductCategory", related_name="products", blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="product_newest_in_store"),
            models.Index(fields=("store", "name", "-id"), name="product_name_in_store"),
            models.Index(fields=("store", "price", "-id"), name="product_price_in_store"),
            models.Index(fields=("store", "position", "-id"), name="product_position_in_store"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("store", "handle"),
                name="product_handle_is_unique_in_store",
                violation_error_code="handle",
                violation_error_message="Another product has this handle.",
            ),
            sale_lowers_the_price("product_sale_lowers_the_price"),
            models.CheckConstraint(
                condition=Q(inventory_type__in=("tracked", "infinite")),
                name="product_inventory_type_is_known",
                violation_error_code="inventory_type",
            ),
            models.CheckConstraint(
                condition=Q(min_quantity__gte=1)
                & (Q(max_quantity=None) | Q(max_quantity__gte=F("min_quantity"))),
                name="product_quantities_leave_a_range",
                violation_error_code="max_quantity",
                violation_error_message="Must not be less than min_quantity, which is at least 1.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @cached_property
    def choices(self) -> list["ProductVariant"]:
        """Its variants, in the owner's order."""
        return list(self.variants.all())

    @cached_property
    def filed_under(self) -> list[Category]:
        return list(self.categories.all())

    @property
    def available_quantity(self) -> int | None:
        """How many can be bought, over all variants; None where it is not counted."""
        if self.inventory_type == self.InventoryType.INFINITE:
            return None
        return sum(variant.quantity for variant in self.choices) if self.choices else self.quantity

    @property
    def in_stock(self) -> bool:
        return self.available_quantity is None or self.available_quantity > 0

    @property
    def on_sale(self) -> bool:
        return self.original_price is not None or any(
            variant.original_price is not None for variant in self.choices
        )


class ProductCategory(PartOfStore):
    """A product's place in a category of the same store."""

    whole = "product"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = "product categories"
        constraints = (
            models.UniqueConstraint(fields=("product", "category"), name="product_is_in_a_category_once"),
        )

    def __str__(self) -> str:
        return f"{self.product} in {self.category}"

    def clean(self) -> None:
        if self.product.store_id != self.category.store_id:
            raise ValidationError({"category": "There is no such category."})


class ProductVariant(PartOfStore):
    whole = "product"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(max_length=100)
    sku = models.CharField("SKU", max_length=64, blank=True)
    price = models.PositiveBigIntegerField()
    original_price = models.PositiveBigIntegerField(null=True, blank=True)
    quantity = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("product", "name"),
                name="variant_name_is_unique_in_product",
                violation_error_code="name",
                violation_error_message="Another variant of the product has this name.",
            ),
            sale_lowers_the_price("variant_sale_lowers_the_price"),
        )

    def __str__(self) -> str:
        return self.name


VARIANTS_OF_PRODUCTS = CompiledIn(lambda ids: ProductVariant.objects.filter(product_id__in=ids))
PLACES_OF_PRODUCTS = CompiledIn(
    lambda ids: (
        ProductCategory.objects.filter(product_id__in=ids)
        .select_related("category")
        .order_by("category__position", "category__name", "category__id")
    )
)
