"""What operators see of keys and usage. Owners issue keys; here they are looked at and switched off."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from apikeys import keys
from apikeys.models import ApiKey, ApiKeyUsage, StaleKey, StoreUsage, audit
from apikeys.models.outcomes import Status
from apikeys.models.querysets import ApiKeyQuerySet
from apikeys.models.suspension import Suspension
from apikeys.usage import charts, reports
from stores.resources import SCOPES

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST_AT_ONCE = 500


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
        ("deactivated_at", "reactivates_at", "suspended_at"),
        ("predecessor", "superseded_at"),
        "allowed_addresses",
        "rate_limit",
        "last_used",
    )
    # All but the one thing that operators set.
    readonly_fields = (
        *("prefix", "name", "store", "status", "reaches", "created_by", "created_at", "expires_at"),
        *("deactivated_at", "reactivates_at", "suspended_at", "predecessor", "superseded_at"),
        *("allowed_addresses", "last_used"),
    )

    def get_urls(self) -> list[URLPattern]:
        find = sensitive_post_parameters()(self.admin_site.admin_view(self.find_leaked))
        end = self.admin_site.admin_view(self.end_leaked)
        return [
            path("leak/", find, name="apikeys_apikey_leak"),
            path("leak/deactivate/", end, name="apikeys_apikey_leak_deactivate"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("apikeys.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """The limit alone: the rest of the row may have changed while the form was open."""
        obj.limit(by=operator_of(request), rate_limit=obj.rate_limit)

    def log_change(self, request: HttpRequest, obj: ApiKey, message: Any) -> None:  # type: ignore[override]
        """The key's verbs have written it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.with_status()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django lets an address ask for any column; a digest is not to be guessed, letter by letter."""
        return not lookup.startswith("digest") and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        return super().get_search_results(request, queryset, keys.prefix_of(search_term) or search_term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what the key did, and what was done to it."""
        key = self.get_object(request, object_id)
        if key:
            period = reports.of_keys([key])[key.pk]
            extra_context = {
                "period": period,
                "chart": charts.stacked_bars(period),
                "lines": audit.of(key),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)

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
        usable = [key for key in queryset if key.is_deactivatable]
        for key in usable:
            key.deactivate(by=operator_of(request))
        messages.success(request, f"Deactivated: {len(usable)}.")

    @admin.action(description="Reactivate selected keys", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        inactive = [key for key in queryset if key.is_deactivated(timezone.now())]
        suspended = 0
        for key in inactive:
            try:
                key.reactivate(by=operator_of(request))
            except StaleKey:
                suspended += 1
        messages.success(request, f"Reactivated: {len(inactive) - suspended}.")
        if suspended:
            messages.warning(request, f"Left suspended, as all keys of their store are: {suspended}.")

    # A leak. What is pasted is looked through and let go: it goes into no address, no table, no log and no
    # page, not even the one that answers.

    @method_decorator(sensitive_variables())
    def find_leaked(self, request: HttpRequest) -> HttpResponse:
        """The keys in what was pasted."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Find leaked keys",
            "opts": self.opts,
            "has_change_permission": self.has_change_permission(request),
        }
        if request.method == "POST":
            known = ApiKey.objects.with_status().select_related("store", "last_use")
            context["found"] = known.in_leak(request.POST.get("leak", ""))
        return TemplateResponse(request, "admin/apikeys/apikey/leak.html", context)

    @method_decorator(require_POST)
    def end_leaked(self, request: HttpRequest) -> HttpResponse:
        """Those that the operator ticked are deactivated, and their owners told."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        known = ApiKey.objects.filter(prefix__in=request.POST.getlist("prefix")[:MOST_AT_ONCE])
        ended = [key for key in known if key.report_leaked(by=operator_of(request))]
        if ended:
            names = ", ".join(map(str, ended))
            messages.success(request, f"Deactivated, and their owners told: {names}.")
        else:
            messages.warning(request, "Nothing was done: no key was ticked that was not deactivated already.")
        return redirect("admin:apikeys_apikey_leak")


def operator_of(request: HttpRequest) -> "User":
    """Whoever has signed in to the admin."""
    operator: User = request.user  # type: ignore[assignment]
    return operator


@admin.register(Suspension)
class SuspensionAdmin(ReadOnlyAdmin):
    """The stores whose keys are suspended: it begins and ends on a store's own page."""

    list_display = ("store", "reason", "by", "at")
    list_select_related = ("store", "by")
    search_fields = ("=store__id", "store__name", "reason")
    ordering = ("-at",)
    show_full_result_count = False


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
