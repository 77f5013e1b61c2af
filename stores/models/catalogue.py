"""The catalogue of a store: categories, products and their variants."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from stores.models.columns import FoldedField, SortKeyField, is_known
from stores.models.objects import HandleModel, StoreObjectQuerySet, StoreScopedChild
from stores.resources import Resource

MAX_DESCRIPTION_LENGTH = 20_000


def original_price_constraint(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(original_price=None) | Q(original_price__gt=F("price")),
        name=name,
        violation_error_code="original_price",
        violation_error_message="Must be higher than the price, or empty.",
    )


class Category(HandleModel):
    MAX_LEVELS = 10
    resource = Resource.CATEGORIES

    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="subcategories"
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=MAX_DESCRIPTION_LENGTH)
    position = models.PositiveIntegerField(default=0)

    objects = StoreObjectQuerySet["Category"].as_manager()

    class Meta:
        verbose_name_plural = default_related_name = "categories"
        ordering = ("position", "name", "id")
        constraints = (
            *HandleModel.Meta.constraints,
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
        """Check that the parent is of the same store and not below it, and the depth of the tree."""
        if self.parent_id is None:
            return
        rows = Category.objects.filter(store_id=self.store_id)
        parents: dict[int, int | None] = dict(rows.values_list("pk", "parent_id"))
        if self.parent_id not in parents:
            raise ValidationError({"parent": "There is no such category."})
        if self.pk in climb(self.parent_id, parents):
            raise ValidationError({"parent": "A category cannot lie within itself."})
        parents[self.pk or 0] = self.parent_id
        if any(len(climb(pk, parents)) > self.MAX_LEVELS for pk in parents):
            raise ValidationError({"parent": f"Categories can be nested {self.MAX_LEVELS} levels deep."})


def climb(pk: int, parents: dict[int, int | None]) -> list[int]:
    """Return the ids of a category and of those above it, up to one more than can be nested.

    ``parents`` maps each id to its parent's.
    """
    climbed: list[int] = []
    current: int | None = pk
    while current is not None and len(climbed) <= Category.MAX_LEVELS:
        climbed.append(current)
        current = parents[current]
    return climbed


class InventoryType(models.TextChoices):
    TRACKED = "tracked", "Counted"
    INFINITE = "infinite", "Always in stock"


class Product(HandleModel):
    resource = Resource.PRODUCTS

    name = models.CharField(max_length=200)
    excerpt = models.CharField(max_length=300, blank=True)
    description = models.TextField(
        blank=True,
        max_length=MAX_DESCRIPTION_LENGTH,
        help_text="Plain text; a blank line begins a paragraph.",
    )
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
    personalization = models.BooleanField(default=False, help_text="Buyers may add something of their own.")
    personalization_items = models.JSONField(default=list, db_default=[], blank=True, editable=False)
    livemode = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0, help_text="Place in the owner's own order.")
    categories = models.ManyToManyField(
        Category, through="ProductCategory", related_name="products", blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    search_text = FoldedField(sources=("name", "description", "sku"))
    name_key = SortKeyField(sources=("name",), max_length=100)

    objects = StoreObjectQuerySet["Product"].as_manager()

    class Meta:
        default_related_name = "products"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="product_newest_in_store"),
            models.Index(fields=("store", "name_key", "-id"), name="product_name_in_store"),
            models.Index(fields=("store", "price", "-id"), name="product_price_in_store"),
            models.Index(fields=("store", "position", "-id"), name="product_position_in_store"),
            models.Index(fields=("store", "updated_at", "id"), name="product_updated_in_store"),
        )
        constraints = (
            *HandleModel.Meta.constraints,
            original_price_constraint("product_sale_lowers_the_price"),
            is_known(
                "inventory_type",
                InventoryType,
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


class ProductCategory(StoreScopedChild):
    """A product's place in a category of the same store."""

    parent_field = "product"

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
        # A form without a category says so itself.
        if self.category_id and self.product.store_id != self.category.store_id:
            raise ValidationError({"category": "There is no such category."})


class ProductVariant(StoreScopedChild):
    parent_field = "product"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(max_length=100)
    sku = models.CharField("SKU", max_length=64, blank=True)
    price = models.PositiveBigIntegerField()
    original_price = models.PositiveBigIntegerField(null=True, blank=True)
    quantity = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    search_text = FoldedField(sources=("sku",))

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("product", "name"),
                name="variant_name_is_unique_in_product",
                violation_error_code="name",
                violation_error_message="Another variant of the product has this name.",
            ),
            original_price_constraint("variant_sale_lowers_the_price"),
        )

    def __str__(self) -> str:
        return self.name
