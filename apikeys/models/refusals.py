"""Why requests of keys are refused: a row for each cause, open until that is gone or its owner leaves it.

A cause is the error's code and, where that decides, the scope that was needed or the address that asked.
"""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys import client_ip
from apikeys.models.from_now import FromNow
from stores.models import Store

if TYPE_CHECKING:
    from apikeys.models.key import ApiKey

# For so long after its newest request an open refusal is an alarm.
ALARM_DAYS = 7
# A key has a row for each of so many addresses that it does not allow; all others share one.
MAX_ADDRESSES = 20


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def open(self) -> "RefusalQuerySet":
        """Refusals that are an alarm: neither fixed nor left, with a request in the last ALARM_DAYS."""
        return self.filter(settled_at=None, last_at__gt=FromNow(-timedelta(days=ALARM_DAYS)))

    def alarms(self) -> "RefusalQuerySet":
        """Open refusals of a key that works: that it was off, or had expired, ended by itself."""
        return self.open().exclude(reason__in=("api_key_inactive", "api_key_expired"))

    def settle_fixed(self, key: "ApiKey", *, is_limit_raised: bool = False) -> None:
        """Settle the causes that a change of the key has mended, in the transaction of that change."""
        now = timezone.now()
        # One by one in the order of the usage writer, which a database need not have for texts: two changes
        # of many rows could deadlock.
        in_order = attrgetter("reason", "scope", "address")
        for refusal in sorted(self.filter(key=key, settled_at=None), key=in_order):
            if refusal.is_mended(key, now) or (is_limit_raised and refusal.reason == "rate_limited"):
                self.filter(pk=refusal.pk)._settle()

    def settle_inactive(self, keys: "models.QuerySet[ApiKey]") -> None:
        """Settle that these keys were off, which they are no more."""
        rows = self.filter(key__in=keys.values("pk"), reason="api_key_inactive", settled_at=None)
        # One of each key, in the order of the usage writer.
        self.filter(pk__in=rows.order_by("key").select_for_update().values("pk"))._settle()

    def _settle(self) -> None:
        self.filter(settled_at=None).update(settled_at=timezone.now(), settled_as=Settled.FIXED)

    def leave(self) -> int:
        """Settle these because their owner wants them refused: they stay so, and are counted on."""
        now = timezone.now()
        return self.exclude(settled_as=Settled.LEFT).update(settled_at=now, settled_as=Settled.LEFT)

    def reopen(self) -> int:
        """Take ``leave`` back."""
        return self.filter(settled_as=Settled.LEFT).update(settled_at=None, settled_as="")


class Settled(models.TextChoices):
    """Why a refusal is no alarm any more."""

    FIXED = "fixed", "Fixed"
    LEFT = "left", "Left refused"


class Refusal(models.Model):
    """The requests of a key that were refused for one cause. They outlive the key, without a constraint."""

    store = models.ForeignKey(
        Store, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "apikeys.ApiKey", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    reason = models.CharField(max_length=40, help_text="The error's code, such as api_key_expired.")
    scope = models.CharField(
        max_length=26, blank=True, help_text="Such as orders:read; blank where no scope was missing."
    )
    address = models.CharField(
        max_length=39,
        blank=True,
        help_text="One that the key does not allow; blank: another cause, or all further addresses.",
    )
    client = models.CharField(
        max_length=200, blank=True, help_text="The User-Agent header of the newest request."
    )
    requests = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_as = models.CharField(max_length=5, choices=Settled.choices, blank=True)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("key", "last_at"), condition=Q(settled_at=None), name="refusal_open_of_key"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("key", "reason", "scope", "address"), name="refusal_is_one_row_a_cause"
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_as="")
                | Q(settled_at__isnull=False, settled_as__in=Settled.values),
                name="refusal_is_settled_as_something",
            ),
        )

    def __str__(self) -> str:
        return " ".join(filter(None, (self.reason, self.scope, self.address)))

    @property
    def is_left(self) -> bool:
        return self.settled_as == Settled.LEFT

    def is_mended(self, key: "ApiKey", at: datetime) -> bool:
        """Whether the key, as it is, would not be refused for this cause, as far as its own settings tell."""
        match self.reason:
            case "api_key_inactive":
                return not key.is_inactive(at)
            case "api_key_expired":
                return not key.is_expired(at)
            case "resource_not_allowed":
                return key.allows(self.scope)
            case "address_not_allowed" if self.address:
                return key.is_allowed_from(client_ip.parse(self.address))
            case "address_not_allowed":
                return not key.allowed_addresses
        return False
