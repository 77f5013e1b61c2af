"""The states that a key can be in, as conditions for the database."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from apikeys.models.outcomes import Outcome
from apikeys.models.usage import ApiKeyUsage

EXPIRES_SOON = timedelta(days=7)
IDLE = timedelta(days=90)
RECENTLY_REFUSED = timedelta(hours=24)


class KeyFilter(models.TextChoices):
    """What the list of keys can be narrowed down to. A key can match several."""

    WORKING = "working", "Working"
    EXPIRING = "expiring", "Expires soon"
    REFUSED = "refused", "Requests refused"
    IDLE = "idle", "Idle"
    UNUSED = "unused", "Never used"
    EXPIRED = "expired", "Expired"
    OFF = "off", "Off"
    LEAKED = "leaked", "Leaked"


def is_inactive(now: datetime) -> Q:
    """Keys that are deactivated or suspended."""
    deactivated = Q(deactivated_at__isnull=False) & (Q(reactivates_at=None) | Q(reactivates_at__gt=now))
    return deactivated | Q(suspended_at__isnull=False)


def is_expired(now: datetime) -> Q:
    return Q(expires_at__isnull=False, expires_at__lte=now)


def is_usable(now: datetime) -> Q:
    """Keys that a request may use now: neither deactivated, nor suspended, nor expired."""
    return (
        Q(suspended_at=None)
        & (Q(deactivated_at=None) | Q(reactivates_at__lte=now))
        & (Q(expires_at=None) | Q(expires_at__gt=now))
    )


def is_recently_refused(now: datetime) -> Exists:
    """Keys that were refused in the last 24 hours, and since they were last changed."""
    since = now - RECENTLY_REFUSED
    return Exists(
        ApiKeyUsage.objects.since(since.date()).filter(
            Q(last_at__gt=Coalesce(OuterRef("changed_at"), since)),
            key=OuterRef("pk"),
            outcome=Outcome.REFUSED,
            last_at__gt=since,
        )
    )


def conditions_of_usable(now: datetime) -> dict[str, Q]:
    """Return the condition of each KeyFilter that only keys match which a request may use now."""
    return {
        KeyFilter.WORKING: Q(),
        KeyFilter.EXPIRING: Q(expires_at__lte=now + EXPIRES_SOON),
        KeyFilter.REFUSED: Q(is_recently_refused(now)),
        KeyFilter.IDLE: Q(last_use__at__lt=now - IDLE),
        KeyFilter.UNUSED: Q(last_use=None),
    }


def conditions_of_all(now: datetime) -> dict[str, Q]:
    """Return the condition of each other KeyFilter."""
    return {
        KeyFilter.EXPIRED: is_expired(now) & ~is_inactive(now),
        KeyFilter.OFF: is_inactive(now) & Q(leaked_at=None),
        KeyFilter.LEAKED: Q(leaked_at__isnull=False),
    }
