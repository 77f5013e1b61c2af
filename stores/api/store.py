"""The store's public profile."""

from typing import Annotated, Any, Literal

from rest_framework.request import Request
from rest_framework.response import Response

from stores import models
from stores.api.base import StoreScopedViewSet
from stores.api.outputs import Columns, Currency, Output, always, id_of, text


class Store(Output, kw_only=True):
    object: Annotated[Literal["store"], always("store")]
    id: Annotated[str, id_of("store")]
    name: Annotated[str, text("What the store is called.", 100)]
    currency: Annotated[Currency, text("What all its amounts are in.")]


COLUMNS = Columns(models.Store, Store)


class StoreViewSet(StoreScopedViewSet):
    resource = None
    output = Store

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return self.respond(COLUMNS.fill(vars(self.store), self.store.currency))
