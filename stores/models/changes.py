"""The feed of changes: a row for each time that an object of a store was created, updated or deleted.

Rows are read in the order of their transactions, and only those of transactions older than the oldest one
that still runs: no later commit can put a row before one that was read. On SQLite, which has one writer at a
time, the order of ids is that of commits.

``bulk_create()`` and ``QuerySet.update()`` of objects are told like ``save()``; SQL by hand is not.
"""

from collections.abc import Sequence
from typing import Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone

from stores.models.store import Store
from stores.resources import Resource

DAYS_KEPT = 30
# Keys are no objects of the shop.
RESOURCES: list[Resource] = [resource for resource in Resource if resource is not Resource.API_KEYS]
BATCH_SIZE = 5000


class TransactionId(models.Func):
    """The id of the running transaction, which begins with it; 0 on SQLite."""

    template = "pg_current_xact_id()::text::bigint"
    sqlite_template = "0"
    output_field = models.BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.sqlite_template, **context)


class OldestTransactionId(TransactionId):
    """The id of the oldest transaction that still runs; on SQLite one above all."""

    template = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    sqlite_template = "1"


class ChangeQuerySet(models.QuerySet["Change"]):
    def settled(self) -> Self:
        """Only changes that no running transaction can put another before."""
        return self.filter(transaction_id__lt=OldestTransactionId())

    def beginning_at(self, transaction_id: int, pk: int) -> Self:
        """Only the change at this place and those after it, in the order of the feed."""
        rest = Q(transaction_id__gt=transaction_id) | Q(transaction_id=transaction_id, pk__gte=pk)
        return self.filter(rest, transaction_id__gte=transaction_id)

    def record(self, model: Any, keys: Sequence[tuple[int, int]], event: "Change.Event") -> None:
        """Record what happened to objects of a model. Each key is the ids of a store and of an object."""
        for start in range(0, len(keys), BATCH_SIZE):
            self.bulk_create(
                Change(store_id=store_id, resource=model.resource, object_id=pk, event=event)
                for store_id, pk in keys[start : start + BATCH_SIZE]
            )


class Change(models.Model):
    class Event(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        DELETED = "deleted", "Deleted"

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="+")
    transaction_id = models.BigIntegerField(db_default=TransactionId(), editable=False)
    resource = models.CharField(
        max_length=10,
        choices=[(resource.value, resource.label) for resource in RESOURCES],
    )
    object_id = models.BigIntegerField()
    event = models.CharField(max_length=7, choices=Event.choices)
    at = models.DateTimeField(default=timezone.now)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ("transaction_id", "id")
        indexes = (models.Index(fields=("store", "transaction_id", "id"), name="change_place_in_store"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(event__in=("created", "updated", "deleted")), name="change_event_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.resource} {self.object_id} {self.event}"
