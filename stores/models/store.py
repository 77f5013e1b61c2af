"""The store, and the question that all of its rows are asked through."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from stores.compiled import Compiled, Given
from stores.money import validate_currency

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Row = TypeVar("Row", bound=models.Model)


def random_store_id() -> int:
    """A nine-digit number, not guessable in sequence: a store's id is in every address."""
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


class OfStoreQuerySet(models.QuerySet[Row]):
    # Set on a whole list as it is. A clone does not take it over, and is a QuerySet like any other.
    listed: "Listed[Row] | None" = None

    def for_store(self, store: Store) -> Self:
        """Only what is this store's: the rest does not exist."""
        return self.filter(store=store)

    def with_parts(self) -> Self:
        """With all that an object of the API is made of, in as many queries for many rows as for one."""
        return self

    @classmethod
    def fetch_parts(cls, rows: Sequence[Row]) -> None:
        """Fetch for these rows what ``with_parts()`` fetches in queries of its own."""

    def whole_list(self, store: Store) -> Self:
        """All of a store's rows with their parts, in their own order: a list that nobody filters or sorts.

        It is counted and cut by queries that were compiled once.
        """
        rows = self.model._default_manager.with_parts().for_store(store)  # type: ignore[attr-defined]
        rows.listed = Listed(self.model, store.pk)
        return rows  # type: ignore[no-any-return]

    def count(self) -> int:
        return self.listed.count() if self.listed else super().count()

    def page(self, start: int, size: int) -> list[Row]:
        """At most ``size`` of the rows, after the first ``start``."""
        if self.listed is None:
            return list(self[start : start + size])
        rows = self.listed.page(start, size)
        self.fetch_parts(rows)
        return rows


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """The whole list of one kind of row in one store, by compiled queries."""

    model: type[Row]
    store_id: int

    def count(self) -> int:
        counted = count_of(self.model).run(self.store_id)
        return counted[0][0] if counted else 0

    def page(self, start: int, size: int) -> list[Row]:
        return list_of(self.model).page(self.store_id, start=start, size=size)


@cache
def count_of(model: type[models.Model]) -> Compiled[tuple[int]]:
    rows = model._default_manager.filter(store_id=Given(0)).order_by()
    return Compiled(lambda: rows.values("store_id").annotate(rows=Count("*")).values_list("rows"))


@cache
def list_of(model: type[Row]) -> Compiled[Row]:
    rows = model._default_manager.with_parts()  # type: ignore[attr-defined]
    return Compiled(lambda: rows.filter(store_id=Given(0)))


class PartOfStore(models.Model):
    """A part of a row named by ``whole``. It is of the same store, which nobody has to say twice."""

    whole: ClassVar[str]

    store = models.ForeignKey(Store, models.CASCADE, editable=False, db_index=False, related_name="+")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.store_id = getattr(self, self.whole).store_id
        super().save(*args, **kwargs)
