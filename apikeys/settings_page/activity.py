"""Activity: every change to a store's keys, deleted keys included."""

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apikeys import key_text
from apikeys.models import AuditEntry, Event
from apikeys.settings_page.csv_files import log_csv
from apikeys.settings_page.decorators import OwnerRequest, redirect_to_query, store_owner_required
from apikeys.settings_page.log_search import LogFilters, LogSearch, search_field
from stores.models import Store


class ActivityFilters(LogFilters):
    q = search_field("Find", "Key, prefix or person")
    event = forms.ChoiceField(required=False, choices=[("", "Any"), *Event.choices])

    def search(self, store: Store) -> LogSearch:
        entries = self.within(AuditEntry.objects.filter(store=store))
        if event := self.cleaned_data["event"]:
            entries = entries.filter(event=event)
        if q := self.cleaned_data["q"]:
            entries = entries.search(key_text.search_term(q))
        return LogSearch(entries)


@require_http_methods(["GET", "HEAD", "POST"])
@store_owner_required
def show_activity(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show a page of the changes that the filters find."""
    if request.method == "POST":
        return redirect_to_query(request)
    filters = ActivityFilters(request.GET)
    page = filters.page(store, request.GET.get("cursor", ""))
    context = {"store": store, "filters": filters, "page": page}
    return render(request, "apikeys/activity.html", context)


@require_safe
@store_owner_required
def activity_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send all changes that the filters find, the newest million of them."""
    head = ("time", "key", "name", "event", "what", "by", "address")
    return log_csv(request, store, "activity", ActivityFilters(request.GET), head)
