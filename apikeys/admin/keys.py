"""The admin's pages of keys and usage. Owners issue keys; here they are looked at and switched off."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.admin.records import ReadOnlyAdmin
from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.models.state import BY_NAME, STATES
from apikeys.usage import charts, reports
from stores.resources import SCOPES


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.name, state.word) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> ApiKeyQuerySet:  # type: ignore[override]
        return queryset.in_state(name) if (name := self.value()) in BY_NAME else queryset


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
    list_per_page = 50
    list_display = (
        "prefix",
        "name",
        "store",
        "status",
        "reaches",
        "created_at",
        "expires_at",
        "last_used",
        "last_tried",
    )
    list_display_links = ("prefix", "name")
    list_filter = (StatusFilter, AccessFilter)
    search_fields = ("prefix", "search_text__contains", "=store__id", "store__name")
    search_help_text = "A prefix, a name, a store or its number. No whole key, please: addresses are logged."
    ordering = ("-created_at",)
    actions = ("deactivate", "reactivate", "report_leaked")
    # All but the one thing that operators set.
    readonly_fields = (
        *list_display,
        "created_by",
        "deactivated_at",
        "reactivates_at",
        "leaked_at",
        "suspended_at",
        "predecessor",
        "superseded_at",
        "allowed_addresses",
    )
    fields = (*readonly_fields, "rate_limit")

    def get_urls(self) -> list[URLPattern]:
        find = sensitive_post_parameters()(self.admin_site.admin_view(self.find_leaked))
        return [path("leak/", find, name="apikeys_apikey_leak"), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("apikeys.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """The limit alone: the rest of the row may have changed while the form was open."""
        lifecycle.set_rate_limit(obj, by=actor_from_request(request), requests_per_minute=obj.rate_limit)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.with_status().select_related("store")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the requests of the key."""
        key = self.get_object(request, object_id)
        if key:
            period = reports.of_keys([key])[key.pk]
            usage = {"period": period, "chart": charts.stacked_bars(period)}
            extra_context = usage | (extra_context or {})
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description="Status")
    def status(self, key: ApiKey) -> str:
        return key.state.word

    @admin.display(description="Access")
    def reaches(self, key: ApiKey) -> str:
        return ", ".join(key.access)

    @admin.display(description="Last used", ordering="last_use__used_at")
    def last_used(self, key: ApiKey) -> str:
        return localize(key.last_used_at or "Never")

    @admin.display(description="Last tried", ordering="last_use__at")
    def last_tried(self, key: ApiKey) -> str:
        return localize(key.last_tried_at or "Never")

    @admin.action(description="Deactivate selected keys", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        self.report(request, queryset, lifecycle.deactivate_keys(queryset, by=actor_from_request(request)))

    @admin.action(description="Reactivate selected keys", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        self.report(request, queryset, lifecycle.reactivate_keys(queryset, by=actor_from_request(request)))

    @admin.action(description="Deactivate selected keys as leaked", permissions=["change"])
    def report_leaked(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> HttpResponse | None:
        """Show them first, as those that are found in a text: a leaked key never works again."""
        if "confirmed" not in request.POST:
            return self.leak_page(request, found=queryset)
        self.report(request, queryset, lifecycle.report_leaked_keys(queryset, by=actor_from_request(request)))
        return None

    def report(self, request: HttpRequest, keys: ApiKeyQuerySet, changed: list[ApiKey]) -> None:
        """Say how many keys were changed, and why others were not."""
        messages.success(request, f"Changed: {len(changed)}.")
        if left := len(set(keys) - set(changed)):
            messages.warning(
                request, f"Left: {left}. They are so already, leaked, suspended or deleted meanwhile."
            )

    # A leak. What is pasted is looked through and let go: it goes into no address, no table, no log and no
    # page, not even the one that answers.

    @method_decorator(sensitive_variables())
    def find_leaked(self, request: HttpRequest) -> HttpResponse:
        """The keys in what was pasted, and a form that takes those of them that are ticked to an action."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.leak_page(request)
        known = ApiKey.objects.with_status().select_related("store")
        return self.leak_page(request, found=known.in_leak(request.POST.get("leak", "")))

    def leak_page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        """The page with the keys that are ``found``, or with the form alone."""
        context |= {
            **self.admin_site.each_context(request),
            "title": "Find leaked keys",
            "has_change_permission": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/apikeys/apikey/leak.html", context)
