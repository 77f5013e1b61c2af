"""Customers: who buys."""

import django_filters

from stores.api.base import JsonObject, ListMixin, RetrieveMixin, Row, UpdateMixin
from stores.api.filters import SearchFilter, SortFilter
from stores.api.represent import format_time, represent_address, represent_money
from stores.api.schema import describe_operations
from stores.api.serializers import StoreScopedSerializer, StrictModelSerializer
from stores.api.shapes import (
    AddressShape,
    BuyerShape,
    amount_field,
    constant_field,
    count_field,
    formatted_field,
    time_field,
)
from stores.models import Customer
from stores.resources import Resource


class CustomerFilters(django_filters.FilterSet):
    search = SearchFilter(
        "name",
        "email",
        "phone",
        help_text="Only customers with this text in their name, e-mail address or phone number.",
    )
    order = SortFilter(columns={"date": "created_at", "name": "name"})

    class Meta:
        model = Customer
        fields = ()


class CustomerShape(BuyerShape):
    object = constant_field("customer")
    address = AddressShape(help_text="Where the customer lives.")
    orders_count = count_field("How many orders, not counting cancelled ones.")
    total_spent = amount_field("What those orders come to.")
    total_spent_formatted = formatted_field("total_spent")
    created_at = time_field("When the customer was added.")


class AddressSerializer(StrictModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields = ("address", "city", "postcode", "state", "country")


class CustomerSerializer(StoreScopedSerializer[Customer]):
    address = AddressSerializer(source="*", required=False)

    class Meta:
        model = Customer
        fields = ("name", "email", "phone", "address")


def represent_customer(row: Row, currency: str) -> JsonObject:
    return {
        "object": "customer",
        "id": str(row["id"]),
        "name": row["name"],
        "email": row["email"],
        "phone": row["phone"],
        "address": represent_address(row),
        "orders_count": row["orders_count"],
        **represent_money(row, ("total_spent",), currency),
        "created_at": format_time(row["created_at"]),
    }


@describe_operations(CustomerShape, "customer", "customers")
class CustomerViewSet(ListMixin, RetrieveMixin, UpdateMixin):
    resource = Resource.CUSTOMERS
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilters
    rows = Customer.objects.with_totals().values(
        *("id", "name", "email", "phone", "created_at"),
        *("address", "city", "postcode", "state", "country"),
        *("orders_count", "total_spent"),
    )

    def represent(self, rows: list[Row]) -> list[JsonObject]:
        return [represent_customer(row, self.store.currency) for row in rows]
