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
    first = Period(TimeRange.parse(request.GET.get("range", ""))).start.date()
    return csv_response(request, store, "usage", CSV_HEAD, usage_since(store, first))


def usage_since(store: Store, first: date) -> Iterator[tuple[Any, ...]]:
    """Yield rows day by day, those of deleted keys without a name: they add up to what the page counts."""
    names = {pk: rest for pk, *rest in ApiKey.objects.for_store(store).values_list("pk", "name", "prefix")}
    for number in range((timezone.now().date() - first).days + 1):
        day = first + timedelta(days=number)
        rows = Usage.objects.filter(store=store, day=day).values_list("key_id", *CSV_HEAD[3:])
        yield from sorted((day, *names.get(key_id, ("", "")), *columns) for key_id, *columns in rows)
