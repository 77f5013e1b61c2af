"""One sheet for an incident: what was done with a key, by one address or by all, as far as it is logged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum
from django.utils import timezone

from apikeys import client_ip
from apikeys.models import ApiKey, AuditEntry, LoggedRequest, Usage
from apikeys.models.outcomes import REFUSED_STATUS_CODES
from apikeys.models.request_log import RequestQuerySet

MAX_PATHS = 100


@dataclass(frozen=True, slots=True)
class Touched:
    """The objects of a resource read or changed: requests, the number of distinct ones, and their paths."""

    resource: str
    access: str
    requests: int
    objects: int
    paths: list[str]


@dataclass(frozen=True, slots=True)
class Incident:
    """The requests of a key in a period, from an address or, where that is blank, from all.

    ``unusual`` are sentences on how it differs from the key's other requests. ``logged_from`` is how far back
    the request log goes; ``unlogged`` requests of the key were counted on days before that.
    """

    requests: int
    first_at: datetime | None
    last_at: datetime | None
    clients: list[tuple[str, int]]
    touched: list[Touched]
    refused: list[tuple[str, int]]
    unusual: list[str]
    entries: list[AuditEntry]
    logged_from: datetime
    unlogged: int


def investigate(key: ApiKey, *, address: str, start: datetime | None, end: datetime | None) -> Incident:
    """Read what is logged of a key's requests from an address, blank for all, in a period."""
    of_key = LoggedRequest.objects.for_key(key.pk)
    rows = of_key.filter(address=address) if address else of_key
    rows = rows.filter(at__gte=start) if start else rows
    rows = rows.filter(at__lt=end) if end else rows
    total = rows.aggregate(requests=Count("pk"), first=Min("at"), last=Max("at"))
    refused = rows.filter(status__in=REFUSED_STATUS_CODES).values_list("reason").annotate(n=Count("pk"))
    logged_from = timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS)
    unlogged = Usage.objects.filter(key=key, day__lt=logged_from.date()).aggregate(n=Sum("requests"))["n"]
    others = of_key.exclude(address=address) if address else of_key.none()
    return Incident(
        requests=total["requests"],
        first_at=total["first"],
        last_at=total["last"],
        clients=list(rows.values_list("client").annotate(n=Count("pk")).order_by("-n", "client")[:10]),
        touched=touched_by(rows),
        refused=[(reason or "", requests) for reason, requests in refused.order_by("-n")],
        unusual=differences(rows, others, address) if address and total["requests"] else [],
        entries=list(AuditEntry.objects.for_key(key)[:50]),
        logged_from=logged_from,
        unlogged=unlogged or 0,
    )


def touched_by(rows: RequestQuerySet) -> list[Touched]:
    """Return what the requests that succeeded read and changed. An object has a path below its list's."""
    done = rows.filter(reason=None).exclude(resource="")
    groups = (
        done.values_list("resource", "access").annotate(requests=Count("pk")).order_by("resource", "access")
    )
    touched = []
    for resource, access, requests in groups:
        of_one = done.filter(resource=resource, access=access).exclude(path__endswith=f"/{resource}/")
        paths = of_one.order_by("path").values_list("path", flat=True).distinct()
        touched.append(Touched(resource, access, requests, paths.count(), list(paths[:MAX_PATHS])))
    return touched


def differences(rows: RequestQuerySet, others: RequestQuerySet, address: str) -> list[str]:
    """Return how these requests differ from the key's others."""
    worked = others.filter(~Q(status__in=REFUSED_STATUS_CODES))
    found = []
    network = client_ip.network_around(address)
    usual = worked.values_list("address", flat=True).distinct()[:1000]
    if all(other is None or client_ip.network_around(other) != network for other in usual):
        found.append(f"No other request came from its network, {network}.")
    for column, what in (("client", "program"), ("resource", "resource")):
        new = set(rows.values_list(column, flat=True).distinct()[:100]) - set(
            worked.values_list(column, flat=True).distinct()[:1000]
        )
        found += [f"No other request has this {what}: {name or 'none'}." for name in sorted(new)]
    return found
