"""The store's public profile."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.base import JsonObject, StoreScopedViewSet
from stores.api.schema import describe_operations
from stores.api.shapes import CurrencyShape, Shape, constant_field, id_field, text_field
from stores.models import Store
from stores.money import get_currency


class StoreShape(Shape):
    object = constant_field("store")
    id = id_field("store")
    name = text_field("What the store is called.")
    currency = CurrencyShape(help_text="What all its amounts are in.")


def represent_store(store: Store) -> JsonObject:
    return {
        "object": "store",
        "id": str(store.pk),
        "name": store.name,
        "currency": get_currency(store.currency),
    }


@describe_operations(StoreShape, "store", "stores")
class StoreViewSet(StoreScopedViewSet):
    resource = None

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(represent_store(self.store))
