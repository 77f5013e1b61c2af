"""Serve each view open to all and behind the package's key: ``/api-key/stores/267418190/orders/``."""

from typing import Any

from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework_api_key.permissions import HasAPIKey

from tests.benchmarks.peers.views import Nothing, Orders, Products

# The package's documentation says to put HasAPIKey on a view.
DOORS: dict[str, list[Any]] = {"none": [AllowAny], "api-key": [HasAPIKey]}
VIEWS: dict[str, Any] = {"nothing": Nothing, "orders": Orders, "products": Products}


urlpatterns = [
    path(
        f"{door}/stores/<int:store_id>/{name}/",
        view.as_view(authentication_classes=[], permission_classes=permissions),
    )
    for door, permissions in DOORS.items()
    for name, view in VIEWS.items()
]
