"""Requests: what keys did, one by one, and why they were refused."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apikeys.models import ApiKey, LoggedRequest, Refusal
from apikeys.settings_page.csv_files import csv_response, refuse_filters
from apikeys.settings_page.decorators import (
    OwnerRequest,
    redirect_to_query,
    store_owner_required,
)
from apikeys.settings_page.key_views import get_key
from apikeys.settings_page.refusals import describe_reason, explain
from apikeys.settings_page.request_search import (
    Cursor,
    RequestFilters,
    RequestPage,
    RequestSearch,
)
from apikeys.usage import reports
from apikeys.usage.callers import callers_of
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store

MAX_CSV_ROWS = 1_000_000
CSV_HEAD = (
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


@require_http_methods(["GET", "HEAD", "POST"])
@store_owner_required
def show_requests(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show a page of the log, or only its rows where htmx replaces them."""
    if request.method == "POST":
        return redirect_to_query(request)
    filters = RequestFilters(request.GET)
    page, counted = RequestPage([]), None
    if filters.is_valid():
        search = RequestSearch(store, filters)
        page = search.page(Cursor.parse(request.GET.get("cursor", "")))
        if not page.rows and "cursor" not in request.GET:
            counted = counted_instead(store, search)
    names = key_names(store)
    context = {
        "store": store,
        "filters": filters,
        "page": page,
        "counted": counted,
        "rows": [(row, names.get(row.key_id, ""), describe_reason(row.reason)) for row in page.rows],
        "is_live": "live" in request.GET and "cursor" not in request.GET,
        "is_filtered": bool(filters.query),
        "is_narrowed": bool(filters.query.keys() - {"from", "to", "range", "key"}),
        "log": settings.REQUEST_LOG,
        "days": settings.REQUEST_LOG_DAYS,
    }
    is_part = request.htmx.target == "requests"
    return render(request, f"apikeys/{'includes/request_rows' if is_part else 'requests'}.html", context)


def counted_instead(store: Store, search: RequestSearch) -> dict[str, int] | None:
    """Return what was counted in a period of which single requests are not kept any more; None for others."""
    start, end = search.start, search.end or timezone.now()
    if start is None or start > timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS):
        return None
    last = (end - timedelta(microseconds=1)).date()
    return reports.counted(store, start.date(), last, search.keys)


def key_names(store: Store) -> dict[int, str]:
    """Return the names of the store's keys by their ids, those of deleted keys excepted."""
    return dict(ApiKey.objects.for_store(store).values_list("pk", "name"))


@require_safe
@store_owner_required
def requests_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send all requests that the filters find, the newest million of them."""
    filters = RequestFilters(request.GET)
    if not filters.is_valid():
        return refuse_filters(filters)
    names = key_names(store)
    found = RequestSearch(store, filters).all_rows(at_most=MAX_CSV_ROWS)
    rows = (csv_row(row, names.get(row.key_id, "")) for row in found)
    return csv_response(request, store, "requests", CSV_HEAD, rows)


def csv_row(row: LoggedRequest, name: str) -> tuple[Any, ...]:
    return (
        row.at,
        row.prefix,
        name,
        row.method,
        row.path,
        row.status,
        row.outcome.value,
        row.reason,
        row.resource,
        row.access,
        row.address,
        row.client,
        row.milliseconds,
        row.request_id,
    )


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
    row = get_object_or_404(LoggedRequest.objects.for_store(store), pk=pk)
    key = ApiKey.objects.for_store(store).filter(pk=row.key_id).first()
    cause = None
    if row.reason:
        scope = f"{row.resource}:{row.access}" if row.access else ""
        cause = explain(key, Refusal(reason=row.reason, scope=scope, address=row.address or ""))
    return render(request, "apikeys/request.html", {"store": store, "row": row, "key": key, "cause": cause})


@require_safe
@store_owner_required
def show_callers(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Show from where and with what the key is used."""
    key = get_key(store, prefix)
    period = Period(TimeRange.parse(request.GET.get("range", "")))
    context = {
        "store": store,
        "key": key,
        "period": period,
        "callers": callers_of(key, period),
        "limit": key.rate_limit or settings.RATE_LIMIT_PER_KEY,
    }
    is_part = request.htmx.target == "callers"
    return render(request, f"apikeys/{'includes/callers' if is_part else 'callers'}.html", context)
