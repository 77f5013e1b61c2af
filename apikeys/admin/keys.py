"""The admin's pages of keys and usage. Owners issue keys; here they are looked at and switched off."""

from typing import Any

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

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.admin.records import ReadOnlyAdmin
from apikeys.models import ApiKey, ApiKeyQuerySet, AuditEntry
from apikeys.models.state import BY_NAME, STATES
from apikeys.usage import charts, reports
from stores.resources import SCOPES

MAX_LEAKED_KEYS = 500


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
    actions = ("deactivate", "reactivate")
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
        lifecycle.set_rate_limit(obj, by=actor_from_request(request), requests_per_minute=obj.rate_limit)

    def log_change(self, request: HttpRequest, obj: ApiKey, message: Any) -> None:  # type: ignore[override]
        """The audit log has it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.with_status().select_related("store")

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
                "entries": AuditEntry.objects.for_key(key),
                **(extra_context or {}),
            }
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description="Status")
    def status(self, key: ApiKey) -> str:
        return key.state.word

    @admin.display(description="Access")
    def reaches(self, key: ApiKey) -> str:
        return ", ".join(key.access)

    @admin.display(description="Last used", ordering="last_use__used_at")
    def last_used(self, key: ApiKey) -> str:
        return f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "Never"

    @admin.display(description="Last tried", ordering="last_use__at")
    def last_tried(self, key: ApiKey) -> str:
        return f"{key.last_use.at:%Y-%m-%d %H:%M} ({key.last_use})" if key.last_tried_at else "Never"

    @admin.action(description="Deactivate selected keys", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        keys = list(queryset)
        self.report(
            request, "Deactivated", keys, lifecycle.deactivate_keys(keys, by=actor_from_request(request))
        )

    @admin.action(description="Reactivate selected keys", permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> None:
        keys = [key for key in queryset if key.is_deactivated(timezone.now())]
        self.report(
            request, "Reactivated", keys, lifecycle.reactivate_keys(keys, by=actor_from_request(request))
        )

    def report(self, request: HttpRequest, done: str, keys: list[ApiKey], changed: list[ApiKey]) -> None:
        """Say what was done, and what was left because it could not be done or was deleted meanwhile."""
        messages.success(request, f"{done}: {len(changed)}.")
        if left := [key for key in keys if key not in changed]:
            there = ApiKey.objects.filter(pk__in=[key.pk for key in left])
            if stays := there.count():
                messages.warning(
                    request,
                    f"Left as they are, because they are so already, leaked or are suspended: {stays}.",
                )
            if gone := len(left) - stays:
                messages.warning(request, f"Deleted meanwhile: {gone}.")

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
            known = ApiKey.objects.with_status().select_related("store")
            context["found"] = known.in_leak(request.POST.get("leak", ""))
        return TemplateResponse(request, "admin/apikeys/apikey/leak.html", context)

    @method_decorator(require_POST)
    def end_leaked(self, request: HttpRequest) -> HttpResponse:
        """Deactivate those that the operator ticked, and tell their owners."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        known = ApiKey.objects.filter(prefix__in=request.POST.getlist("prefix")[:MAX_LEAKED_KEYS])
        ended = lifecycle.report_leaked_keys(known, by=actor_from_request(request))
        if ended:
            names = ", ".join(map(str, ended))
            messages.success(request, f"Deactivated, and their owners told: {names}.")
        else:
            messages.warning(request, "Nothing was done: no key was ticked that is not known as leaked.")
        return redirect("admin:apikeys_apikey_leak")
