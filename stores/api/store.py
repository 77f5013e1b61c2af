"""The store's public profile."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.base import OfStoreViewSet
from stores.api.shapes import CurrencyShape, Shape, constant, id_of, operations, text
from stores.models import Store
from stores.money import currency_info


class StoreShape(Shape):
    object = constant("store")
    id = id_of("store")
    name = text("What the store is called.")
    currency = CurrencyShape(help_text="What all its amounts are in.")


class StoreSerializer(serializers.ModelSerializer[Store]):
    class Meta:
        model = Store
        fields = ("id", "name")

    def to_representation(self, instance: Store) -> dict[str, Any]:
        return {
            "object": "store",
            "id": str(instance.pk),
            "name": instance.name,
            "currency": currency_info(instance.currency),
        }


@operations(StoreShape, "the store's public profile", "stores")
class StoreViewSet(OfStoreViewSet):
    """The store's public profile."""

    resource = None
    serializer_class = StoreSerializer

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(self.get_serializer(self.store).data)
