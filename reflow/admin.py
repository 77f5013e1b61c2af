"""The admin, put together: accounts, and the pages of stores with their keys."""

from typing import Any

# They register the models that are removed below.
import allauth.account.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest

import reflow.accounts.admin  # noqa: F401
from apikeys.admin.stores import KeysOfStoreAdmin
from stores.admin import StoreAdmin
from stores.models import Store

# A further address would open the account it is added to, and a session is nobody else's business.
admin.site.unregister([EmailAddress, UserSession])


@admin.register(Store)
class StoreWithKeysAdmin(KeysOfStoreAdmin, StoreAdmin):
    list_display = ("id", "name", "currency", "key_suspension__reason", "created_at")
    list_select_related = ("key_suspension",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Owners reach everything of the store: naming them takes the permission to change accounts."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.has_perm("auth.change_user") else (*fields, "owners")
