"""Pages of the admin that take more than one of the packages, or none: stores with keys, second factors."""

from typing import Any

# They register what is taken out below.
import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest

from apikeys.admin.stores import KeysOfStoreAdmin
from stores.admin import StoreAdmin
from stores.models import Store

admin.site.site_header = admin.site.site_title = "Reflow"
admin.site.index_title = "Operators"

# A further address would open the account it is added to; an edited secret would be somebody else's.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


@admin.register(Store)
class StoreWithKeysAdmin(KeysOfStoreAdmin, StoreAdmin):
    list_display = ("id", "name", "currency", "keys_stand", "created_at")


@admin.register(Authenticator)
class AuthenticatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """That somebody has one, never its secret.

    Deleted for whoever has lost the phone and the recovery codes, once it is certain who asks.
    """

    list_display = fields = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    ordering = ("user__email", "type")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
