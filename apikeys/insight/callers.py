"""Callers of a rolled key: moved to the new one, still on the old one, or silent since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey, LoggedRequest, Notice, Notification, NotificationSettings
from apikeys.models.outcomes import REFUSED_STATUS_CODES

MAX_CALLERS = 50
# So long before the old key ends, its owners are told who has not moved.
WARNING = timedelta(hours=6)
# Callers of the old key before the roll are known for so long.
BEFORE = timedelta(days=14)


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
    return sorted(moves, key=lambda move: (order[move.state], -move.last_at.timestamp()))[:MAX_CALLERS]


def last_calls(key: ApiKey, *, since: datetime) -> dict[tuple[str, str], datetime]:
    """Return when each address and client called last with a key, refused requests left out."""
    rows = LoggedRequest.objects.for_key(key.pk).filter(~Q(status__in=REFUSED_STATUS_CODES), at__gte=since)
    calls = rows.values_list("address", "client").annotate(last=Max("at")).order_by("-last")
    return {(address or "", client): at for address, client, at in calls[:MAX_CALLERS]}


def have_moved(moves: Iterable[Move]) -> bool:
    """Whether some have moved to the new key and nobody has called with the old one since they could."""
    states = {move.state for move in moves}
    return "moved" in states and "old" not in states and "silent" not in states


def tell_of_moves() -> None:
    """Tell owners once of rolled keys that nobody needs any more, and of those that end while one does."""
    now = timezone.now()
    for key in ApiKey.objects.usable().filter(superseded_at__isnull=False).select_related("store"):
        if not key.expires_at or not wants_to_know(key):
            continue
        moves = moves_of(key) or []
        # A key that renews itself ends by itself as soon as its program has moved.
        if have_moved(moves) and key.renews_days is None:
            tell(key, Notice.MOVED, moves)
        elif key.expires_at - now <= WARNING and any(move.state == "old" for move in moves):
            tell(key, Notice.NOT_MOVED, [move for move in moves if move.state == "old"])


def wants_to_know(key: ApiKey) -> bool:
    return NotificationSettings.objects.recipients(key.store, Notification.ROLL).exists()


@transaction.atomic
def tell(key: ApiKey, notice: Notice, moves: Iterable[Move]) -> None:
    if key.superseded_at:
        lines = [
            f"{move.address or 'address not known'}, {move.client or 'client not known'}" for move in moves
        ]
        emails.send_notice_once(notice, key, key.superseded_at, facts=[("Ends", key.expires_at)], lines=lines)
