"""To whom a store sells, and for how much: customers, orders and coupons."""

from collections.abc import Sequence
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import cached_property

from stores.compiled import CompiledIn, group_by
from stores.models.catalogue import Product, ProductVariant
from stores.models.store import OfStoreQuerySet, PartOfStore, Store


class Address(models.Model):
    """The parts of a postal address, in the columns of whatever has one."""

    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=100, blank=True)
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", "Must be two capital letters, such as US.")],
        help_text="ISO 3166-1 alpha-2 code.",
    )

    class Meta:
        abstract = True


class CustomerQuerySet(OfStoreQuerySet["Customer"]):
    def with_parts(self) -> Self:
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
    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="customers")
    name = models.CharField(max_length=150)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Added by CustomerQuerySet.with_parts().
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
        return self.select_related("customer").prefetch_related(Prefetch("lines", to_attr="line_items"))

    @classmethod
    def fetch_parts(cls, rows: Sequence["Order"]) -> None:
        lines = group_by("order_id", LINES_OF_ORDERS.run(order.pk for order in rows))
        for order in rows:
            order.line_items = lines[order.pk]


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
        Status.PENDING: (Status.PROCESSING, Status.CANCELLED),
        Status.PROCESSING: (Status.SHIPPED, Status.CANCELLED),
        Status.SHIPPED: (Status.COMPLETED,),
        Status.COMPLETED: (),
        Status.CANCELLED: (),
    }

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="orders")
    number = models.PositiveIntegerField()
    # Restricted, not protected: a store goes with its customers and their orders.
    customer = models.ForeignKey(Customer, on_delete=models.RESTRICT, related_name="orders")
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
                condition=Q(status__in=("pending", "processing", "shipped", "completed", "cancelled")),
                name="order_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(payment_status__in=("unpaid", "paid", "refunded")),
                name="order_payment_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("shipping") + F("tax") - F("discount")),
                name="order_total_adds_up",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number}"

    @cached_property
    def line_items(self) -> list["OrderLine"]:
        """What was bought, in the order in which it was put into the cart."""
        return list(self.lines.all())

    def may_become(self, status: str) -> bool:
        """Whether the order may go on to this status, or has it already."""
        return status == self.status or status in self.NEXT[self.Status(self.status)]

    def ensure_may_become(self, status: str) -> None:
        """Raise ValidationError unless the order may go on to this status, or has it already."""
        if not self.may_become(status):
            onward = " or ".join(self.NEXT[self.Status(self.status)]) or "nothing else"
            raise ValidationError(f"An order that is {self.status} can become {onward}.")


class OrderLine(PartOfStore):
    """What was bought, as it was then: the product may be renamed or deleted since."""

    whole = "order"

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
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(total=F("unit_price") * F("quantity")), name="order_line_total_adds_up"
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


LINES_OF_ORDERS = CompiledIn(lambda ids: OrderLine.objects.filter(order_id__in=ids))


class CouponQuerySet(OfStoreQuerySet["Coupon"]):
    pass


class Coupon(models.Model):
    class Kind(models.TextChoices):
        PERCENT = "percent", "Percent off"
        FIXED = "fixed", "Amount off"
        FREE_SHIPPING = "free_shipping", "Free shipping"

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="coupons")
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
                condition=Q(kind__in=("percent", "fixed", "free_shipping")),
                name="coupon_kind_is_known",
                violation_error_code="kind",
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
