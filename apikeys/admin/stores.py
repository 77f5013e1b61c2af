"""Stores in the admin with what their keys did; and suspensions, which stop them all."""

from typing import Any

from django.contrib import admin
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.lifecycle import StoreSuspended
from apikeys.models import Suspension
from apikeys.owners import set_owners
from apikeys.usage import charts, reports


class KeysOfStoreAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Add keys to the admin of stores, which knows nothing of them."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the requests of all its keys."""
        store = self.get_object(request, object_id)
        if store and request.user.has_perm("apikeys.view_apikey"):
            period = reports.of_store(store)
            usage = {"period": period, "chart": charts.stacked_bars(period)}
            extra_context = usage | (extra_context or {})
        return super().change_view(request, object_id, form_url, extra_context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Change the owners as everywhere else, where the operator may."""
        if "owners" in form.cleaned_data:
            set_owners(form.instance, form.cleaned_data["owners"], by=actor_from_request(request))
        super().save_related(request, form, formsets, change)


@admin.register(Suspension)
class SuspensionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """To add one suspends all keys of a store, to delete it resumes them."""

    list_display = ("store", "reason", "by", "at")
    list_select_related = ("store", "by")
    search_fields = ("=store__id", "store__name", "reason")
    ordering = ("-at",)
    fieldsets = (
        (
            None,
            {
                "fields": ("store", "reason"),
                "description": "Every request with a key of the store is refused from the next one on, and "
                "it gets no new keys, until this is deleted. The keys stay as they are. The owners are told.",
            },
        ),
    )
    raw_id_fields = ("store",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Suspension, form: Any, change: bool) -> None:  # noqa: FBT001
        by = actor_from_request(request)
        try:
            lifecycle.suspend_store(obj.store, by=by, reason=obj.reason)
        except StoreSuspended as error:
            # As the database would say: see OperatorSite.
            raise IntegrityError from error

    def delete_model(self, request: HttpRequest, obj: Suspension) -> None:
        lifecycle.resume_store(obj.store, by=actor_from_request(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Suspension]) -> None:
        for suspension in queryset:
            self.delete_model(request, suspension)
