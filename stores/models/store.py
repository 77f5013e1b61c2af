"""The store, and what finds the stores of an owner."""

import secrets
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from stores.money import validate_currency
from stores.text import clean_name

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


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
