"""Orders: what was bought. They are placed by buyers and only sent on their way here."""

from collections.abc import Sequence
from typing import Annotated, Literal

from stores import models
from stores.api.base import ObjectViewSet
from stores.api.filters import (
    EnumsFilter,
    IdFilter,
    ListFilters,
    NumberFilter,
    SortFilter,
    TextFilter,
    UtcDateTimeFilter,
)
from stores.api.outputs import (
    Address,
    Columns,
    Currency,
    Output,
    Row,
    Rows,
    Time,
    address_of,
    always,
    amount,
    count,
    formatted,
    id_of,
    text,
    time,
)
from stores.api.serializers import EnumField, StoreScopedSerializer
from stores.resources import Resource


class Buyer(Output):
    id: Annotated[str, id_of("customer")]
    name: Annotated[str, text("What the customer is called.", 150)]
    email: Annotated[str, text("E-mail address.", 254)]
    phone: Annotated[str, text("Phone number as the customer wrote it; may be empty.", 40)]


class ShippingAddress(Address, kw_only=True):
    name: Annotated[str, text("Whom the parcel goes to.", 150)]


class OrderLine(Output, kw_only=True):
    product_id: Annotated[str | None, id_of("product; null where it was deleted since")]
    variant_id: Annotated[str | None, id_of("variant; null without one, or where it was deleted since")]
    name: Annotated[str, text("What was bought, as it was called then.", 300)]
    sku: Annotated[str, text("The owner's own article number then; may be empty.", 64)]
    quantity: Annotated[int, count("How many pieces.")]
    unit_price: Annotated[int, amount("What one piece cost.")]
    total: Annotated[int, amount("What all of them cost.")]


class Order(Output, kw_only=True):
    object: Annotated[Literal["order"], always("order")]
    id: Annotated[str, id_of("order")]
    number: Annotated[int, count("The number that people know it by: counts up in each store.")]
    status: Annotated[
        models.OrderStatus,
        text(
            "How far it has come. `pending` becomes `processing`, then `shipped`, then `completed`; "
            "the first two may become `cancelled`."
        ),
    ]
    payment_status: Annotated[models.PaymentStatus, text("Whether it has been paid for, or paid back.")]
    currency: Annotated[Currency, text("What its amounts are in.")]
    subtotal: Annotated[int, amount("All lines together.")]
    subtotal_formatted: Annotated[str, formatted("subtotal")]
    shipping: Annotated[int, amount("What the delivery costs.")]
    shipping_formatted: Annotated[str, formatted("shipping")]
    discount: Annotated[int, amount("What is taken off.")]
    discount_formatted: Annotated[str, formatted("discount")]
    tax: Annotated[int, amount("What is added for tax.")]
    tax_formatted: Annotated[str, formatted("tax")]
    total: Annotated[int, amount("What is to be paid: subtotal, shipping and tax, less the discount.")]
    total_formatted: Annotated[str, formatted("total")]
    customer: Annotated[Buyer, text("Who ordered.")]
    shipping_address: Annotated[ShippingAddress, text("Where it goes.")]
    line_items: Annotated[list[OrderLine], text("What was bought.")]
    tracking_number: Annotated[str, text("The carrier's number of the parcel; may be empty.", 100)]
    note: Annotated[str, text("A note for the people who handle the order; may be empty.", 2000)]
    created_at: Annotated[Time, time("When it was placed.")]
    updated_at: Annotated[Time, time("When it was last changed.")]


COLUMNS = Columns(models.Order, Order)
LINE_COLUMNS = Columns(models.OrderLine, OrderLine)
ORDERS = Rows(
    models.Order,
    "id",
    [*COLUMNS.names, "recipient", *Address.__struct_fields__],
    joined={"customer": ("name", "email", "phone")},
)
LINES = Rows(models.OrderLine, "order_id", LINE_COLUMNS.names)


class OrderSerializer(StoreScopedSerializer[models.Order]):
    status = EnumField(models.OrderStatus, required=False)

    class Meta:
        model = models.Order
        fields = ("status", "tracking_number", "note")

    def validate_status(self, status: str) -> str:
        order: models.Order = self.instance  # type: ignore[assignment]  # orders are never made here
        order.validate_next_status(status)
        return status


class OrderFilters(ListFilters):
    number = NumberFilter("number", help_text="Only the order with this number.")
    status = EnumsFilter(models.OrderStatus, help_text="Only orders with one of these statuses.")
    payment_status = EnumsFilter(
        models.PaymentStatus, help_text="Only orders with one of these payment statuses."
    )
    customer = IdFilter("customer_id", help_text="Only orders of the customer with this id.")
    email = TextFilter(
        "customer__email_key", help_text="Only orders of the customer with this e-mail address, in any case."
    )
    created_after = UtcDateTimeFilter(
        "created_at", "gte", help_text="Only orders placed at this time or later."
    )
    created_before = UtcDateTimeFilter("created_at", "lt", help_text="Only orders placed before this time.")
    total_min = NumberFilter(
        "total", "gte", help_text="Only orders of this total or more, in the currency's smallest unit."
    )
    total_max = NumberFilter(
        "total", "lte", help_text="Only orders of this total or less, in the currency's smallest unit."
    )
    search = TextFilter(
        "search_text",
        "customer__search_text",
        lookup_expr="contains",
        help_text="Only orders with this text in their number (`#1590`), tracking number, note, recipient or "
        "postcode, or in the customer's name, e-mail, phone number or postcode.",
    )
    order = SortFilter(date="created_at", number="number", total="total")


class OrderViewSet(ObjectViewSet):
    resource = Resource.ORDERS
    output = Order
    queryset = models.Order.objects.all()
    serializer_class = OrderSerializer
    filterset_class = OrderFilters

    def represent(self, ids: Sequence[int]) -> Sequence[Order]:
        lines = LINES.read_groups(ids)
        return [represent_order(row, lines[row["id"]], self.store.currency) for row in ORDERS.read(ids)]


def represent_order(row: Row, lines: list[Row], currency: str) -> Order:
    return COLUMNS.fill(
        row,
        currency,
        customer=Buyer(
            str(row["customer"]), row["customer__name"], row["customer__email"], row["customer__phone"]
        ),
        shipping_address=ShippingAddress(name=row["recipient"], **address_of(row)),
        line_items=[LINE_COLUMNS.fill(line, currency) for line in lines],
    )
