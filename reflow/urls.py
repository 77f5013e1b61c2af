"""The URLs of the whole site."""

from django.contrib import admin
from django.urls import include, path, register_converter
from django.urls.converters import IntConverter
from django.views.generic import RedirectView

from apikeys.settings_page.list_views import home
from reflow import well_known
from reflow.api import docs
from stores.api.urls import published_router


class StoreIdConverter(IntConverter):
    """Matches a store's id: nine digits, the first not a zero."""

    regex = "[1-9][0-9]{8}"


register_converter(StoreIdConverter, "store_id")

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include("reflow.accounts.urls")),
    path("stores/<store_id:store_id>/settings/api-keys/", include("apikeys.settings_page.urls")),
    path("v1/openapi.json", docs.SchemaView.as_view(), name="openapi"),
    path("v1/", include("apikeys.api.urls")),
    path("v1/", include("stores.api.urls")),
    path("v1/projects/", include((published_router.urls, "published"), namespace="published-v1")),
    path("v2/projects/", include((published_router.urls, "published"), namespace="published-v2")),
    path("docs/", docs.reference, name="docs"),
    path("docs/api-keys/", docs.getting_started, name="getting-started"),
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="account_change_password"),
        name="operator-password",
    ),
    path("admin/", admin.site.urls),
    path("robots.txt", well_known.robots, name="robots"),
    path("favicon.ico", well_known.favicon, name="favicon"),
    path(".well-known/security.txt", well_known.security, name="security-txt"),
]

handler400 = "reflow.api.errors.bad_request"
handler403 = "reflow.api.errors.permission_denied"
handler404 = "reflow.api.errors.not_found"
handler500 = "reflow.api.errors.server_error"
