"""A store's keys on its own page in the admin: what they are and did, and one step that stops them all."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.lifecycle import StoreSuspended
from apikeys.models import ApiKey, AuditEntry, Suspension
from apikeys.owners import set_owners
from apikeys.usage import charts, reports
from stores.models import Store

MAX_KEYS = 50
MAX_ENTRIES = 50
MAX_STORES = 100


class SuspendForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Suspension
        fields = ("reason",)
        widgets = {"reason": forms.TextInput({"class": "vTextField", "autocomplete": "off"})}


class KeysOfStoreAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Add keys to the admin of stores, which knows nothing of them."""

    actions = ("suspend", "resume")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("suspend/", self.admin_site.admin_view(self.suspend_view), name="stores_store_suspend"),
            path("resume/", self.admin_site.admin_view(self.resume_view), name="stores_store_resume"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Store]:
        return super().get_queryset(request).select_related("key_suspension")

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("apikeys.add_suspension")

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("apikeys.delete_suspension")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With the store's keys, what they did, and what was done to them."""
        context: dict[str, Any] = {
            "may_suspend": self.has_suspend_permission(request),
            "may_resume": self.has_resume_permission(request),
        }
        store = self.get_object(request, object_id)
        if store and request.user.has_perm("apikeys.view_apikey"):
            context |= keys_of(store)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Change the owners as everywhere else, where the operator may."""
        if "owners" in form.cleaned_data:
            set_owners(form.instance, form.cleaned_data["owners"], by=actor_from_request(request))
        super().save_related(request, form, formsets, change)

    @admin.display(description="API keys", empty_value="")
    def keys_stand(self, store: Store) -> str | None:
        return "Suspended" if hasattr(store, "key_suspension") else None

    @admin.action(description="Suspend all API keys of selected stores", permissions=["suspend"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Store]) -> HttpResponse:
        return redirect(address_for("suspend", queryset))

    @admin.action(description="Resume the API keys of selected stores", permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Store]) -> HttpResponse:
        return redirect(address_for("resume", queryset))

    def suspend_view(self, request: HttpRequest) -> HttpResponse:
        """Shows what would be refused and asks why. Each store is suspended whole or not at all."""
        if not self.has_suspend_permission(request):
            raise PermissionDenied
        stores = self.named_in(request)
        form = SuspendForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            affected = [what_stops(store) for store in stores]
            return self.page(request, "Suspend all API keys", "suspend", affected=affected, form=form)
        for store in stores:
            try:
                lifecycle.suspend_store(
                    store, by=actor_from_request(request), reason=form.cleaned_data["reason"]
                )
            except StoreSuspended:
                messages.warning(request, f"The API keys of {store} were suspended already.")
            except Store.DoesNotExist:
                messages.warning(request, f"{store} was deleted meanwhile.")
            else:
                messages.success(request, f"Suspended all API keys of {store}. Its owners are told why.")
        return self.back_to(stores)

    def resume_view(self, request: HttpRequest) -> HttpResponse:
        """Shows why they were suspended, and asks for a click."""
        if not self.has_resume_permission(request):
            raise PermissionDenied
        stores = self.named_in(request)
        suspensions = list(Suspension.objects.filter(store__in=stores).select_related("store", "by"))
        if request.method != "POST":
            return self.page(request, "Resume API keys", "resume", suspensions=suspensions)
        for suspension in suspensions:
            try:
                lifecycle.resume_store(suspension.store, by=actor_from_request(request))
            except Store.DoesNotExist:
                messages.warning(request, f"{suspension.store} was deleted meanwhile.")
            else:
                messages.success(request, f"The API keys of {suspension.store} work again.")
        return self.back_to(stores)

    def named_in(self, request: HttpRequest) -> list[Store]:
        """The stores that the address names by their nine digits."""
        numbers = [number for number in request.GET.getlist("store") if re.fullmatch("[0-9]{9}", number)]
        return list(self.get_queryset(request).filter(pk__in=numbers[:MAX_STORES]))

    def page(self, request: HttpRequest, title: str, name: str, **context: Any) -> HttpResponse:
        context |= {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/stores/store/{name}.html", context)

    def back_to(self, stores: list[Store]) -> HttpResponse:
        if len(stores) == 1:
            return redirect("admin:stores_store_change", stores[0].pk)
        return redirect("admin:stores_store_changelist")


def what_stops(store: Store) -> dict[str, Any]:
    """Return how many keys and requests of a store are refused once it is suspended."""
    days = reports.of_store(store).bars
    return {
        "store": store,
        "working": ApiKey.objects.for_store(store).usable().count(),
        "since_yesterday": sum(day.total for day in days[-2:]),
        "last_7_days": sum(day.total for day in days[-7:]),
    }


def address_for(step: str, stores: Iterable[Store]) -> str:
    """Return the address of the page that suspends or resumes these stores."""
    return reverse(f"admin:stores_store_{step}", query={"store": [store.pk for store in stores]})


def keys_of(store: Store) -> dict[str, Any]:
    """A store's keys on its page: the busiest of them, and what was done last."""
    keys = ApiKey.objects.for_store(store)
    shown = list(keys.with_status().busiest_first()[:MAX_KEYS])
    periods = reports.of_keys(shown)
    total = reports.of_store(store)
    return {
        "keys": [(key, periods[key.pk]) for key in shown],
        "count": keys.count(),
        "period": total,
        "chart": charts.stacked_bars(total),
        "entries": AuditEntry.objects.filter(store=store)[:MAX_ENTRIES],
    }
