"""The shops in the admin, where operators correct what owners and their programs keep."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db import models
from django.forms import BaseInlineFormSet
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

if TYPE_CHECKING:
    ModelAdminBase = admin.options.BaseModelAdmin[Any]
else:
    ModelAdminBase = object

ID = re.compile(r"[0-9]{1,18}")

# A list of all stores to choose from would be longer than the page.
STORE = ("=store__id", "store__name")


class IdAutocompleteSelect(AutocompleteSelect):
    """Leaves out sent values that are no ids: Django looks them up in the database, which fails."""

    def optgroups(self, name: str, value: Sequence[Any], attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if ID.fullmatch(str(each))], attr)


class IdAutocompleteSelectMultiple(IdAutocompleteSelect, AutocompleteSelectMultiple):
    pass


class AutocompleteMixin(ModelAdminBase):
    """Shows a form again with its ``autocomplete_fields``, whatever was sent in them."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = IdAutocompleteSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = IdAutocompleteSelectMultiple(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class StoreScopedAdmin(AutocompleteMixin, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows of a store, which never move to another."""

    autocomplete_fields: ClassVar[tuple[str, ...]] = ("store",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "store") if obj else tuple(self.readonly_fields)


class StoreAdmin(AutocompleteMixin, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Registered by ``reflow.admin``, which adds the store's keys."""

    list_display: tuple[str, ...] = ("id", "name", "currency", "created_at")
    list_display_links = ("id", "name")
    search_fields = ("=id", "name", "owners__email")
    search_help_text = "A store's number, its name, or an owner's e-mail address."
    autocomplete_fields = ("owners",)
    fields = ("id", "name", "currency", "owners", "created_at")
    readonly_fields = ("id", "created_at")


@admin.register(Category)
class CategoryAdmin(StoreScopedAdmin):
    list_display = ("name", "handle", "parent", "store", "position")
    list_select_related = ("parent", "store")
    search_fields = ("name", "handle", *STORE)
    autocomplete_fields = ("store", "parent")
    fields = ("store", "parent", "name", "handle", "description", "position")


class MediaField(forms.JSONField):
    """Refuses a number of too many digits, on which Django's own field fails."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(self.error_messages["invalid"], params={"value": "This"}) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what was typed, to show it in the form again."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return data


class VariantInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = ProductVariant
    fields = ("name", "sku", "price", "original_price", "quantity", "position")
    extra = 0


class ProductCategoryFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    @classmethod
    def get_default_prefix(cls) -> str:
        """Return a name of its own: that of the relation is empty, and the page's script needs one."""
        return "places"


class ProductCategoryInline(AutocompleteMixin, admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = ProductCategory
    formset = ProductCategoryFormSet
    verbose_name_plural = "categories"
    autocomplete_fields = ("category",)
    extra = 0


@admin.register(Product)
class ProductAdmin(StoreScopedAdmin):
    inlines = (ProductCategoryInline, VariantInline)
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.JSONField: {"form_class": MediaField}}
    list_display = ("name", "sku", "store", "price_text", "inventory_type", "livemode", "created_at")
    list_filter = ("inventory_type", "livemode")
    list_select_related = ("store",)
    search_fields = ("name", "handle", "sku", *STORE)
    ordering = ("-id",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("store", ("name", "handle", "sku"), "excerpt", "description")}),
        ("Price", {"fields": (("price", "original_price"), "promo_badge")}),
        (
            "Stock",
            {
                "fields": (
                    "option_name",
                    ("inventory_type", "quantity"),
                    ("min_quantity", "max_quantity"),
                    "personalization",
                )
            },
        ),
        ("Page", {"fields": ("media", ("livemode", "position"), ("created_at", "updated_at"))}),
    )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        for part in formset.forms:
            part.instance.store_id = form.instance.store_id
        super().save_formset(request, form, formset, change)

    @admin.display(description="Price", ordering="price")
    def price_text(self, product: Product) -> str:
        return format_amount(product.price, product.store.currency)


@admin.register(Customer)
class CustomerAdmin(StoreScopedAdmin):
    list_display = ("name", "email", "phone", "city", "country", "store", "created_at")
    list_select_related = ("store",)
    search_fields = ("name", "email", "phone", *STORE)
    ordering = ("-id",)
    readonly_fields = ("created_at",)
    fields = (
        "store",
        ("name", "email", "phone"),
        "address",
        ("postcode", "city"),
        ("state", "country"),
        "created_at",
    )


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    def clean_status(self) -> str:
        status: str = self.cleaned_data["status"]
        self.instance.validate_next_status(status)
        return status


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """The lines of an order, read-only."""

    model = OrderLine
    fields = readonly_fields = ("name", "sku", "quantity", "unit_price", "total")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
    autocomplete_fields = ()
    amounts = ("subtotal", "shipping", "discount", "tax", "total")
    readonly_fields = ("number", "customer", *amounts, "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("store", "number"), "customer", ("status", "payment_status"), "note")}),
        (
            "Parcel",
            {
                "fields": (
                    "recipient",
                    "address",
                    ("postcode", "city"),
                    ("state", "country"),
                    "tracking_number",
                )
            },
        ),
        ("Amounts", {"fields": (amounts, ("created_at", "updated_at"))}),
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
    list_select_related = ("store",)
    search_fields = ("code", *STORE)
    readonly_fields = ("created_at",)
    fields = (
        ("store", "code"),
        ("kind", "value", "minimum"),
        ("starts_at", "ends_at"),
        ("usage_limit", "times_used"),
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.with_active()

    @admin.display(description="Active", boolean=True)
    def active(self, coupon: Any) -> bool:
        """Say what ``with_active()`` found out."""
        return bool(coupon.active)
