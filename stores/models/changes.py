"""The feed of changes: a row for each time that an object of a store was created, updated or deleted.

Rows are read in the order of their transactions, and only those of transactions older than the oldest one
that still runs: no later commit can put a row before one that was read. On SQLite, which has one writer at a
time, the order of ids is that of commits.

``bulk_create()`` and ``QuerySet.update()`` of objects are told like ``save()``; SQL by hand is not.
"""

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from stores.models.catalogue import Category, Product
from stores.models.sales import Coupon, Customer, Order
from stores.models.store import Store, StoreObject, StoreScopedQuerySet, written_together
from stores.resources import Resource

DAYS_KEPT = 30
TRACKED_MODELS = (Product, Category, Order, Customer, Coupon)
BATCH_SIZE = 5000
# The ids of a store and of one of its objects.
Key: TypeAlias = tuple[int, int]


class TransactionId(models.Func):
    """The id of the running transaction, which begins with it; 0 on SQLite."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="0", **context)


class OldestTransactionId(TransactionId):
    """The id of the oldest transaction that still runs; on SQLite one above all."""

    template = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return models.Func.as_sql(self, compiler, connection, template="1", **context)


class ChangeQuerySet(StoreScopedQuerySet["Change"]):
    def settled(self) -> Self:
        """Only changes that no running transaction can put another before."""
        return self.filter(transaction_id__lt=OldestTransactionId())

    def beginning_at(self, transaction_id: int, pk: int) -> Self:
        """Only the change at this place and those after it, in the order of the feed."""
        rest = Q(transaction_id__gt=transaction_id) | Q(transaction_id=transaction_id, pk__gte=pk)
        return self.filter(rest, transaction_id__gte=transaction_id)


class Change(models.Model):
    class Event(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        DELETED = "deleted", "Deleted"

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="+")
    transaction_id = models.BigIntegerField(db_default=TransactionId(), editable=False)
    resource = models.CharField(
        max_length=10,
        # Keys are no objects of the shop.
        choices=[choice for choice in Resource.choices if choice[0] != Resource.API_KEYS],
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


def record_save(instance: StoreObject, *, created: bool, raw: bool, **kwargs: Any) -> None:
    if not raw:  # a backup that is being loaded has its own feed
        event = Change.Event.CREATED if created else Change.Event.UPDATED
        record_changes(type(instance), [(instance.store_id, instance.pk)], event)


def record_deletion(instance: StoreObject, *, origin: Model | QuerySet[Any], **kwargs: Any) -> None:
    deleted_model = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted_model is not Store:  # a store goes with its feed
        record_changes(type(instance), [(instance.store_id, instance.pk)], Change.Event.DELETED)


def record_bulk(sender: type[StoreObject], *, keys: Sequence[Key], created: bool, **kwargs: Any) -> None:
    record_changes(sender, keys, Change.Event.CREATED if created else Change.Event.UPDATED)


def record_changes(model: type[StoreObject], keys: Sequence[Key], event: Change.Event) -> None:
    for start in range(0, len(keys), BATCH_SIZE):
        Change.objects.bulk_create(
            Change(store_id=store_id, resource=model.resource, object_id=pk, event=event)
            for store_id, pk in keys[start : start + BATCH_SIZE]
        )


for model in TRACKED_MODELS:
    post_save.connect(record_save, sender=model)
    post_delete.connect(record_deletion, sender=model)
    written_together.connect(record_bulk, sender=model)
