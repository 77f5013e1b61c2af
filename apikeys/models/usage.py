"""Usage of keys: counts of requests by day and by hour, and the newest request of each key.

Rows name keys and stores by ids without a foreign key constraint. So counting locks no key and no store,
nobody waits to delete one, and what was counted for a deleted key stays part of its store's figures.
``apikeys.usage.retention`` deletes what is old.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys import client_ip
from stores.models import Store
from stores.resources import Access, Resource

PERIOD_DAYS = 30
REFUSED_STATUS_CODES = frozenset({401, 403, 429})


class Outcome(models.TextChoices):
    """The end of a request: served, refused because of its key, or failed for another reason."""

    SUCCEEDED = "succeeded", "Succeeded"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"

    @classmethod
    @lru_cache
    def for_status_code(cls, status_code: int) -> Self:
        """Return the outcome that an HTTP status code stands for."""
        if status_code < 400:
            return cls("succeeded")
        return cls("refused" if status_code in REFUSED_STATUS_CODES else "failed")


def first_day(*, days: int = PERIOD_DAYS) -> date:
    """The first of the last ``days`` days, today included, in UTC."""
    return timezone.now().date() - timedelta(days=days - 1)


class Usage(models.Model):
    """The number of requests of a key on one day (UTC), by resource, access, outcome and reason."""

    store = models.ForeignKey(
        Store, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "apikeys.ApiKey",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="usage",
    )
    day = models.DateField()
    resource = models.CharField(
        max_length=20, choices=Resource.choices, blank=True, help_text="Blank: a route of no resource."
    )
    access = models.CharField(
        max_length=5,
        choices=Access.choices,
        blank=True,
        help_text="Blank: refused before its access was looked at.",
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    reason = models.CharField(
        max_length=40,
        blank=True,
        help_text="Why it was refused, by the error's code; blank for all other requests.",
    )
    requests = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "usage by key"
        indexes = (models.Index(fields=("store", "day"), name="usage_of_store"),)
        constraints = (
            models.UniqueConstraint(
                # The store last: keys are looked for by themselves.
                fields=("key", "day", "resource", "access", "outcome", "reason", "store"),
                name="usage_is_one_row",
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="usage_outcome_is_known"),
        )

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.day), self.resource, self.outcome, self.reason)))


class StoreUsage(models.Model):
    """The number of requests of all keys of a store on one day (UTC), deleted keys included.

    It repeats what the rows by key add up to, so that the figures over a whole store cost the same
    with two thousand keys as with two.
    """

    store = models.ForeignKey(
        Store, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    day = models.DateField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    requests = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "usage by store"
        # The release before wrote to apikeys_storeusage.
        db_table = "apikeys_usage_by_store"
        constraints = (
            models.UniqueConstraint(fields=("store", "day", "outcome"), name="usage_by_store_is_one_row"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}: {self.requests}"


class HourlyUsage(models.Model):
    """The number of requests of a key in one hour (UTC): for charts of the last 24 hours, and its rhythm."""

    store = models.ForeignKey(
        Store, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "apikeys.ApiKey", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    hour = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    requests = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "usage by hour"
        indexes = (models.Index(fields=("store", "hour"), name="hourly_usage_of_store"),)
        constraints = (
            models.UniqueConstraint(fields=("key", "hour", "outcome"), name="hourly_usage_is_one_row"),
        )

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.outcome}: {self.requests}"


class LastUse(models.Model):
    """The newest request of a key: when, what, from where. Apart from the key, whose row it would churn.

    A key is tried with each request, and used only with one that was not refused.
    """

    key = models.OneToOneField(
        "apikeys.ApiKey",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="last_use",
    )
    at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, help_text="Its newest request that was let in; null for none.")
    method = models.CharField(max_length=10)
    resource = models.CharField(max_length=20, choices=Resource.choices, blank=True)
    status_code = models.PositiveSmallIntegerField()
    address = models.GenericIPAddressField(null=True, help_text="Null: not known.")
    client = models.CharField(max_length=200, blank=True, help_text="The User-Agent header.")

    class Meta:
        verbose_name_plural = "last uses"

    def __str__(self) -> str:
        request = " ".join(filter(None, (self.method, self.resource)))
        return f"{request}, {self.status_code}"

    @property
    def network(self) -> str:
        """The network around its address, such as ``192.0.2.0/24``; blank where that is not known."""
        return client_ip.network_around(self.address) if self.address else ""


class UsageWriter(models.Model):
    """A process that writes usage, and the number of its newest batch that is written.

    It tells whether a batch has arrived whose connection broke before the answer came.
    """

    id = models.UUIDField(primary_key=True)
    batch = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.id}, {self.batch}"
