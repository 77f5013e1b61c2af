"""One sheet for an incident: what was done with a key, by one address or by all, as far as it is logged."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, F, Func, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import ExtractHour
from django.utils import timezone

from apikeys import client_ip
from apikeys.models import ApiKey, AuditEntry, LoggedRequest, Outcome, Usage
from apikeys.models.usage import REFUSED_STATUS_CODES
from stores.models import Store
from stores.resources import Resource

MAX_REQUESTS = 100_000
MAX_PATHS = 30
MAX_ENTRIES = 50
MAX_GROUPS = 20_000


def investigate(key: ApiKey, *, address: str, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    """Read what is logged of a key's requests from an address, blank for all, in a period.

    ``unusual`` are sentences on how they differ from the key's other requests. ``acts`` are what was done
    with the key to others, ``made`` the keys that were made with it, or with those. ``looked_from`` is how
    far back was looked, where the key made more than MAX_REQUESTS in the period. ``logged_from`` is how far
    back the request log goes; ``unlogged`` are the requests of the key that were counted by scope and outcome
    on days before that. ``log`` says which requests are logged: all, errors or off.
    """
    of_caller = Q(address=address) if address else Q()
    in_period = (Q(at__gte=start) if start else Q()) & (Q(at__lt=end) if end else Q())
    of_key = LoggedRequest.objects.filter(key=key)
    looked_from, newest = newest_of(of_key.filter(in_period))
    rows = newest.filter(of_caller)
    total = rows.aggregate(requests=Count("pk"), first_at=Min("at"), last_at=Max("at"))
    refused = rows.filter(status__in=REFUSED_STATUS_CODES).values_list("reason").annotate(n=Count("pk"))
    logged_from = timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS)
    acts = AuditEntry.objects.filter(of_caller, in_period, store=key.store, actor_prefix=key.prefix)
    return total | {
        "clients": list(rows.values_list("client").annotate(n=Count("pk")).order_by("-n", "client")[:10]),
        "touched": touched_by(rows, key.store),
        "refused": [(reason or "", requests) for reason, requests in refused.order_by("-n")],
        "unusual": differences(rows, newest_of(of_key)[1], address) if address and total["requests"] else [],
        "entries": AuditEntry.objects.for_key(key)[:MAX_ENTRIES],
        "acts": acts[:MAX_ENTRIES],
        "made": keys_made_with(key),
        "looked_from": looked_from,
        "logged_from": logged_from,
        "unlogged": counted_before(key, logged_from.date(), start),
        "log": settings.REQUEST_LOG,
    }


def newest_of(rows: QuerySet[LoggedRequest]) -> tuple[datetime | None, QuerySet[LoggedRequest]]:
    """Return since when a key's newest MAX_REQUESTS requests are, None for all that there are, and those."""
    oldest = rows.order_by("-at", "-id").values_list("at", flat=True)[MAX_REQUESTS : MAX_REQUESTS + 1].first()
    return oldest, rows.filter(at__gt=oldest) if oldest else rows


def counted_before(key: ApiKey, day: date, start: datetime | None) -> list[tuple[str, str, int]]:
    """Return the key's requests before a day, since ``start``, by scope (blank for none) and outcome."""
    rows = Usage.objects.filter(key=key, day__lt=day).order_by()
    if start:
        rows = rows.filter(day__gte=start.date())
    groups = rows.values_list("resource", "access", "outcome").annotate(n=Sum("requests")).order_by("-n")
    return [
        (f"{resource}:{access}" if access else resource, Outcome(outcome).label.lower(), requests)
        for resource, access, outcome, requests in groups
    ]


def keys_made_with(key: ApiKey) -> list[ApiKey]:
    """Return the keys that programs made with this one or its predecessors, and no successors of these."""
    line = ApiKey.objects.line_of(key.pk)
    made = ApiKey.objects.filter(pk__in=ApiKey.objects.made_with(line) - line, superseded_at=None)
    return list(made.exclude(made_by=F("predecessor")).order_by("pk"))


def touched_by(rows: QuerySet[LoggedRequest], store: Store) -> list[dict[str, Any]]:
    """Return what requests that succeeded read and changed, by resource and access.

    Each has its number of ``requests``, of which ``lists`` were for a list, which may hold any of its
    objects, and of distinct ``objects``; ``paths`` are some of these, and ``unlisted`` is how many others
    there are. An object has a path below its list's.
    """
    # The same object, with the slash at the end or without.
    trimmed = Func(F("path"), Value("/"), function="RTRIM", output_field=CharField())
    done = rows.filter(reason=None).exclude(resource="").annotate(trimmed=trimmed)
    groups = done.values("resource", "access").annotate(requests=Count("pk")).order_by("resource", "access")
    touched = []
    for group in groups:
        lists = Q(trimmed__endswith=f"/{Resource(group['resource']).path}")
        of_resource = done.filter(resource=group["resource"], access=group["access"])
        paths = of_resource.exclude(lists).order_by("trimmed").values_list("trimmed", flat=True).distinct()
        found = [path.removeprefix(f"/v1/stores/{store.pk}") for path in paths[:MAX_PATHS]]
        objects = paths.count()
        counts = {"lists": of_resource.filter(lists).count(), "objects": objects}
        touched.append(group | counts | {"paths": found, "unlisted": objects - len(found)})
    return touched


def differences(rows: QuerySet[LoggedRequest], of_key: QuerySet[LoggedRequest], address: str) -> list[str]:
    """Return how these requests from an address differ from the key's others, which were let in."""
    others = of_key.exclude(address=address).filter(~Q(status__in=REFUSED_STATUS_CODES))
    usual, these = usage_of(others), usage_of(rows)
    found = []
    network = client_ip.network_around(address)
    if network not in usual["network"]:
        found.append(f"No other request came from its network, {network}.")
    for what, sentence in (
        ("client", "with this program: {}"),
        ("scope", "for this access: {}"),
        ("hour", "in this hour of the day (UTC): {}"),
    ):
        if new := sorted(these[what] - usual[what]):
            found.append(f"No other request came {sentence.format(', '.join(new))}.")
    return found


def usage_of(rows: QuerySet[LoggedRequest]) -> dict[str, set[str]]:
    """Return the networks, clients, scopes and hours of the day of requests."""
    groups = (
        rows.annotate(hour_of_day=ExtractHour("at", tzinfo=UTC))
        .order_by()
        .values_list("address", "client", "resource", "access", "hour_of_day")
        .distinct()[:MAX_GROUPS]
    )
    found: dict[str, set[str]] = {"network": set(), "client": set(), "scope": set(), "hour": set()}
    for address, client, resource, access, hour in groups:
        found["network"].add(client_ip.network_around(address) if address else "")
        found["client"].add(client or "not known")
        found["scope"].add(f"{resource}:{access}" if resource and access else resource or "none")
        found["hour"].add(f"{hour:02}:00")
    return found
