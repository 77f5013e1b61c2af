"""Each view four times, once for each kind of authentication: ``/knox/stores/267418190/orders/``."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, path
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.authentication import TokenAuthentication
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework_api_key.permissions import HasAPIKey

from tests.benchmarks.peers.views import Nothing, Orders, Products

# What each package's documentation says to put on a view.
DOORS: dict[str, tuple[list[Any], list[Any]]] = {
    "none": ([], [AllowAny]),
    "token": ([TokenAuthentication], [IsAuthenticated]),
    "knox": ([KnoxAuthentication], [IsAuthenticated]),
    "api-key": ([], [HasAPIKey]),
}
VIEWS: dict[str, Any] = {"nothing": Nothing, "orders": Orders, "products": Products}


def routes() -> Iterator[URLPattern]:
    for door, (authentication, permission) in DOORS.items():
        for name, view in VIEWS.items():
            guarded = view.as_view(authentication_classes=authentication, permission_classes=permission)
            yield path(f"{door}/stores/<int:store_id>/{name}/", guarded)


urlpatterns = list(routes())
