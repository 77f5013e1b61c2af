"""Activity: every change to a store's keys, deleted keys included."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apikeys import key_text
from apikeys.models import AuditEntry, Event
from apikeys.settings_page.csv_files import csv_response, refuse_filters
from apikeys.settings_page.decorators import OwnerRequest, redirect_to_query, store_owner_required
from apikeys.settings_page.request_search import PER_PAGE, ROWS_PER_QUERY, Cursor, PeriodFilters
from stores.models import Store

CSV_HEAD = ("time", "key", "name", "event", "what", "by", "address")


class ActivityFilters(PeriodFilters):
    q = forms.CharField(
        label="Find",
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Key, prefix or person", "data-takes-key": ""}
        ),
    )
    event = forms.ChoiceField(required=False, choices=[("", "Any"), *Event.choices])

    def entries(self, store: Store, cursor: Cursor | None, *, size: int) -> list[AuditEntry]:
        """Return the newest entries that are asked for, or those after the cursor."""
        entries = self.within(AuditEntry.objects.for_store(store))
        if cursor:
            entries = entries.filter(at__lte=cursor.at).exclude(at=cursor.at, pk__gte=cursor.pk)
        if event := self.cleaned_data["event"]:
            entries = entries.filter(event=event)
        if q := self.cleaned_data["q"]:
            entries = entries.search(key_text.search_term(q))
        return list(entries[:size])


@require_http_methods(["GET", "HEAD", "POST"])
@store_owner_required
def show_activity(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show a page of the changes that the filters find."""
    if request.method == "POST":
        return redirect_to_query(request)
    filters = ActivityFilters(request.GET)
    entries: list[AuditEntry] = []
    if filters.is_valid():
        cursor = Cursor.parse(request.GET.get("cursor", ""))
        entries = filters.entries(store, cursor, size=PER_PAGE + 1)
    last = entries[PER_PAGE - 1] if len(entries) > PER_PAGE else None
    context = {
        "store": store,
        "filters": filters,
        "entries": entries[:PER_PAGE],
        "next": last and Cursor(last.at, last.pk),
        "is_filtered": bool(filters.query),
    }
    return render(request, "apikeys/activity.html", context)


@require_safe
@store_owner_required
def activity_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send all changes that the filters find."""
    filters = ActivityFilters(request.GET)
    if not filters.is_valid():
        return refuse_filters(filters)
    return csv_response(request, store, "activity", CSV_HEAD, map(csv_row, all_entries(store, filters)))


def all_entries(store: Store, filters: ActivityFilters) -> Iterator[AuditEntry]:
    """Yield all entries a few at a time, so that they take no memory and no long transaction."""
    cursor: Cursor | None = None
    while entries := filters.entries(store, cursor, size=ROWS_PER_QUERY):
        yield from entries
        cursor = Cursor(entries[-1].at, entries[-1].pk)


def csv_row(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        entry.at,
        entry.prefix,
        entry.name,
        entry.event,
        entry.sentence,
        entry.actor_name,
        entry.address,
    )
