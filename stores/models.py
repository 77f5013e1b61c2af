"""The shop: what a store sells, to whom, and for how much.

Money is in the smallest unit of the store's currency (cents, yen). Every row carries its store, and every
question is put through ``for_store()``, so that no view can forget it. A constraint's message is a sentence
for people, and its code names the field that it is about.
"""

import secrets
from typing import TYPE_CHECKING, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Row = TypeVar("Row", bound=models.Model)


def random_store_id() -> int:
    """A nine-digit number, not guessable in sequence: a store's id is in every address."""
    return 100_000_000 + secrets.randbelow(900_000_000)


class StoreQuerySet(models.QuerySet["Store"]):
    def owned_by(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        return self.filter(owners=user.pk)


class Store(models.Model):
    id = models.PositiveIntegerField(primary_key=True, default=random_store_id, editable=False)
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="stores")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                name="store_id_has_nine_digits",
                condition=Q(id__gte=100_000_000, id__lte=999_999_999),
            ),
        )

    def __str__(self) -> str:
        return self.name


class OfStoreQuerySet(models.QuerySet[Row]):
    def for_store(self, store: Store) -> Self:
        """Only what is this store's: the rest does not exist."""
        return self.filter(store=store)


class CategoryQuerySet(OfStoreQuerySet["Category"]):
    pass


class Category(models.Model):
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="categories")
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
        ordering = ("position", "name")
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
                violation_error_message="A category cannot be its own parent.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def is_within(self, other: "Category") -> bool:
        """Whether this category is the other one or lies somewhere below it."""
        category: Category | None = self
        while category is not None:
            if category == other:
                return True
            category = category.parent
        return False


class ProductQuerySet(OfStoreQuerySet["Product"]):
    def with_parts(self) -> Self:
        """With variants and categories, one query each however many products there are."""
        return self.prefetch_related("variants", "categories")


class Product(models.Model):
    class InventoryType(models.TextChoices):
        TRACKED = "tracked", "Counted"
        INFINITE = "infinite", "Always in stock"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="products")
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
    categories = models.ManyToManyField(Category, related_name="products", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="product_newest_in_store"),
            models.Index(fields=("store", "price", "id"), name="product_price_in_store"),
            models.Index(fields=("store", "position", "id"), name="product_position_in_store"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("store", "handle"),
                name="product_handle_is_unique_in_store",
                violation_error_code="handle",
                violation_error_message="Another product has this handle.",
            ),
            models.CheckConstraint(
                condition=Q(original_price=None) | Q(original_price__gt=F("price")),
                name="product_sale_lowers_the_price",
                violation_error_code="original_price",
                violation_error_message="Must be higher than the price, or empty.",
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

    @property
    def available_quantity(self) -> int | None:
        """How many can be bought, over all variants; None where it is not counted."""
        if self.inventory_type == self.InventoryType.INFINITE:
            return None
        variants = self.variants.all()
        return sum(variant.quantity for variant in variants) if variants else self.quantity

    @property
    def in_stock(self) -> bool:
        return self.available_quantity is None or self.available_quantity > 0

    @property
    def on_sale(self) -> bool:
        return self.original_price is not None or any(
            variant.original_price is not None for variant in self.variants.all()
        )


class ProductVariant(models.Model):
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
            models.CheckConstraint(
                condition=Q(original_price=None) | Q(original_price__gt=F("price")),
                name="variant_sale_lowers_the_price",
                violation_error_code="original_price",
                violation_error_message="Must be higher than the price, or empty.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """The parts of a postal address, in the columns of whatever has one."""

    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2 code.")

    class Meta:
        abstract = True


class CustomerQuerySet(OfStoreQuerySet["Customer"]):
    def with_totals(self) -> Self:
        """Adds ``orders_count`` and ``total_spent``, both over orders that were not cancelled."""
        orders = (
            Order.objects.filter(customer=OuterRef("pk"))
            .exclude(status=Order.Status.CANCELLED)
            .order_by()
            .values("customer")
        )
        count = orders.annotate(count=Count("pk")).values("count")
        spent = orders.annotate(spent=Sum("total")).values("spent")
        return self.annotate(
            orders_count=Coalesce(Subquery(count), 0), total_spent=Coalesce(Subquery(spent), 0)
        )


class Customer(Address):
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="customers")
    name = models.CharField(max_length=150)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Added by CustomerQuerySet.with_totals().
    orders_count: int
    total_spent: int

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("store", "-created_at", "-id"), name="customer_newest_in_store"),)
        constraints = (
            models.UniqueConstraint(
                fields=("store", "email"),
                name="customer_email_is_unique_in_store",
                violation_error_code="email",
                violation_error_message="Another customer has this e-mail address.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(OfStoreQuerySet["Order"]):
    def with_parts(self) -> Self:
        """With the customer joined and the lines in one more query."""
        return self.select_related("customer").prefetch_related(
            Prefetch("lines", OrderLine.objects.order_by("id"))
        )


class Order(Address):
    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        PROCESSING = "processing", "Processing"
        SHIPPED = "shipped", "Shipped"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        PAID = "paid", "Paid"
        REFUNDED = "refunded", "Refunded"

    NEXT = {
        Status.PENDING: {Status.PROCESSING, Status.CANCELLED},
        Status.PROCESSING: {Status.SHIPPED, Status.CANCELLED},
        Status.SHIPPED: {Status.COMPLETED},
        Status.COMPLETED: set(),
        Status.CANCELLED: set(),
    }

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="orders")
    number = models.PositiveIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    payment_status = models.CharField(
        max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.UNPAID
    )
    recipient = models.CharField(max_length=150, help_text="Whom the parcel goes to.")
    subtotal = models.PositiveBigIntegerField()
    shipping = models.PositiveBigIntegerField(default=0)
    discount = models.PositiveBigIntegerField(default=0)
    tax = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField()
    tracking_number = models.CharField(max_length=100, blank=True)
    note = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="order_newest_in_store"),
            models.Index(fields=("store", "status", "-created_at", "-id"), name="order_status_in_store"),
            models.Index(fields=("customer", "-created_at"), name="order_newest_of_customer"),
        )
        constraints = (
            models.UniqueConstraint(fields=("store", "number"), name="order_number_is_unique_in_store"),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("shipping") + F("tax") - F("discount")),
                name="order_total_adds_up",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number}"

    def may_become(self, status: str) -> bool:
        """Whether the order may go on to this status, or has it already."""
        return status == self.status or status in self.NEXT[self.Status(self.status)]


class OrderLine(models.Model):
    """What was bought, as it was then: the product may be renamed or deleted since."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, related_name="+")
    variant = models.ForeignKey(
        ProductVariant, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=300)
    sku = models.CharField("SKU", max_length=64, blank=True)
    quantity = models.PositiveIntegerField()
    unit_price = models.PositiveBigIntegerField()
    total = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(total=F("unit_price") * F("quantity")), name="order_line_total_adds_up"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class CouponQuerySet(OfStoreQuerySet["Coupon"]):
    pass


class Coupon(models.Model):
    class Kind(models.TextChoices):
        PERCENT = "percent", "Percent off"
        FIXED = "fixed", "Amount off"
        FREE_SHIPPING = "free_shipping", "Free shipping"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="coupons")
    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=15, choices=Kind.choices)
    value = models.PositiveBigIntegerField(
        default=0, help_text="Percent, or an amount in the smallest unit of the currency."
    )
    minimum = models.PositiveBigIntegerField(default=0, help_text="The least subtotal it takes.")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    usage_limit = models.PositiveIntegerField(null=True, blank=True)
    times_used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CouponQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("store", "-created_at", "-id"), name="coupon_newest_in_store"),)
        constraints = (
            models.UniqueConstraint(
                fields=("store", "code"),
                name="coupon_code_is_unique_in_store",
                violation_error_code="code",
                violation_error_message="Another coupon has this code.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="percent") | Q(value__lte=100),
                name="coupon_percent_is_at_most_100",
                violation_error_code="value",
                violation_error_message="Must be at most 100 percent.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="coupon_ends_after_it_starts",
                violation_error_code="ends_at",
                violation_error_message="Must be later than starts_at, or empty.",
            ),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def active(self) -> bool:
        """Whether a buyer could use it now."""
        now = timezone.now()
        return (
            self.starts_at <= now
            and (self.ends_at is None or self.ends_at > now)
            and (self.usage_limit is None or self.times_used < self.usage_limit)
        )
