"""The shop: what a store sells, to whom, and for how much."""

import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


def random_store_id() -> int:
    """A nine-digit number, not guessable in sequence: a store's id is in every address."""
    return 100_000_000 + secrets.randbelow(900_000_000)


class StoreQuerySet(models.QuerySet["Store"]):
    def owned_by(self, user: Any) -> "StoreQuerySet":
        return self.filter(owners=user.pk)


class Store(models.Model):
    id = models.PositiveIntegerField(primary_key=True, default=random_store_id, editable=False)
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="stores")
    created_at = models.DateTimeField(auto_now_add=True)

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
