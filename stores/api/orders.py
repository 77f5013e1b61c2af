"""Orders: what was bought. They are placed by buyers and only sent on their way here."""

import django_filters

from stores.api.base import JsonObject, ListMixin, RetrieveMixin, Row, UpdateMixin
from stores.api.filters import EnumFilter, IdFilter, SearchFilter, SortFilter, UtcDateTimeFilter
from stores.api.represent import format_time, group_by, represent_address, represent_money
from stores.api.schema import describe_operations
from stores.api.serializers import EnumField, StoreScopedSerializer
from stores.api.shapes import (
    AddressShape,
    BuyerShape,
    CurrencyShape,
    Shape,
    amount_field,
    constant_field,
    count_field,
    formatted_field,
    id_field,
    text_field,
    time_field,
)
from stores.models import Order, OrderLine
from stores.money import get_currency
from stores.resources import Resource

AMOUNTS = ("subtotal", "shipping", "discount", "tax", "total")
# Sorted once they are read: for the few of a page that is cheaper than in the query.
LINE_ROWS = OrderLine.objects.order_by().values(
    "id", "order_id", "product_id", "variant_id", "name", "sku", "quantity", "unit_price", "total"
)


class OrderStatusField(EnumField):
    enum = Order.Status


class PaymentStatusField(EnumField):
    enum = Order.PaymentStatus


class OrderFilters(django_filters.FilterSet):
    status = EnumFilter(OrderStatusField, help_text="Only orders with this status.")
    payment_status = EnumFilter(PaymentStatusField, help_text="Only orders with this payment status.")
    customer = IdFilter(field_name="customer_id", help_text="Only orders of the customer with this id.")
    created_after = UtcDateTimeFilter(
        field_name="created_at", lookup_expr="gte", help_text="Only orders placed at this time or later."
    )
    created_before = UtcDateTimeFilter(
        field_name="created_at", lookup_expr="lt", help_text="Only orders placed before this time."
    )
    search = SearchFilter(
        "customer__name",
        "customer__email",
        "number",
        "note",
        help_text="Only orders with this text in their number, note, or the customer's name or e-mail.",
    )
    order = SortFilter(columns={"date": "created_at", "number": "number", "total": "total"})

    class Meta:
        model = Order
        fields = ()


class ShippingAddressShape(AddressShape):
    name = text_field("Whom the parcel goes to.")


class OrderLineShape(Shape):
    product_id = id_field("product; null where it was deleted since", allow_null=True)
    variant_id = id_field("variant; null without one, or where it was deleted since", allow_null=True)
    name = text_field("What was bought, as it was called then.")
    sku = text_field("The owner's own article number then; may be empty.")
    quantity = count_field("How many pieces.")
    unit_price = amount_field("What one piece cost.")
    total = amount_field("What all of them cost.")


class OrderShape(Shape):
    object = constant_field("order")
    id = id_field("order")
    number = count_field("The number that people know it by: counts up in each store.")
    status = OrderStatusField(
        help_text="How far it has come. `pending` becomes `processing`, then `shipped`, then `completed`; "
        "the first two may become `cancelled`.",
    )
    payment_status = PaymentStatusField(help_text="Whether it has been paid for, or paid back.")
    currency = CurrencyShape(help_text="What its amounts are in.")
    subtotal = amount_field("All lines together.")
    subtotal_formatted = formatted_field("subtotal")
    shipping = amount_field("What the delivery costs.")
    shipping_formatted = formatted_field("shipping")
    discount = amount_field("What is taken off.")
    discount_formatted = formatted_field("discount")
    tax = amount_field("What is added for tax.")
    tax_formatted = formatted_field("tax")
    total = amount_field("What is to be paid: subtotal, shipping and tax, less the discount.")
    total_formatted = formatted_field("total")
    customer = BuyerShape(help_text="Who ordered.")
    shipping_address = ShippingAddressShape(help_text="Where it goes.")
    line_items = OrderLineShape(many=True, help_text="What was bought.")
    tracking_number = text_field("The carrier's number of the parcel; may be empty.")
    note = text_field("A note for the people who handle the order; may be empty.")
    created_at = time_field("When it was placed.")
    updated_at = time_field("When it was last changed.")


class OrderSerializer(StoreScopedSerializer[Order]):
    status = OrderStatusField(required=False)

    class Meta:
        model = Order
        fields = ("status", "tracking_number", "note")

    def validate_status(self, status: str) -> str:
        order: Order = self.instance  # type: ignore[assignment]  # orders are never made here
        order.validate_next_status(status)
        return status


def represent_order(row: Row, lines: list[Row], currency: str) -> JsonObject:
    return {
        "object": "order",
        "id": str(row["id"]),
        "number": row["number"],
        "status": row["status"],
        "payment_status": row["payment_status"],
        "currency": get_currency(currency),
        **represent_money(row, AMOUNTS, currency),
        "customer": {
            "id": str(row["customer_id"]),
            "name": row["customer__name"],
            "email": row["customer__email"],
            "phone": row["customer__phone"],
        },
        "shipping_address": {"name": row["recipient"], **represent_address(row)},
        "line_items": [represent_line(line) for line in lines],
        "tracking_number": row["tracking_number"],
        "note": row["note"],
        "created_at": format_time(row["created_at"]),
        "updated_at": format_time(row["updated_at"]),
    }


def represent_line(row: Row) -> JsonObject:
    return {
        "product_id": row["product_id"] and str(row["product_id"]),
        "variant_id": row["variant_id"] and str(row["variant_id"]),
        "name": row["name"],
        "sku": row["sku"],
        "quantity": row["quantity"],
        "unit_price": row["unit_price"],
        "total": row["total"],
    }


@describe_operations(OrderShape, "order", "orders")
class OrderViewSet(ListMixin, RetrieveMixin, UpdateMixin):
    resource = Resource.ORDERS
    queryset = Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilters
    rows = Order.objects.values(
        *("id", "number", "status", "payment_status", *AMOUNTS),
        *("customer_id", "customer__name", "customer__email", "customer__phone"),
        *("recipient", "address", "city", "postcode", "state", "country"),
        *("tracking_number", "note", "created_at", "updated_at"),
    )

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        lines = sorted(LINE_ROWS.filter(order__in=[row["id"] for row in rows]), key=lambda line: line["id"])
        lines_by_order = group_by(lines, "order_id")
        return [represent_order(row, lines_by_order[row["id"]], self.store.currency) for row in rows]
