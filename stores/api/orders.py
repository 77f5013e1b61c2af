"""Orders: what was bought."""

from typing import Any

import django_filters
from rest_framework import mixins, serializers

from stores.api.base import Changes, OfStoreSerializer, address_out, money, timestamp
from stores.api.filters import IdFilter, MomentFilter, SearchFilter, SortFilter
from stores.api.shapes import (
    AddressShape,
    BuyerShape,
    CurrencyShape,
    Shape,
    amount,
    constant,
    count,
    id_of,
    moment,
    operations,
    text,
    written,
)
from stores.models import Order, OrderLine
from stores.money import currency_info
from stores.resources import Resource


class OrderFilters(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(
        choices=Order.Status.choices, help_text="Only orders with this status."
    )
    payment_status = django_filters.ChoiceFilter(
        choices=Order.PaymentStatus.choices, help_text="Only orders with this payment status."
    )
    customer = IdFilter(field_name="customer_id", help_text="Only orders of the customer with this id.")
    created_after = MomentFilter(
        field_name="created_at", lookup_expr="gte", help_text="Only orders placed at this moment or later."
    )
    created_before = MomentFilter(
        field_name="created_at", lookup_expr="lt", help_text="Only orders placed before this moment."
    )
    search = SearchFilter(
        "customer__name",
        "customer__email",
        "number",
        "note",
        help_text="Only orders with this text in their number, note, or the customer's name or e-mail.",
    )
    order = SortFilter(keys={"date": "created_at", "number": "number", "total": "total"})

    class Meta:
        model = Order
        fields = ()


class ShippingAddressShape(AddressShape):
    name = text("Whom the parcel goes to.")


class OrderLineShape(Shape):
    product_id = id_of("product; null where it was deleted since", allow_null=True)
    variant_id = id_of("variant; null without one, or where it was deleted since", allow_null=True)
    name = text("What was bought, as it was called then.")
    sku = text("The owner's own article number then; may be empty.")
    quantity = count("How many pieces.")
    unit_price = amount("What one piece cost.")
    total = amount("What all of them cost.")


class OrderShape(Shape):
    object = constant("order")
    id = id_of("order")
    number = count("The number that people know it by: counts up in each store.")
    status = serializers.ChoiceField(
        Order.Status.choices,
        help_text="How far it has come. `pending` becomes `processing`, then `shipped`, then `completed`; "
        "the first two may become `cancelled`.",
    )
    payment_status = serializers.ChoiceField(
        Order.PaymentStatus.choices, help_text="Whether it has been paid for, or paid back."
    )
    currency = CurrencyShape(help_text="What its amounts are in.")
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
    customer = BuyerShape(help_text="Who ordered.")
    shipping_address = ShippingAddressShape(help_text="Where it goes.")
    line_items = OrderLineShape(many=True, help_text="What was bought.")
    tracking_number = text("The carrier's number of the parcel; may be empty.")
    note = text("A note for the people who handle the order; may be empty.")
    created_at = moment("When it was placed.")
    updated_at = moment("When it was last changed.")


class OrderSerializer(OfStoreSerializer[Order]):
    class Meta:
        model = Order
        fields = ("status", "tracking_number", "note")

    def validate_status(self, status: str) -> str:
        order: Order = self.instance  # type: ignore[assignment]  # orders are changed here, never made
        order.ensure_may_become(status)
        return status

    def to_representation(self, instance: Order) -> dict[str, Any]:
        currency = self.store.currency
        customer = instance.customer
        return {
            "object": "order",
            "id": str(instance.pk),
            "number": instance.number,
            "status": instance.status,
            "payment_status": instance.payment_status,
            "currency": currency_info(currency),
            **money(("subtotal", "shipping", "discount", "tax", "total"), instance, currency),
            "customer": {
                "id": str(customer.pk),
                "name": customer.name,
                "email": customer.email,
                "phone": customer.phone,
            },
            "shipping_address": {"name": instance.recipient, **address_out(instance)},
            "line_items": [line_out(line) for line in instance.line_items],
            "tracking_number": instance.tracking_number,
            "note": instance.note,
            "created_at": timestamp(instance.created_at),
            "updated_at": timestamp(instance.updated_at),
        }


def line_out(line: OrderLine) -> dict[str, Any]:
    return {
        "product_id": line.product_id and str(line.product_id),
        "variant_id": line.variant_id and str(line.variant_id),
        "name": line.name,
        "sku": line.sku,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "total": line.total,
    }


@operations(OrderShape, "an order", "orders")
class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Changes):
    resource = Resource.ORDERS
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilters
