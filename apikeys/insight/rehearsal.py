"""Rehearse a change: what would have become of a key's requests of the last two weeks with other settings.

Logged requests are judged in groups, by the very functions that judge a request when it comes.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q, Sum
from django.utils import timezone

from apikeys import client_ip
from apikeys.models import ApiKey, LoggedRequest, Outcome, Usage
from apikeys.models.state import refusing_state
from apikeys.models.usage import REFUSED_STATUS_CODES, first_day
from stores.resources import Access

DAYS = 14
MAX_SHOWN = 5
STORES = "/v1/stores/"
# Of the groups with the most requests: a key that is called from everywhere has one for each address.
MAX_GROUPS = 20_000
# Refusals that other settings of the key mend.
MENDABLE = frozenset({"api_key_inactive", "api_key_expired", "address_not_allowed", "resource_not_allowed"})


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of one scope (blank: none is needed) from one address with one client.

    ``address`` is None where it is not known. ``refusal`` is the error's code where they were refused;
    ``is_elsewhere``, they named another store.
    """

    resource: str
    access: str
    address: str | None
    client: str
    refusal: str | None
    is_elsewhere: bool
    requests: int
    last_at: datetime

    @property
    def scope(self) -> str:
        return f"{self.resource}:{self.access}" if self.resource else ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The outcome that a key's requests of the last DAYS days would have had.

    Of those that were not refused, ``works`` would have worked and ``fails`` would not; ``failing`` are those
    groups of these with the most requests. ``mended`` of the ``refused`` would have worked. Days before
    ``logged_from`` are not in the request log and were judged by their access alone. ``is_off`` where every
    request is refused whatever it asks for, as with a key that is deactivated.
    """

    works: int
    fails: int
    refused: int
    mended: int
    failing: list[Group]
    logged_from: date
    is_complete: bool
    is_off: bool
    days: int = DAYS

    @property
    def total(self) -> int:
        return self.works + self.fails

    @property
    def is_logged(self) -> bool:
        """Whether all of these days are in the request log."""
        return self.logged_from <= first_day(days=DAYS)


def with_changes(key: ApiKey, **columns: Any) -> ApiKey:
    """Return the key as it would be with these columns, unsaved."""
    changed = copy(key)
    for column, value in columns.items():
        setattr(changed, column, value)
    return changed


def rehearse(changed: ApiKey) -> Rehearsal:
    """Judge the requests of a key's last DAYS days by its settings as they are on this object."""
    logged_from = first_logged_day()
    groups = logged_groups(changed, logged_from)
    is_off = refusing_state(changed, timezone.now()) is not None
    works = fails = refused = mended = 0
    failing = []

    def is_allowed(resource: str, access: str) -> bool:
        return not is_off and (not resource or changed.allows(f"{resource}:{access}"))

    for group in groups:
        address = client_ip.parse(group.address) if group.address else None
        is_let_in = changed.is_allowed_from(address) and is_allowed(group.resource, group.access)
        if group.refusal is not None:
            refused += group.requests
            is_mendable = group.refusal in MENDABLE and not group.is_elsewhere
            mended += group.requests * (is_let_in and is_mendable)
        elif is_let_in:
            works += group.requests
        else:
            fails += group.requests
            failing.append(group)
    unlogged = Usage.objects.filter(
        key=changed, day__gte=first_day(days=DAYS), day__lt=logged_from
    ).order_by()
    counts = unlogged.values_list("resource", "access", "outcome").annotate(Sum("requests"))
    for resource, access, outcome, requests in counts:
        if outcome == Outcome.REFUSED:
            refused += requests
        elif is_allowed(resource, access):
            works += requests
        else:
            fails += requests
    return Rehearsal(
        works,
        fails,
        refused,
        mended,
        merge(failing)[:MAX_SHOWN],
        logged_from,
        len(groups) < MAX_GROUPS,
        is_off,
    )


def first_logged_day() -> date:
    """Return the first of the DAYS days that is in the request log in full; tomorrow where none is."""
    today = timezone.now().date()
    if settings.REQUEST_LOG != "all":
        return today + timedelta(days=1)
    return max(first_day(days=DAYS), today - timedelta(days=settings.REQUEST_LOG_DAYS - 1))


def logged_groups(key: ApiKey, first: date) -> list[Group]:
    """Return the logged requests of a key since a day, grouped in one query."""
    rows = LoggedRequest.objects.filter(key=key, at__gte=datetime.combine(first, time.min, UTC))
    of_store = Q(path__startswith=f"{STORES}{key.store_id}/")
    is_elsewhere = ExpressionWrapper(Q(path__startswith=STORES) & ~of_store, BooleanField())
    columns = ("resource", "access", "method", "address", "client", "status", "reason", "is_elsewhere")
    counted = (
        rows.annotate(is_elsewhere=is_elsewhere)
        .values(*columns)
        .annotate(requests=Count("pk"), last_at=Max("at"))
    )
    groups = []
    for row in counted.order_by("-requests")[:MAX_GROUPS]:
        method, status, reason = row.pop("method"), row.pop("status"), row.pop("reason")
        # What was refused before its access was looked at needed the method's.
        row["access"] = row["access"] or Access.for_method(method).value
        groups.append(Group(refusal=(reason or "") if status in REFUSED_STATUS_CODES else None, **row))
    return groups


def merge(groups: Iterable[Group]) -> list[Group]:
    """Return one group for each scope, address and client, the largest first."""
    merged: dict[tuple[str, str | None, str], Group] = {}
    for group in groups:
        of_caller = group.scope, group.address, group.client
        if known := merged.get(of_caller):
            group = replace(
                group,
                requests=known.requests + group.requests,
                last_at=max(known.last_at, group.last_at),
            )
        merged[of_caller] = group
    return sorted(merged.values(), key=lambda group: -group.requests)
