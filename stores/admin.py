"""The shops in the admin, where operators correct what owners and their programs keep."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest

from stores.models import (
    Category,
    Coupon,
    Customer,
    Order,
    OrderLine,
    Product,
    ProductCategory,
    ProductVariant,
)
from stores.money import format_amount

ID = re.compile(r"[0-9]{1,9}")
# A list of all stores to choose from would be longer than the page.
STORE = ("=store__id", "store__name")


class OwnersSelect(AutocompleteSelectMultiple):
    """Takes what is no id for 0, which nobody has: Django would look it up in the database, which fails."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        sent: list[str] = super().value_from_datadict(data, files, name)
        return [text if ID.fullmatch(text) else "0" for text in sent]


class StoreAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Registered by ``reflow.admin``, which lists the stores with their keys."""

    list_display_links = ("id", "name")
    search_fields = ("=id", "name", "owners__email")
    search_help_text = "A store's number, its name, or an owner's e-mail address."
    fields = ("id", "name", "currency", "owners", "created_at")
    readonly_fields = ("id", "created_at")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        widget = OwnersSelect(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, widget=widget, **kwargs)


class StoreScopedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows of a store, which never move to another."""

    raw_id_fields: ClassVar[tuple[str, ...]] = ("store",)
    list_select_related: ClassVar[tuple[str, ...]] = ("store",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("store", *self.readonly_fields) if obj else self.readonly_fields


@admin.register(Category)
class CategoryAdmin(StoreScopedAdmin):
    list_display = ("name", "handle", "parent", "store", "position")
    list_select_related = ("parent", "store")
    search_fields = ("name", "handle", *STORE)
    raw_id_fields = ("store", "parent")
    readonly_fields = ("updated_at",)


class VariantInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = ProductVariant
    extra = 0


class ProductCategoryFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    @classmethod
    def get_default_prefix(cls) -> str:
        """Return a name of its own: that of the relation is empty, and the page's script needs one."""
        return "places"


class ProductCategoryInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = ProductCategory
    formset = ProductCategoryFormSet
    verbose_name_plural = "categories"
    raw_id_fields = ("category",)
    extra = 0


@admin.register(Product)
class ProductAdmin(StoreScopedAdmin):
    inlines = (ProductCategoryInline, VariantInline)
    list_display = ("name", "sku", "store", "price_text", "inventory_type", "livemode", "created_at")
    list_filter = ("inventory_type", "livemode")
    search_fields = ("name", "handle", "sku", *STORE)
    ordering = ("-id",)
    # Pictures come and go over the API, which says what is wrong with one.
    readonly_fields = ("media", *StoreScopedAdmin.readonly_fields)

    @admin.display(description="Price", ordering="price")
    def price_text(self, product: Product) -> str:
        return format_amount(product.price, product.store.currency)


@admin.register(Customer)
class CustomerAdmin(StoreScopedAdmin):
    list_display = ("name", "email", "phone", "city", "country", "store", "created_at")
    search_fields = ("name", "email", "phone", *STORE)
    ordering = ("-id",)


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    def clean_status(self) -> str:
        status: str = self.cleaned_data["status"]
        self.instance.validate_next_status(status)
        return status


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = OrderLine
    fields = readonly_fields = ("name", "sku", "quantity", "unit_price", "total")
    can_delete = False
    max_num = 0


@admin.register(Order)
class OrderAdmin(StoreScopedAdmin):
    """Orders are placed by buyers; operators change their status."""

    form = OrderForm
    inlines = (OrderLineInline,)
    list_display = ("number", "store", "customer", "status", "payment_status", "total_text", "created_at")
    list_filter = ("status", "payment_status")
    list_select_related = ("store", "customer")
    search_fields = ("=number", "recipient", "customer__name", "customer__email", "tracking_number", *STORE)
    ordering = ("-id",)
    amounts = ("subtotal", "shipping", "discount", "tax", "total")
    readonly_fields = ("number", "customer", *amounts, *StoreScopedAdmin.readonly_fields)
    parcel = ("recipient", "address", "postcode", "city", "state", "country", "tracking_number")
    fields = (
        *("store", "number", "customer", "status", "payment_status", "note"),
        *parcel,
        *amounts,
        *StoreScopedAdmin.readonly_fields,
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="Total", ordering="total")
    def total_text(self, order: Order) -> str:
        return format_amount(order.total, order.store.currency)


@admin.register(Coupon)
class CouponAdmin(StoreScopedAdmin):
    list_display = ("code", "store", "kind", "value", "active", "starts_at", "ends_at", "times_used")
    list_filter = ("kind",)
    search_fields = ("code", *STORE)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.with_active()

    @admin.display(description="Active", boolean=True)
    def active(self, coupon: Any) -> bool:
        """Say what ``with_active()`` found out."""
        return bool(coupon.active)
