"""Callers of a key by the request log: its addresses and programs.

Those of a rolled key have moved to the new one, are still on the old one, or have been silent since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db.models import Count, F, Max, Q
from django.db.models.functions import TruncMinute
from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey, LoggedRequest, Notice
from apikeys.models.usage import REFUSED_STATUS_CODES
from apikeys.usage.periods import Period

MAX_REQUESTS = 20_000
MAX_CALLERS = 10
MAX_MOVES = 50
# So long before the old key ends, its owners are told who has not moved.
WARNING = timedelta(hours=6)
# Callers of the old key before the roll are known for so long.
BEFORE = timedelta(days=14)


def callers_of(key: ApiKey, period: Period) -> dict[str, Any]:
    """Return who made the key's requests in the period, of the newest MAX_REQUESTS of them.

    ``addresses`` and ``clients`` are those with the most requests ``since`` a moment. Each has its ``name``,
    ``requests`` and ``last_at``; the name of an address is None where it is not known. ``busiest`` is the
    number of requests in the busiest minute of the last week, as far as that goes back.
    """
    first = max(period.start, timezone.now() - timedelta(days=settings.REQUEST_LOG_DAYS))
    rows = LoggedRequest.objects.filter(key=key, at__gte=first)
    newest = rows.order_by("-at", "-id").values_list("at", flat=True)
    since = newest[MAX_REQUESTS : MAX_REQUESTS + 1].first() or first
    counted = rows.filter(at__gte=since)

    def most(column: str) -> list[Any]:
        groups = counted.values(name=F(column)).annotate(requests=Count("pk"), last_at=Max("at"))
        return list(groups.order_by("-requests", "name")[:MAX_CALLERS])

    week = counted.filter(at__gte=timezone.now() - timedelta(days=7)).annotate(minute=TruncMinute("at"))
    minutes = week.values_list("minute").annotate(requests=Count("pk")).order_by("-requests")
    busiest = minutes.values_list("requests", flat=True).first() or 0
    return {"addresses": most("address"), "clients": most("client"), "since": since, "busiest": busiest}


@dataclass(frozen=True, slots=True)
class Move:
    """A caller of a rolled key: its address and client, and when it called last with which key."""

    address: str
    client: str
    state: Literal["moved", "old", "silent"]
    last_at: datetime


def moves_of(old: ApiKey) -> list[Move] | None:
    """Return the callers of a rolled key, those still on it first; None where the log does not tell."""
    successor = old.successors.order_by("-created_at").first()
    if successor is None or old.superseded_at is None or settings.REQUEST_LOG != "all":
        return None
    with_old = last_calls(old, since=old.superseded_at - BEFORE)
    with_new = last_calls(successor, since=old.superseded_at)
    moves = []
    for caller, at in with_old.items():
        moved_at = with_new.get(caller)
        if moved_at and moved_at > at:
            moves.append(Move(*caller, "moved", moved_at))
        else:
            moves.append(Move(*caller, "old" if at > old.superseded_at else "silent", at))
    order = {"old": 0, "silent": 1, "moved": 2}
    return sorted(moves, key=lambda move: (order[move.state], -move.last_at.timestamp()))[:MAX_MOVES]


def last_calls(key: ApiKey, *, since: datetime) -> dict[tuple[str, str], datetime]:
    """Return when each address and client called last with a key, refused requests left out."""
    rows = LoggedRequest.objects.filter(~Q(status__in=REFUSED_STATUS_CODES), key=key, at__gte=since)
    calls = rows.values_list("address", "client").annotate(last=Max("at")).order_by("-last")
    return {(address or "", client): at for address, client, at in calls[:MAX_MOVES]}


def tell_of_moves() -> None:
    """Tell owners once of rolled keys that nobody needs any more, and of those that end while one does.

    One that was edited to have no end is no old key that can be ended: nothing is told of it.
    """
    now = timezone.now()
    rolled = ApiKey.objects.usable().filter(superseded_at__isnull=False, expires_at__isnull=False)
    for key in rolled.select_related("store"):
        moves = moves_of(key) or []
        still_on_it = [move for move in moves if move.state == "old"]
        # A key that renews itself ends by itself as soon as its program has moved.
        if {move.state for move in moves} == {"moved"} and key.renews_days is None:
            tell(key, Notice.MOVED, moves)
        elif still_on_it and key.expires_at and key.expires_at - now <= WARNING:
            tell(key, Notice.NOT_MOVED, still_on_it)


def tell(key: ApiKey, notice: Notice, moves: Iterable[Move]) -> None:
    if key.superseded_at:
        lines = [
            f"{move.address or 'address not known'}, {move.client or 'client not known'}" for move in moves
        ]
        emails.send_notice_once(notice, key, key.superseded_at, facts=[("Ends", key.expires_at)], lines=lines)
