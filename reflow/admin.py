"""Pages of the admin that take more than one of the packages: a store with its keys."""

from django.contrib import admin

from apikeys.store_admin import KeysOfStoreAdmin
from stores.admin import StoreAdmin
from stores.models import Store

admin.site.site_header = admin.site.site_title = "Reflow"
admin.site.index_title = "Operators"


@admin.register(Store)
class StoreWithKeysAdmin(KeysOfStoreAdmin, StoreAdmin):
    list_display = ("id", "name", "currency", "keys_stand", "created_at")
