"""All keys of a store, switched off by an operator in one step, and on again.

A suspension lies over the keys: which of them their owners had switched off stays as it is. The row says
why and since when. Each key carries ``suspended_at`` besides, so that checking a key takes no other row;
both change in one transaction that holds the store, and so is every key made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from apikeys import emails, keys
from apikeys.models import audit
from stores.models import Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class StoreSuspended(Exception):
    """The store's keys are suspended, so it gets no new one."""

    def __init__(self, suspension: "Suspension") -> None:
        super().__init__(
            f"An operator suspended all API keys of this store ({suspension.reason}), and it gets no new "
            "ones until the suspension is lifted."
        )


@contextmanager
def holding(store: Store) -> Iterator[None]:
    """A transaction in which nobody else makes a key of the store, suspends its keys or resumes them."""
    with transaction.atomic():
        # Rows that refer to the store, such as usage, can be written meanwhile.
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        yield


def validate_reason(text: str) -> None:
    """A reason goes to owners by e-mail and into the history: no key in it."""
    if keys.without_secrets(text) != text:
        raise ValidationError("Leave the key out, please: everybody who may look at it reads the reason.")


class SuspensionQuerySet(models.QuerySet["Suspension"]):
    def of(self, store: Store) -> "Suspension | None":
        return self.filter(store=store).first()

    def ensure_none(self, store: Store) -> None:
        """Raise StoreSuspended where there is one."""
        if suspension := self.of(store):
            raise StoreSuspended(suspension)

    def begin(self, *, store: Store, by: "User | None", reason: str) -> "Suspension":
        """Refuse all keys of a store from the next request on, and tell its owners why.

        Raises StoreSuspended when they are already.
        """
        with holding(store):
            self.ensure_none(store)
            suspension = self.create(store=store, by=by, reason=reason)
            suspended = store.api_keys.all()
            suspended.update(suspended_at=suspension.at)
            audit.suspended(suspension, suspended)
            emails.suspended(suspension, keys=len(suspended))
        return suspension


class Suspension(models.Model):
    """The keys of a store are refused, and it gets no new ones."""

    store = models.OneToOneField(
        Store, on_delete=models.CASCADE, primary_key=True, related_name="key_suspension"
    )
    reason = models.CharField(
        max_length=200, validators=[validate_reason], help_text="The store's owners read it."
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    objects = SuspensionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.store}: {self.reason}"

    def lift(self, *, by: "User | None") -> None:
        """Let the keys work again that worked before, and tell the store's owners.

        One that somebody else has lifted meanwhile is left at that.
        """
        with holding(self.store):
            if not Suspension.objects.filter(pk=self.pk).delete()[0]:
                return
            resumed = self.store.api_keys.all()
            resumed.update(suspended_at=None)
            audit.resumed(self, resumed, by)
            emails.resumed(self, by)
