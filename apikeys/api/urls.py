"""The API's routes about keys. Each answers with a slash at the end and without."""

from django.urls import re_path

from apikeys.api.key_management import ApiKeyViewSet
from apikeys.api.token import TokenView
from apikeys.api.views import ApiKeyView, OwnRequestView, RenewKeyView, RevokeKeysView
from stores.routers import Router

router = Router()
router.register("stores/(?P<store_id>[1-9][0-9]{8})/api-keys", ApiKeyViewSet, basename="api-key-of-store")

urlpatterns = [
    re_path("^api-key/?$", ApiKeyView.as_view(), name="api-key"),
    re_path("^api-key/roll/?$", RenewKeyView.as_view(), name="api-key-roll"),
    re_path("^api-key/requests/(?P<request_id>[^/]{1,64})/?$", OwnRequestView.as_view(), name="own-request"),
    re_path("^api-keys/revoke/?$", RevokeKeysView.as_view(), name="api-keys-revoke"),
    re_path("^token/?$", TokenView.as_view(), name="token"),
    *router.urls,
]
