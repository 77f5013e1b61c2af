"""What in a store's keys needs its owner's attention: how many keys, and which."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models import BooleanField, Count, Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet, RefusalUsage
from apikeys.models.key_states import EXPIRES_SOON, IDLE, is_expired, is_inactive
from apikeys.models.usage import PERIOD_DAYS, first_day
from stores.models import Store


class Attention(models.TextChoices):
    """Why a key needs attention: a filter of the list, and what is said of one such key."""

    EXPIRED_CALLED = "expired-called", "expired and still called"
    REFUSED = "refused-since-change", "refused since the last change"
    EXPIRING = "expiring-soon", "expiring within 7 days"
    NEVER_USED = "never-used", "never used in 30 days"
    IDLE = "idle-90-days", "not used for 90 days"
    WRITE_UNUSED = "write-unused", "with write access that no request needed in 30 days"


SCOPES = {
    "postgresql": "jsonb_array_elements_text(apikeys_apikey.access) AS scope (value)",
    "sqlite": "json_each(apikeys_apikey.access) AS scope",
}
UNUSED_WRITE = """
    EXISTS (
        SELECT 1 FROM {scopes}
        WHERE scope.value LIKE '%%:write' AND NOT EXISTS (
            SELECT 1 FROM apikeys_apikeyusage used
            WHERE used.key_id = apikeys_apikey.id AND used.date BETWEEN %s AND %s AND used.access = 'write'
                AND used.resource || ':write' = scope.value
        )
    )
"""

# Those that the monthly review is about; the others have letters of their own, or are urgent.
REVIEWED = {Attention.NEVER_USED, Attention.IDLE, Attention.WRITE_UNUSED}


@dataclass(frozen=True, slots=True)
class Line:
    """So many keys that need attention for one reason, and the path of the list that shows them."""

    reason: Attention
    count: int
    path: str

    @property
    def in_review(self) -> bool:
        return self.reason in REVIEWED

    def __str__(self) -> str:
        keys = "1 key" if self.count == 1 else f"{self.count} keys"
        return f"{keys} {self.reason.label}"


def needs_attention(store: Store) -> list[Line]:
    """Return a line for each reason that holds for a key of the store, most urgent first, in two queries."""
    keys, now = ApiKey.objects.for_store(store), timezone.now()
    conditions = _conditions_of_usable(now)
    counts = keys.usable().aggregate(
        **{reason.name: Count("pk", filter=condition) for reason, condition in conditions.items()}
    )
    counts[Attention.EXPIRED_CALLED.name] = keys.filter(_is_expired_and_called(now)).count()
    path = reverse("apikeys:list", args=[store.pk])
    return [
        Line(reason, counts[reason.name], f"{path}?attention={reason.value}")
        for reason in Attention
        if counts[reason.name]
    ]


def needing_attention(keys: ApiKeyQuerySet, reason: str) -> ApiKeyQuerySet:
    """Return those of the keys that need attention for a reason, a value of Attention."""
    now = timezone.now()
    if reason == Attention.EXPIRED_CALLED:
        return keys.filter(_is_expired_and_called(now))
    return keys.usable().filter(_conditions_of_usable(now)[Attention(reason)])


def _is_expired_and_called(now: datetime) -> Q:
    return is_expired(now) & ~is_inactive(now) & Q(last_use__at__gt=F("expires_at"))


def _conditions_of_usable(now: datetime) -> dict[Attention, Q]:
    """Return the condition of each reason for which a key that works needs attention."""
    lately = now - timedelta(days=PERIOD_DAYS)
    return {
        Attention.REFUSED: Q(_is_refused_since_change()),
        Attention.EXPIRING: Q(expires_at__lte=now + EXPIRES_SOON),
        Attention.NEVER_USED: Q(last_use=None, created_at__lt=lately),
        Attention.IDLE: Q(last_use__at__lt=now - IDLE),
        Attention.WRITE_UNUSED: Q(created_at__lt=lately, last_use__at__gte=lately) & Q(_has_unused_write()),
    }


def _is_refused_since_change() -> Exists:
    """Keys with a request that was refused in the last 30 days, after they were last changed."""
    return Exists(
        RefusalUsage.objects.last_days().filter(
            key=OuterRef("pk"),
            last_at__gt=Coalesce(OuterRef("changed_at"), OuterRef("created_at")),
        )
    )


def _has_unused_write() -> RawSQL:
    """Keys that may write to a resource and have not asked to in 30 days.

    Raw, because the ORM cannot take a JSON list apart: it takes a subquery for each resource.
    """
    return RawSQL(  # noqa: S611  # names of our own
        UNUSED_WRITE.format(scopes=SCOPES[connection.vendor]),
        [first_day(), timezone.now().date()],
        output_field=BooleanField(),
    )
