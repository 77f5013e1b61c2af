"""Customers: who buys."""

from typing import Any

import django_filters
from rest_framework import mixins, serializers

from stores.api.base import Changes, OfStoreSerializer, StrictSerializer, address_out, money, timestamp
from stores.api.filters import SearchFilter, SortFilter
from stores.api.shapes import AddressShape, BuyerShape, amount, constant, count, moment, operations, written
from stores.models import Customer
from stores.resources import Resource


class CustomerFilters(django_filters.FilterSet):
    search = SearchFilter(
        "name",
        "email",
        "phone",
        help_text="Only customers with this text in their name, e-mail address or phone number.",
    )
    order = SortFilter(keys={"date": "created_at", "name": "name"})

    class Meta:
        model = Customer
        fields = ()


class CustomerShape(BuyerShape):
    object = constant("customer")
    address = AddressShape(help_text="Where the customer lives.")
    orders_count = count("How many orders, not counting cancelled ones.")
    total_spent = amount("What those orders come to.")
    total_spent_formatted = written("total_spent")
    created_at = moment("When the customer was added.")


class AddressSerializer(StrictSerializer, serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields = ("address", "city", "postcode", "state", "country")


class CustomerSerializer(OfStoreSerializer[Customer]):
    address = AddressSerializer(source="*", required=False)

    class Meta:
        model = Customer
        fields = ("name", "email", "phone", "address")

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """A customer from a QuerySet with ``with_parts()``."""
        return {
            "object": "customer",
            "id": str(instance.pk),
            "name": instance.name,
            "email": instance.email,
            "phone": instance.phone,
            "address": address_out(instance),
            "orders_count": instance.orders_count,
            **money(("total_spent",), instance, self.store.currency),
            "created_at": timestamp(instance.created_at),
        }


@operations(CustomerShape, "a customer", "customers")
class CustomerViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Changes):
    resource = Resource.CUSTOMERS
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilters
