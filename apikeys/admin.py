"""What operators see of keys and usage. Owners issue keys; here they are looked at and switched off."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apikeys import keys
from apikeys.models import ApiKey, ApiKeyUsage, StoreUsage
from apikeys.outcomes import Status
from apikeys.querysets import ApiKeyQuerySet
from stores.resources import SCOPES

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, str(status.label)) for status in Status]

    def queryset(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> ApiKeyQuerySet:  # type: ignore[override]
        return queryset.in_status(status) if (status := self.value()) else queryset


class AccessFilter(admin.SimpleListFilter):
    title = "access"
    parameter_name = "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(scope, scope) for scope in SCOPES]

    def queryset(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> ApiKeyQuerySet:  # type: ignore[override]
        scope = self.value()
        return queryset.granting(scope) if scope else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "name", "store", "status", "reaches", "created_at", "expires_at", "last_used")
    list_display_links = ("prefix", "name")
    list_filter = (StatusFilter, AccessFilter, ("store", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("store", "last_use")
    search_fields = ("prefix", "name", "store__name")
    search_help_text = "A prefix, a name or a store. No whole key, please: addresses are logged."
    ordering = ("-created_at",)
    actions = ("deactivate", "reactivate")
    fields = (
        ("prefix", "name", "store"),
        ("status", "reaches"),
        ("created_by", "created_at", "expires_at"),
        ("deactivated_at", "reactivates_at"),
        ("predecessor", "superseded_at"),
        "allowed_addresses",
        "rate_limit",
        "last_used",
    )
    # All but the one thing that operators set.
    readonly_fields = (
        *("prefix", "name", "store", "status", "reaches", "created_by", "created_at", "expires_at"),
        *(
            "deactivated_at",
            "reactivates_at",
            "predecessor",
            "superseded_at",
            "allowed_addresses",
            "last_used",
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("apikeys.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """Write the limit alone: the rest of the row may have changed while the form was open."""
        obj.save(update_fields=["rate_limit"])

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.with_status()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        return super().get_search_results(request, queryset, keys.prefix_of(search_term) or search_term)

    @admin.display(description="Status")
    def status(self, key: ApiKey) -> str:
        return key.get_status_display()

    @admin.display(description="Access")
    def reaches(self, key: ApiKey) -> str:
        return ", ".join(key.access)

    @admin.display(description="Last used", ordering="last_use__at")
    def last_used(self, key: ApiKey) -> str:
        use = getattr(key, "last_use", None)
        return f"{use.at:%Y-%m-%d %H:%M} ({use})" if use else "Never"

    @admin.action(description="Deactivate selected keys", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        operator: User = request.user  # type: ignore[assignment]
        usable = [key for key in queryset if key.is_deactivatable]
        for key in usable:
            key.deactivate(by=operator)
        messages.success(request, f"Deactivated: {len(usable)}.")

    @admin.action(description="Reactivate selected keys", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        operator: User = request.user  # type: ignore[assignment]
        inactive = [key for key in queryset if key.is_reactivatable]
        for key in inactive:
            key.reactivate(by=operator)
        messages.success(request, f"Reactivated: {len(inactive)}.")


@admin.register(ApiKeyUsage)
class ApiKeyUsageAdmin(ReadOnlyAdmin):
    list_display = ("date", "key", "resource", "access", "outcome", "requests", "last_at")
    list_filter = ("outcome", "resource", "access")
    list_select_related = ("key",)
    search_fields = ("key__prefix", "key__name")
    date_hierarchy = "date"
    ordering = ("-date", "-requests")
    show_full_result_count = False


@admin.register(StoreUsage)
class StoreUsageAdmin(ReadOnlyAdmin):
    list_display = ("date", "store", "outcome", "requests")
    list_filter = ("outcome", ("store", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("store",)
    date_hierarchy = "date"
    ordering = ("-date",)
