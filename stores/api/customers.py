"""Customers: who buys."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from rest_framework import serializers

from stores import models
from stores.api.base import ObjectViewSet
from stores.api.filters import ListFilters, SortFilter, TextFilter
from stores.api.outputs import (
    Address,
    Columns,
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
from stores.api.serializers import StoreScopedSerializer, StrictModelSerializer
from stores.money import format_amount
from stores.resources import Resource


class Customer(Output, kw_only=True):
    object: Annotated[Literal["customer"], always("customer")]
    id: Annotated[str, id_of("customer")]
    name: Annotated[str, text("What the customer is called.", 150)]
    email: Annotated[str, text("E-mail address, unique in the store whatever its case.", 254)]
    phone: Annotated[str, text("Phone number as the customer wrote it; may be empty.", 40)]
    address: Annotated[Address, text("Where the customer lives.")]
    orders_count: Annotated[int, count("How many orders, not counting cancelled ones.")]
    total_spent: Annotated[int, amount("What those orders come to.")]
    total_spent_formatted: Annotated[str, formatted("total_spent")]
    created_at: Annotated[Time, time("When the customer was added.")]
    updated_at: Annotated[Time, time("When the customer's own data were last changed.")]


COLUMNS = Columns(models.Customer, Customer)
CUSTOMERS = Rows(models.Customer, "id", [*COLUMNS.names, *Address.__struct_fields__])
TOTALS: Any = models.Customer.objects.with_totals().order_by()


class AddressSerializer(StrictModelSerializer[models.Customer]):
    class Meta:
        model = models.Customer
        fields = Address.__struct_fields__

    def run_validation(self, data: object = serializers.empty) -> object:
        """Let null empty the whole address (RFC 7396)."""
        return super().run_validation(dict.fromkeys(self.fields, "") if data is None else data)


class CustomerSerializer(StoreScopedSerializer[models.Customer]):
    address = AddressSerializer(source="*", required=False, allow_null=True)

    class Meta:
        model = models.Customer
        fields = ("name", "email", "phone", "address")


class CustomerFilters(ListFilters):
    email = TextFilter("email_key", help_text="Only the customer with this e-mail address, in any case.")
    search = TextFilter(
        "search_text",
        lookup_expr="contains",
        help_text="Only customers with this text in their name, e-mail address, phone number or postcode.",
    )
    order = SortFilter(date="created_at", name="name_key")


class CustomerViewSet(ObjectViewSet):
    resource = Resource.CUSTOMERS
    output = Customer
    queryset = models.Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilters

    def represent(self, ids: Sequence[int]) -> Sequence[Customer]:
        found = TOTALS.filter(pk__in=ids).values_list("pk", "orders_count", "total_spent")
        totals = {pk: (count, spent) for pk, count, spent in found}
        rows = CUSTOMERS.read([pk for pk in ids if pk in totals])
        return [represent_customer(row, *totals[row["id"]], self.store.currency) for row in rows]


def represent_customer(row: Row, orders_count: int, total_spent: int, currency: str) -> Customer:
    return COLUMNS.fill(
        row,
        address=Address(**address_of(row)),
        orders_count=orders_count,
        total_spent=total_spent,
        total_spent_formatted=format_amount(total_spent, currency),
    )
