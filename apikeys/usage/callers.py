"""Callers of a key: the addresses and programs of its newest requests, by the request log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max
from django.db.models.functions import TruncMinute
from django.utils import timezone

from apikeys.models import ApiKey, LoggedRequest
from apikeys.usage.periods import Period

MAX_REQUESTS = 20_000
MAX_CALLERS = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """An address or a client; ``name`` is blank where it is not known."""

    name: str
    requests: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Callers:
    """The callers with the most requests since a moment, which is later than asked for if there are many.

    ``busiest`` is the number of requests in the busiest minute of the last week, as far as that goes back.
    """

    addresses: list[Caller]
    clients: list[Caller]
    since: datetime
    busiest: int


def callers_of(key: ApiKey, period: Period) -> Callers:
    """Return who made the key's requests in the period, of the newest MAX_REQUESTS of them."""
    first = max(period.start, timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS))
    rows = LoggedRequest.objects.for_key(key.pk).filter(at__gte=first)
    newest = rows.newest_first().values_list("at", flat=True)
    since = newest[MAX_REQUESTS : MAX_REQUESTS + 1].first() or first
    counted = rows.filter(at__gte=since)

    def most(column: str) -> list[Caller]:
        groups = counted.values_list(column).annotate(requests=Count("pk"), last=Max("at"))
        return [
            Caller(name or "", *rest) for name, *rest in groups.order_by("-requests", column)[:MAX_CALLERS]
        ]

    week = counted.filter(at__gte=timezone.now() - timedelta(days=7)).annotate(minute=TruncMinute("at"))
    minutes = week.values_list("minute").annotate(requests=Count("pk")).order_by("-requests")
    busiest = minutes.values_list("requests", flat=True).first() or 0
    return Callers(most("address"), most("client"), since, busiest)
