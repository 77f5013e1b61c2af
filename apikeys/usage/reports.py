"""Usage read back, by UTC days: the figures behind the settings page and ``GET /v1/api-key/``."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, Max, Sum
from django.db.models.functions import TruncMonth

from apikeys.models import ApiKey, HourlyUsage, Outcome, StoreUsage, Usage
from apikeys.models.usage import first_day
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store
from stores.resources import Access, Resource


def of_store(store: Store, time_range: TimeRange = TimeRange.MONTH) -> Period:
    """All requests with keys of a store, in one query, those of deleted keys included."""
    period = Period(time_range)
    for start, outcome, requests in _by_bar(StoreUsage, period, "outcome", store=store):
        period.add(start, outcome, requests)
    return period


def of_keys(keys: Collection[ApiKey], time_range: TimeRange = TimeRange.MONTH) -> dict[int, Period]:
    """A period for each key by its id, in one query."""
    periods = {key.pk: Period(time_range) for key in keys}
    for start, key_id, outcome, requests in _by_bar(
        Usage, Period(time_range), "key_id", "outcome", key__in=list(periods)
    ):
        periods[key_id].add(start, outcome, requests)
    return periods


def _by_bar(by_day: Any, period: Period, *columns: str, **of: Any) -> Any:
    """Add up rows of usage: tuples of when their bar begins, the columns and the requests.

    ``by_day`` is the model of counts by day, and ``of`` says which of them.
    """
    start: Any
    if period.time_range.unit == "hour":
        rows, start = HourlyUsage.objects.filter(hour__gte=period.start, **of), F("hour")
    else:
        rows = by_day.objects.filter(day__gte=period.start.date(), **of)
        start = TruncMonth("day") if period.time_range.unit == "month" else F("day")
    return rows.values_list(start, *columns).annotate(Sum("requests"))


def counted(store: Store, first: date, last: date, keys: Collection[ApiKey] | None = None) -> dict[str, int]:
    """Return how many requests were counted by outcome, from one day to another; of all keys or of these."""
    rows = Usage.objects.filter(store=store, day__range=(first, last))
    if keys is not None:
        rows = rows.filter(key__in=keys)
    return dict.fromkeys(Outcome.values, 0) | dict(rows.values_list("outcome").annotate(Sum("requests")))


def of_key(pk: int) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Requests of the last 30 days by resource, and the refused ones by the error's code, in one query.

    Every resource the key used is there, such as ``{"orders": {"succeeded": 3, "refused": 0, "failed": 0}}``;
    ``other`` stands for routes of no resource. The most frequent code comes first.
    """
    by_resource: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(Outcome.values, 0))
    by_reason: dict[str, int] = defaultdict(int)
    rows = Usage.objects.filter(key=pk, day__gte=first_day()).values_list("resource", "outcome", "reason")
    for resource, outcome, reason, requests in sorted(rows.annotate(Sum("requests"))):
        by_resource[resource or "other"][outcome] += requests
        if reason:
            by_reason[reason] += requests
    return by_resource, dict(sorted(by_reason.items(), key=lambda item: (-item[1], item[0])))


@dataclass(slots=True)
class ResourceUse:
    """The access of a key to a resource, and its use in the last 30 days."""

    resource: Resource
    granted: str
    requests: int = 0
    refused: int = 0
    last_at: datetime | None = None


def access_against_use(key: ApiKey) -> tuple[list[ResourceUse], list[str]]:
    """Return the use of each resource that a key reaches or asked for in 30 days, and its unused scopes.

    What was refused before its scope was looked at, as with a key that is off, counts for the resource alone.
    """
    uses = {}
    for resource in Resource:
        granted = (str(access.label) for access in Access if key.allows(resource.scope(access)))
        uses[resource.value] = ResourceUse(resource, " and ".join(granted).capitalize())
    used = set()
    rows = key.usage.filter(day__gte=first_day()).values_list("resource", "access", "outcome")
    for resource, access, outcome, requests, last_at in rows.annotate(Sum("requests"), Max("last_at")):
        if use := uses.get(resource):
            used.add(f"{resource}:{access}")
            use.requests += requests
            if outcome == Outcome.REFUSED:
                use.refused += requests
            use.last_at = max(use.last_at or last_at, last_at)
    return [use for use in uses.values() if use.granted or use.requests], _removable(key, used)


def _removable(key: ApiKey, used: set[str]) -> list[str]:
    """Return granted scopes that nothing used in 30 days, where that leaves the key something in use.

    Nothing is called unused in a younger key, nor a read that a write in use implies.
    """
    kept = used.intersection(key.access)
    if not kept or key.created_at.date() > first_day():
        return []
    kept |= {scope.replace(":write", ":read") for scope in kept}
    return [scope for scope in key.access if scope not in kept]
