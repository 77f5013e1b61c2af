"""Activity: every change to a store's keys, deleted keys included."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apikeys import key_text
from apikeys.models import AuditEntry, Event
from apikeys.settings_page.csv_files import csv_response
from apikeys.settings_page.decorators import OwnerRequest, store_owner_required
from apikeys.settings_page.request_search import PER_PAGE, ROWS_PER_QUERY, Cursor, PeriodFilters
from stores.models import Store

CSV_HEAD = ("time", "key", "name", "event", "what", "by", "address")


class ActivityFilters(PeriodFilters):
    q = forms.CharField(
        label="Find",
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search", "placeholder": "Key, prefix or person"}),
    )
    event = forms.ChoiceField(required=False, choices=[("", "Any"), *Event.choices])

    def entries(self, store: Store, cursor: Cursor | None, *, size: int) -> list[AuditEntry]:
        """Return the newest entries that are asked for, or those after the cursor."""
        entries: QuerySet[AuditEntry] = self.within(AuditEntry.objects.for_store(store))
        if cursor:
            entries = entries.filter(at__lte=cursor.at).exclude(at=cursor.at, pk__gte=cursor.pk)
        if event := self.cleaned_data["event"]:
            entries = entries.filter(event=event)
        if q := self.cleaned_data["q"]:
            text = key_text.search_term(q)
            entries = entries.filter(
                Q(prefix=text) | Q(name__icontains=text) | Q(actor_email__icontains=text)
            )
        return list(entries[:size])


@require_safe
@store_owner_required
def show_activity(request: OwnerRequest, store: Store) -> HttpResponse:
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
def activity_csv(request: OwnerRequest, store: Store) -> StreamingHttpResponse:
    filters = ActivityFilters(request.GET)
    rows = all_entries(store, filters) if filters.is_valid() else iter(())
    return csv_response(f"activity-{store.pk}.csv", CSV_HEAD, map(csv_row, rows))


def all_entries(store: Store, filters: ActivityFilters) -> Iterator[AuditEntry]:
    """Yield all entries a few at a time, so that they take no memory and no long transaction."""
    cursor: Cursor | None = None
    while entries := filters.entries(store, cursor, size=ROWS_PER_QUERY):
        yield from entries
        cursor = Cursor(entries[-1].at, entries[-1].pk)


def csv_row(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        *(entry.at, entry.prefix, entry.name, entry.event, entry.sentence, entry.actor_name),
        entry.address,
    )
