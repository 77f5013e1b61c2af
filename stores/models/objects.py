"""The base classes of the models whose rows belong to a store."""

import itertools
from collections.abc import Collection
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower, Now, Upper
from django.db.models.lookups import Exact
from django.db.models.signals import post_delete
from django.utils import timezone
from django.utils.text import slugify

from stores.models.changes import Change
from stores.models.columns import FoldedField
from stores.models.store import Store
from stores.resources import Resource

Row = TypeVar("Row", bound=Model)


class StoreObjectQuerySet(QuerySet[Row]):
    """Tells of what it writes together as saving each row would."""

    @transaction.atomic
    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Row]:
        rows: list[Any] = super().bulk_create(*args, **kwargs)
        keys = [(row.store_id, row.pk) for row in rows]
        Change.objects.record(self.model, keys, Change.Event.CREATED)
        return rows

    @transaction.atomic
    def update(self, **kwargs: Any) -> int:
        """Update the rows, and ``updated_at`` too where it is not given."""
        keys = list(self.order_by().select_for_update().values_list("store_id", "pk"))
        number = super().update(**{"updated_at": timezone.now()} | kwargs)
        Change.objects.record(self.model, keys, Change.Event.UPDATED)
        return number


class StoreObject(models.Model):
    """An object of a store that clients read by itself; the feed of changes tells of each change.

    A backup that is being loaded has its own feed: Django calls ``save()`` for none of its rows.
    """

    resource: ClassVar[Resource]

    store = models.ForeignKey(Store, models.CASCADE, db_index=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        post_delete.connect(record_deletion, sender=cls)

    def save(self, *args: Any, **kwargs: Any) -> None:
        event = Change.Event.CREATED if self._state.adding else Change.Event.UPDATED
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)
            Change.objects.record(type(self), [(self.store_id, self.pk)], event)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Check also those constraints that have the store or a folded column, which forms leave out."""
        folded = [field for field in self._meta.concrete_fields if isinstance(field, FoldedField)]
        for field in folded:
            field.pre_save(self, add=False)
        super().validate_constraints(set(exclude or ()) - {"store", *(field.name for field in folded)})


def record_deletion(instance: StoreObject, *, origin: Model | QuerySet[Any], **kwargs: Any) -> None:
    deleted_model = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted_model is not Store:  # a store goes with its feed
        Change.objects.record(type(instance), [(instance.store_id, instance.pk)], Change.Event.DELETED)


class HandleModel(StoreObject):
    """An object that also answers to a handle, which storefronts make their addresses from.

    A handle has a letter in it, so that it is no id, and differs from all others by more than case.
    """

    MAX_HANDLE_LENGTH = 120

    handle = models.SlugField(max_length=MAX_HANDLE_LENGTH, db_index=False)

    class Meta:
        abstract = True
        constraints = (
            models.UniqueConstraint(
                "store",
                Lower("handle"),
                name="%(class)s_handle_is_unique_in_store",
                violation_error_code="unique:handle",
                violation_error_message="Another one has this handle.",
            ),
            models.CheckConstraint(
                condition=~Q(Exact(Lower("handle"), Upper("handle"))),
                name="%(class)s_handle_has_a_letter",
                violation_error_code="handle",
                violation_error_message="Must have a letter in it: digits alone are an id.",
            ),
        )

    def find_free_handle(self, base: str) -> str:
        """Return a handle made from this text, with ``-2``, ``-3`` and so on if the store has it already."""
        base = slugify(base)
        if base.upper() == base.lower():
            base = f"{self._meta.model_name}-{base}".rstrip("-")
        base = base[: self.MAX_HANDLE_LENGTH - 10]
        handles = type(self)._default_manager.filter(store=self.store, handle__istartswith=base)
        taken = {handle.lower() for handle in handles.values_list("handle", flat=True)}
        suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
        return next(base + suffix for suffix in suffixes if base + suffix not in taken)


class StoreScopedChild(models.Model):
    """A row that belongs to the row in its ``parent_field`` and takes its store from there."""

    parent_field: ClassVar[str]

    store = models.ForeignKey(Store, models.CASCADE, editable=False, db_index=False, related_name="+")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.store_id = getattr(self, self.parent_field).store_id
        super().save(*args, **kwargs)
