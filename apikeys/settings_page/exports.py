"""Usage as a CSV file: what each key of a store did on each day, as far as it is counted."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from apikeys.models import ApiKey, Usage
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
    """Yield the rows of a day, those of deleted keys without a name: they add up to what the page counts."""
    names = {pk: rest for pk, *rest in ApiKey.objects.for_store(store).values_list("pk", "name", "prefix")}
    usage = Usage.objects.filter(store=store, day=day).values_list(
        "key_id", "resource", "access", "outcome", "reason", "requests"
    )
    rows = [(*names.get(key_id, ("", "")), *columns) for key_id, *columns in usage]
    for row in sorted(rows):
        yield (day, *row)
