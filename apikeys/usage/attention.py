"""What in a store's keys needs its owner's attention: how many keys, and which."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet, ApiKeyUsage, RefusalUsage
from apikeys.models.key_states import EXPIRES_SOON, IDLE, is_expired, is_inactive, is_usable
from apikeys.models.usage import PERIOD_DAYS, first_day
from stores.models import Store
from stores.resources import Access, Resource


class Attention(models.TextChoices):
    """Why a key needs attention: a filter of the list, and what is said of one such key."""

    EXPIRED_CALLED = "expired-called", "expired and still called"
    REFUSED = "refused-since-change", "refused since the last change"
    EXPIRING = "expiring-soon", "expiring within 7 days"
    NEVER_USED = "never-used", "never used in 30 days"
    IDLE = "idle-90-days", "not used for 90 days"
    WRITE_UNUSED = "write-unused", "with write access that no request needed in 30 days"


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
    """Return a line for each reason that holds for a key of the store, most urgent first, in one query."""
    counted = {
        reason.name: Count("pk", filter=condition)
        for reason, condition in _conditions(timezone.now()).items()
    }
    counts = _with_access_text(ApiKey.objects.for_store(store)).aggregate(**counted)
    path = reverse("apikeys:list", args=[store.pk])
    return [
        Line(reason, counts[reason.name], f"{path}?attention={reason.value}")
        for reason in Attention
        if counts[reason.name]
    ]


def needing_attention(keys: ApiKeyQuerySet, reason: str) -> ApiKeyQuerySet:
    """Return those of the keys that need attention for a reason, a value of Attention."""
    return _with_access_text(keys).filter(_conditions(timezone.now())[Attention(reason)])


def _with_access_text(keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
    return keys.annotate(access_text=Cast("access", TextField()))


def _conditions(now: datetime) -> dict[Attention, Q]:
    lately = now - timedelta(days=PERIOD_DAYS)
    usable = is_usable(now)
    return {
        Attention.EXPIRED_CALLED: is_expired(now) & ~is_inactive(now) & Q(last_use__at__gt=F("expires_at")),
        Attention.REFUSED: usable & Q(_is_refused_since_change()),
        Attention.EXPIRING: usable & Q(expires_at__lte=now + EXPIRES_SOON),
        Attention.NEVER_USED: usable & Q(last_use=None, created_at__lt=lately),
        Attention.IDLE: usable & Q(last_use__at__lt=now - IDLE),
        Attention.WRITE_UNUSED: usable
        & Q(created_at__lt=lately, last_use__at__gte=lately)
        & _has_unused_write(),
    }


def _is_refused_since_change() -> Exists:
    """Keys with a request that was refused in the last 30 days, after they were last changed."""
    return Exists(
        RefusalUsage.objects.filter(
            key=OuterRef("pk"),
            date__gte=first_day(),
            last_at__gt=Coalesce(OuterRef("changed_at"), OuterRef("created_at")),
        )
    )


def _has_unused_write() -> Q:
    """Keys that may write to a resource and have not asked to in 30 days."""
    condition = Q()
    for resource in Resource:
        used = ApiKeyUsage.objects.filter(
            key=OuterRef("pk"), date__gte=first_day(), resource=resource, access=Access.WRITE
        )
        condition |= Q(access_text__contains=f'"{resource.scope(Access.WRITE)}"') & ~Q(Exists(used))
    return condition
