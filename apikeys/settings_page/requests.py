"""Requests: what keys did, one by one and as a CSV file by days, and why they were refused."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apikeys import key_text
from apikeys.error_codes import ERROR_CODES
from apikeys.insight.callers import callers_of
from apikeys.models import ApiKey, LoggedRequest, Outcome, Refusal, Usage
from apikeys.models.request_log import has_outcome
from apikeys.settings_page.csv_files import csv_response, log_csv
from apikeys.settings_page.decorators import OwnerRequest, get_key, redirect_to_query, store_owner_required
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.log_search import AddressField, LogFilters, LogSearch, search_field
from apikeys.settings_page.refusals import describe_reason, explain
from apikeys.usage import reports
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store
from stores.resources import Resource

# Of keys that a search finds, the requests of so many are looked for.
MAX_KEYS = 200
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUESTS_HEAD = (
    "time",
    "key",
    "name",
    "method",
    "path",
    "status",
    "outcome",
    "reason",
    "resource",
    "access",
    "address",
    "client",
    "milliseconds",
    "request_id",
)
USAGE_HEAD = ("date", "key", "prefix", "resource", "access", "outcome", "reason", "requests")


class RequestFilters(LogFilters):
    q = search_field("Find", "Request id, prefix or path")
    outcome = forms.ChoiceField(required=False, choices=[("", "All"), *Outcome.choices])
    key = search_field("Key", "Name, prefix or note")
    reason = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            *((code, error.for_owner) for code, error in ERROR_CODES.items() if error.for_owner),
        ],
    )
    status = forms.RegexField(
        "^[1-5](?:[0-9]{2}|[xX]{2})$",
        required=False,
        max_length=3,
        widget=forms.TextInput({"placeholder": "404 or 4xx"}),
        error_messages=dict.fromkeys(
            ("invalid", "max_length"), "A status is a number such as 404, or all of a kind such as 4xx."
        ),
    )
    method = forms.ChoiceField(required=False, choices=[("", "Any"), *((one, one) for one in METHODS)])
    resource = forms.ChoiceField(required=False, choices=[("", "Any"), *Resource.choices])
    address = AddressField()

    def keys(self, store: Store) -> list[ApiKey] | None:
        """Return the keys that one of the two searches finds; None where neither is for a key."""
        keys, text = ApiKey.objects.for_store(store), self.cleaned_data["key"]
        if text:
            return list(keys.search(text)[:MAX_KEYS])
        prefix = read_search(self.cleaned_data["q"])[1]
        return list(keys.filter(prefix=prefix)) if prefix else None

    def search(self, store: Store) -> LogSearch:
        """Return the question to the store's log: each row also has its key's ``name``, if that is there."""
        wanted = self.cleaned_data
        request_id, prefix, path = read_search(wanted["q"])
        keys = self.keys(store)
        key = keys[0] if keys and len(keys) == 1 else None
        rows = LoggedRequest.objects.filter(key=key) if key else LoggedRequest.objects.filter(store=store)
        if request_id:
            rows = rows.filter(request_id=request_id)
        if wanted["reason"] or wanted["outcome"] in {Outcome.REFUSED, Outcome.FAILED}:
            rows = rows.filter(reason__isnull=False)
        if key and wanted["reason"]:
            rows = rows.filter(reason=wanted["reason"])
        equal = {name: wanted[name] for name in ("method", "resource", "address", "reason") if wanted[name]}
        condition = Q(**equal)
        if status := wanted["status"].lower():
            first = int(status.replace("x", "0"))
            condition &= Q(status__range=(first, first + 99 if "x" in status else first))
        if path:
            condition &= Q(path__contains=path)
        if keys is not None and key is None:
            named = key_text.find_prefix(wanted["key"]) or wanted["key"] or prefix
            condition &= Q(key_id__in=[one.pk for one in keys]) | Q(prefix=named)
        if wanted["outcome"]:
            condition &= has_outcome(wanted["outcome"])
        name = ApiKey.objects.filter(store=store, pk=OuterRef("key_id")).values("name")
        return LogSearch(self.within(rows).order_by("-at", "-id").annotate(name=Subquery(name)), condition)


def read_search(text: str) -> tuple[UUID | None, str, str]:
    """Return the request id, the key's prefix or the part of a path that somebody looks for."""
    try:
        return UUID(text), "", ""
    except ValueError:
        prefix = key_text.find_prefix(text)
        return None, prefix or "", "" if prefix else text


@require_http_methods(["GET", "HEAD", "POST"])
@store_owner_required
def show_requests(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show a page of the log, or only its rows where htmx replaces them."""
    if request.method == "POST":
        return redirect_to_query(request)
    filters = RequestFilters(request.GET)
    page = filters.page(store, request.GET.get("cursor", ""))
    is_empty = filters.is_valid() and not page.rows and "cursor" not in request.GET
    context = {
        "store": store,
        "filters": filters,
        "page": page,
        "counted": counted_instead(store, filters) if is_empty else None,
        "rows": [(row, describe_reason(row.reason)) for row in page.rows],
        "is_live": "live" in request.GET and "cursor" not in request.GET,
        "is_narrowed": bool(filters.query.keys() - {"from", "to", "range", "key"}),
        "log": settings.REQUEST_LOG,
        "days": settings.REQUEST_LOG_DAYS,
    }
    is_part = request.htmx.target == "requests"
    return render(request, f"apikeys/{'includes/request_rows' if is_part else 'requests'}.html", context)


def counted_instead(store: Store, filters: RequestFilters) -> dict[str, int] | None:
    """Return what was counted in a period of which single requests are not kept any more; None for others."""
    start, end = filters.start, filters.cleaned_data["to"] or timezone.now()
    if start is None or start > timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS):
        return None
    last = (end - timedelta(microseconds=1)).date()
    return reports.counted(store, start.date(), last, filters.keys(store))


@require_safe
@store_owner_required
def requests_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send all requests that the filters find, the newest million of them."""
    return log_csv(request, store, "requests", RequestFilters(request.GET), REQUESTS_HEAD)


@require_safe
@store_owner_required
def key_requests(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    query = request.GET.copy()
    query["key"] = prefix
    return redirect(f"{reverse('apikeys:requests', args=[store.pk])}?{query.urlencode()}")


@require_safe
@store_owner_required
def request_detail(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Show all that is kept of one request and, where it was refused, why and what to do."""
    row = get_object_or_404(LoggedRequest.objects.filter(store=store), pk=pk)
    key = ApiKey.objects.for_store(store).filter(pk=row.key_id).first()
    cause = None
    if row.reason:
        scope = f"{row.resource}:{row.access}" if row.access else ""
        cause = explain(key, Refusal(reason=row.reason, scope=scope, address=row.address or ""))
    back = reverse("apikeys:requests", args=[store.pk])
    return render_dialog(request, "request", store, key, row=row, cause=cause, back=back)


@require_safe
@store_owner_required
def show_callers(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Show from where and with what the key is used."""
    key = get_key(store, prefix)
    period = Period(TimeRange.parse(request.GET.get("range", "")))
    context = {
        "store": store,
        "key": key,
        "callers": callers_of(key, period),
        "limit": key.rate_limit or settings.RATE_LIMIT_PER_KEY,
    }
    return render(request, "apikeys/callers.html", context)


@require_safe
@store_owner_required
def usage_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send the usage of the range, the oldest day first; of 24 hours, that of the days they are part of."""
    first = Period(TimeRange.parse(request.GET.get("range", ""))).start.date()
    return csv_response(request, store, "usage", USAGE_HEAD, usage_since(store, first))


def usage_since(store: Store, first: date) -> Iterator[tuple[Any, ...]]:
    """Yield rows day by day, those of deleted keys without a name: they add up to what the page counts."""
    names = {pk: rest for pk, *rest in ApiKey.objects.for_store(store).values_list("pk", "name", "prefix")}
    for number in range((timezone.now().date() - first).days + 1):
        day = first + timedelta(days=number)
        rows = Usage.objects.filter(store=store, day=day).values_list("key_id", *USAGE_HEAD[3:])
        yield from sorted((day, *names.get(key_id, ("", "")), *columns) for key_id, *columns in rows)
