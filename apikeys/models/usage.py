"""What became of the requests of keys: counts by day, and the newest request of each.

On PostgreSQL the tables of counts by day have one partition a month (see ``manage.py prune_usage``), so their
primary key there is ``(id, date)``.
"""

from datetime import date, timedelta
from typing import TypeVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys.models.outcomes import Outcome
from stores.models import Store
from stores.resources import Access, Resource

PERIOD_DAYS = 30

Usage = TypeVar("Usage", bound=models.Model)


def first_day(*, days: int = PERIOD_DAYS) -> date:
    """The first of the last ``days`` days, today included, in UTC."""
    return timezone.now().date() - timedelta(days=days - 1)


class UsageQuerySet(models.QuerySet[Usage]):
    def since(self, day: date) -> "UsageQuerySet[Usage]":
        """Rows from this day until today.

        Without an end, PostgreSQL would read the partitions of the coming months, too.
        """
        return self.filter(date__range=(day, timezone.now().date()))

    def last_days(self, days: int = PERIOD_DAYS) -> "UsageQuerySet[Usage]":
        """Rows of the last ``days`` days, today included."""
        return self.since(first_day(days=days))


class ApiKeyUsage(models.Model):
    """How many requests a key made on one day (UTC), by where they led and what they came to."""

    key = models.ForeignKey("apikeys.ApiKey", on_delete=models.CASCADE, related_name="usage")
    date = models.DateField()
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
    requests = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    objects = UsageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "usage by key"
        indexes = (models.Index(fields=("date",), name="api_key_usage_oldest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("key", "date", "resource", "access", "outcome"), name="api_key_usage_is_one_row"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="api_key_usage_outcome_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.date} {self.resource} {self.outcome}: {self.requests}"


class StoreUsage(models.Model):
    """How many requests all keys of a store made on one day (UTC), deleted keys included.

    It repeats what the rows by key add up to, so that the figures over a whole store cost the same
    with two thousand keys as with two.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="usage")
    date = models.DateField()
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    requests = models.PositiveBigIntegerField()

    objects = UsageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "usage by store"
        indexes = (models.Index(fields=("date",), name="store_usage_oldest"),)
        constraints = (
            models.UniqueConstraint(fields=("store", "date", "outcome"), name="store_usage_is_one_row"),
        )

    def __str__(self) -> str:
        return f"{self.date} {self.outcome}: {self.requests}"


class RefusalUsage(models.Model):
    """How many requests of a key were refused on one day (UTC), by the reason.

    It divides the refused requests of ApiKeyUsage, in a table of its own: the release before knows no reason.
    """

    key = models.ForeignKey("apikeys.ApiKey", on_delete=models.CASCADE, related_name="refusals")
    date = models.DateField()
    resource = models.CharField(max_length=20, choices=Resource.choices, blank=True)
    access = models.CharField(max_length=5, choices=Access.choices, blank=True)
    reason = models.CharField(max_length=40, help_text="The error's code, such as api_key_expired.")
    requests = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    objects = UsageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "refusals by key"
        indexes = (models.Index(fields=("date",), name="refusal_usage_oldest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("key", "date", "resource", "access", "reason"), name="refusal_usage_is_one_row"
            ),
        )

    def __str__(self) -> str:
        return f"{self.date} {self.reason}: {self.requests}"


class HourlyUsage(models.Model):
    """How many requests a key made in one hour (UTC), for charts of the last 24 hours.

    Rows are kept for two days. As they go on their own, a deleted key's may stay, and count for its store.
    """

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
    """The newest request of a key: when, what, from where. Apart from the key, whose row it would churn."""

    key = models.OneToOneField(
        "apikeys.ApiKey", on_delete=models.CASCADE, primary_key=True, related_name="last_use"
    )
    at = models.DateTimeField()
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


class UsageWriter(models.Model):
    """A process that writes usage, and the number of its newest batch that is written.

    It tells whether a batch has arrived whose connection broke before the answer came.
    """

    id = models.UUIDField(primary_key=True)
    batch = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.id}, {self.batch}"
