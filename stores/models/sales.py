"""To whom a store sells, and for how much: customers, orders and coupons."""

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, ExpressionWrapper, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from stores.models.catalogue import Product, ProductVariant
from stores.models.columns import FoldedField, SortKeyField, is_known
from stores.models.objects import StoreObject, StoreObjectQuerySet, StoreScopedChild
from stores.resources import Resource


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


class CustomerQuerySet(StoreObjectQuerySet["Customer"]):
    def with_totals(self) -> Self:
        """Annotate ``orders_count`` and ``total_spent``, both of orders that were not cancelled."""
        orders = (
            Order.objects.filter(customer=OuterRef("pk"))
            .exclude(status=OrderStatus.CANCELLED)
            .order_by()
            .values("customer")
        )
        count = orders.annotate(count=Count("pk")).values("count")
        spent = orders.annotate(spent=Sum("total")).values("spent")
        return self.annotate(
            orders_count=Coalesce(Subquery(count), 0), total_spent=Coalesce(Subquery(spent), 0)
        )


class Customer(Address, StoreObject):
    resource = Resource.CUSTOMERS

    name = models.CharField(max_length=150)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    search_text = FoldedField(sources=("name", "email", "phone", "postcode"))
    name_key = SortKeyField(sources=("name",), max_length=100)
    email_key = FoldedField(sources=("email",), max_length=320)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        default_related_name = "customers"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="customer_newest_in_store"),
            models.Index(fields=("store", "updated_at", "id"), name="customer_updated_in_store"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("store", "email_key"),
                condition=~Q(email_key=""),  # which the release before leaves empty
                name="customer_email_is_unique_in_store",
                violation_error_code="unique:email",
                violation_error_message="Another customer has this e-mail address.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class OrderStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    PROCESSING = "processing", "Processing"
    SHIPPED = "shipped", "Shipped"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class PaymentStatus(models.TextChoices):
    UNPAID = "unpaid", "Unpaid"
    PAID = "paid", "Paid"
    REFUNDED = "refunded", "Refunded"


class Order(Address, StoreObject):
    resource = Resource.ORDERS

    NEXT_STATUSES = {
        OrderStatus.PENDING: (OrderStatus.PROCESSING, OrderStatus.CANCELLED),
        OrderStatus.PROCESSING: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
        OrderStatus.SHIPPED: (OrderStatus.COMPLETED,),
        OrderStatus.COMPLETED: (),
        OrderStatus.CANCELLED: (),
    }

    number = models.PositiveIntegerField()
    # Restricted, not protected: a store goes with its customers and their orders.
    customer = models.ForeignKey(Customer, on_delete=models.RESTRICT, related_name="orders")
    status = models.CharField(max_length=10, choices=OrderStatus.choices, default=OrderStatus.PENDING)
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
    search_text = FoldedField(sources=("reference", "recipient", "postcode", "tracking_number", "note"))

    objects = StoreObjectQuerySet["Order"].as_manager()

    class Meta:
        default_related_name = "orders"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="order_newest_in_store"),
            models.Index(fields=("store", "status", "-created_at", "-id"), name="order_status_in_store"),
            models.Index(fields=("customer", "-created_at"), name="order_newest_of_customer"),
            models.Index(fields=("store", "updated_at", "id"), name="order_updated_in_store"),
        )
        constraints = (
            models.UniqueConstraint(fields=("store", "number"), name="order_number_is_unique_in_store"),
            is_known("status", OrderStatus, name="order_status_is_known"),
            is_known("payment_status", PaymentStatus, name="order_payment_status_is_known"),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("shipping") + F("tax") - F("discount")),
                name="order_total_adds_up",
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """The number as people write it, such as ``#1590``."""
        return f"#{self.number}"

    def validate_next_status(self, status: str) -> None:
        """Raise ValidationError unless the order has this status already or may get it next."""
        next_statuses = self.NEXT_STATUSES[OrderStatus(self.status)]
        if status != self.status and status not in next_statuses:
            allowed = " or ".join(next_statuses) or "nothing else"
            raise ValidationError(f"An order that is {self.status} can become {allowed}.")


class OrderLine(StoreScopedChild):
    """A product as it was bought: it may be renamed or deleted since."""

    parent_field = "order"

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


class CouponQuerySet(StoreObjectQuerySet["Coupon"]):
    def with_active(self) -> Self:
        """Annotate ``active``: whether a buyer could use the coupon now."""
        now = timezone.now()
        return self.annotate(
            active=ExpressionWrapper(
                Q(starts_at__lte=now)
                & (Q(ends_at=None) | Q(ends_at__gt=now))
                & (Q(usage_limit=None) | Q(usage_limit__gt=F("times_used"))),
                output_field=models.BooleanField(),
            )
        )


class CouponKind(models.TextChoices):
    PERCENT = "percent", "Percent off"
    FIXED = "fixed", "Amount off"
    FREE_SHIPPING = "free_shipping", "Free shipping"


class Coupon(StoreObject):
    resource = Resource.COUPONS

    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=15, choices=CouponKind.choices)
    value = models.PositiveBigIntegerField(
        default=0, help_text="Percent, or an amount in the smallest unit of the currency."
    )
    minimum = models.PositiveBigIntegerField(default=0, help_text="The least subtotal it takes.")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    usage_limit = models.PositiveIntegerField(null=True, blank=True)
    times_used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    code_key = FoldedField(sources=("code",), max_length=320)

    objects = CouponQuerySet.as_manager()

    class Meta:
        default_related_name = "coupons"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("store", "-created_at", "-id"), name="coupon_newest_in_store"),
            models.Index(fields=("store", "updated_at", "id"), name="coupon_updated_in_store"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("store", "code_key"),
                condition=~Q(code_key=""),  # which the release before leaves empty
                name="coupon_code_is_unique_in_store",
                violation_error_code="unique:code",
                violation_error_message="Another coupon has this code.",
            ),
            is_known("kind", CouponKind, name="coupon_kind_is_known", violation_error_code="kind"),
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
