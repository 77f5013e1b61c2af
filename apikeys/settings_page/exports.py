"""Usage as a CSV file: what each key of a store did on each day, as far as it is counted."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from apikeys.models import ApiKeyUsage, Outcome, RefusalUsage
from apikeys.settings_page.csv_files import csv_response
from apikeys.settings_page.decorators import OwnerRequest, store_owner_required
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store

CSV_HEAD = ("date", "key", "prefix", "resource", "access", "outcome", "reason", "requests")


@require_safe
@store_owner_required
def usage_csv(request: OwnerRequest, store: Store) -> HttpResponseBase:
    """Send the usage of the range, the oldest day first; of 24 hours, that of the days they are part of."""
    period = Period(TimeRange.parse(request.GET.get("range", "")))
    return csv_response(request, store, "usage", CSV_HEAD, usage_rows(store, period.start.date()))


def usage_rows(store: Store, first: date) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the file, read a day at a time."""
    day, today = first, timezone.now().date()
    while day <= today:
        yield from usage_of_day(store, day)
        day += timedelta(days=1)


def usage_of_day(store: Store, day: date) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a day. Refused requests are divided by their reason, as far as it was counted."""
    reasons: dict[tuple[Any, ...], Counter[str]] = {}
    refusals = RefusalUsage.objects.filter(key__store=store, date=day)
    for *group, reason, requests in refusals.values_list(
        "key_id", "resource", "access", "reason", "requests"
    ):
        reasons.setdefault(tuple(group), Counter())[reason] += requests
    usage = ApiKeyUsage.objects.filter(key__store=store, date=day).order_by(
        "key__name", "key_id", "resource", "access", "outcome"
    )
    for key_id, name, prefix, resource, access, outcome, requests in usage.values_list(
        "key_id", "key__name", "key__prefix", "resource", "access", "outcome", "requests"
    ):
        by_reason = Counter[str]()
        if outcome == Outcome.REFUSED:
            by_reason = reasons.get((key_id, resource, access), by_reason)
        for reason, count in sorted(by_reason.items()):
            yield (day, name, prefix, resource, access, outcome, reason, count)
        if rest := requests - by_reason.total():
            yield (day, name, prefix, resource, access, outcome, "", rest)
