"""The store, and the base classes of all models whose rows belong to one."""

import itertools
import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower, Now, Upper
from django.db.models.lookups import Exact
from django.dispatch import Signal
from django.utils import timezone
from django.utils.text import slugify

from stores.models.columns import FoldedField
from stores.money import validate_currency
from stores.resources import Resource
from stores.text import clean_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Row = TypeVar("Row", bound=models.Model)


def random_store_id() -> int:
    """Return a random nine-digit number: ids that count up would tell how many stores there are."""
    return 100_000_000 + secrets.randbelow(900_000_000)


class StoreQuerySet(models.QuerySet["Store"]):
    def owned_by(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        return self.filter(owners=user.pk) if user.is_authenticated else self.none()


class Store(models.Model):
    id = models.PositiveIntegerField(primary_key=True, default=random_store_id, editable=False)
    name = models.CharField(max_length=100)
    currency = models.CharField(
        max_length=3, default="USD", validators=[validate_currency], help_text="ISO 4217 code."
    )
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="stores")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When the API or an owner last changed something of the store: kept where there are read replicas.
    changed_at = models.DateTimeField(null=True, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                name="store_id_has_nine_digits",
                condition=Q(id__gte=100_000_000, id__lte=999_999_999),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Keep the name as names are kept. Raises ValidationError for one with invisible characters."""
        try:
            self.name = clean_name(self.name)
        except ValidationError as error:
            raise ValidationError({"name": error}) from error


class StoreScopedQuerySet(models.QuerySet[Row]):
    def for_store(self, store: Store) -> Self:
        """Only the rows of this store."""
        return self.filter(store=store)


# Rows of a StoreObject were written together, without their own signals: ``keys``, pairs of the ids of their
# store and their own, and whether they were ``created``.
written_together = Signal()


class StoreObjectQuerySet(StoreScopedQuerySet[Row]):
    """Tells of what it writes together as saving each row would."""

    @transaction.atomic
    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Row]:
        rows: list[Any] = super().bulk_create(*args, **kwargs)
        keys = [(row.store_id, row.pk) for row in rows]
        written_together.send(self.model, keys=keys, created=True)
        return rows

    @transaction.atomic
    def update(self, **kwargs: Any) -> int:
        """Update the rows, and ``updated_at`` too where it is not given."""
        keys = list(self.order_by().select_for_update().values_list("store_id", "pk"))
        number = super().update(**{"updated_at": timezone.now()} | kwargs)
        written_together.send(self.model, keys=keys, created=False)
        return number


class StoreObject(models.Model):
    """An object of a store that clients read by itself; the feed of changes tells of each change."""

    resource: ClassVar[Resource]

    store = models.ForeignKey(Store, models.CASCADE, db_index=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        abstract = True

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Check also those constraints that have the store or a folded column, which forms leave out."""
        folded = [field for field in self._meta.concrete_fields if isinstance(field, FoldedField)]
        for field in folded:
            field.pre_save(self, add=False)
        super().validate_constraints(set(exclude or ()) - {"store", *(field.name for field in folded)})


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
