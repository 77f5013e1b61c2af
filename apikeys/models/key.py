"""API keys and what became of their requests. The rules of a key live here: who may change it, and how."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from apikeys import addresses, emails, keys
from apikeys.models import audit
from apikeys.models.outcomes import Status
from apikeys.models.querysets import ApiKeyQuerySet
from apikeys.models.suspension import holding
from stores.models import Store
from stores.resources import Access, Resource, with_implied

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class StaleKey(Exception):
    """Somebody else changed the key after this person had begun to."""


class ApiKey(models.Model):
    """One key of one store. The secret is not here: only the digest of the whole key is."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=keys.PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=keys.DIGEST_LENGTH, editable=False)
    access = models.JSONField(help_text="Scopes such as orders:read, with what they imply.")
    expires_at = models.DateTimeField(null=True, blank=True)
    allowed_addresses = models.JSONField(
        default=list, blank=True, help_text="Addresses and networks (CIDR) it works from; empty: all."
    )
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests a minute; empty: as many as any key."
    )
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    reactivates_at = models.DateTimeField(null=True, blank=True, editable=False)
    # With all keys of its store, by an operator: see apikeys.models.suspension.
    suspended_at = models.DateTimeField(null=True, editable=False)
    predecessor = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="successors"
    )
    superseded_at = models.DateTimeField(null=True, editable=False)
    revealed_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        indexes = (models.Index(fields=("store", "-created_at"), name="api_key_newest_in_store"),)
        constraints = (
            models.UniqueConstraint(fields=("prefix",), name="api_key_prefix_is_unique"),
            models.UniqueConstraint(
                "store",
                Lower("name"),
                condition=Q(superseded_at=None),
                name="api_key_name_is_unique_in_store",
            ),
            models.CheckConstraint(condition=~Q(access=[]), name="api_key_reaches_something"),
            models.CheckConstraint(
                condition=Q(rate_limit=None) | Q(rate_limit__gte=1), name="api_key_rate_limit_lets_in"
            ),
            models.CheckConstraint(
                condition=Q(reactivates_at=None) | Q(reactivates_at__gt=F("deactivated_at")),
                name="api_key_reactivates_after_deactivation",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    # A value of Status, added by ApiKeyQuerySet.with_status().
    status: str

    # What it is now.

    @property
    def masked(self) -> str:
        """The key as it may be shown: ``19656ea.••••••••``."""
        return f"{self.prefix}.{'•' * 8}"

    @property
    def reach(self) -> list[tuple[Resource, Access]]:
        """Each resource the key is let into, with the most it may do there."""
        most = {}
        for scope in self.access:
            resource, access = scope.split(":")
            most[Resource(resource)] = Access(access)
        return list(most.items())

    def get_status_display(self) -> str:
        """The word for the ``status`` that ``with_status()`` added."""
        return str(Status(self.status).label)

    @property
    def is_rollable(self) -> bool:
        return self.superseded_at is None and self.is_usable(timezone.now())

    @property
    def is_deactivatable(self) -> bool:
        return not self.is_deactivated(timezone.now())

    @property
    def is_reactivatable(self) -> bool:
        return self.suspended_at is None and self.is_deactivated(timezone.now())

    def is_inactive(self, at: datetime) -> bool:
        return self.suspended_at is not None or self.is_deactivated(at)

    def is_deactivated(self, at: datetime) -> bool:
        """Whether somebody switched off this very key, suspended or not."""
        return self.deactivated_at is not None and (self.reactivates_at is None or self.reactivates_at > at)

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def is_usable(self, at: datetime) -> bool:
        return not self.is_inactive(at) and not self.is_expired(at)

    def works_from(self, address: addresses.Address | None) -> bool:
        return not self.allowed_addresses or addresses.is_within(address, self.allowed_addresses)

    def allows(self, scope: str) -> bool:
        return scope in self.access

    # What is done to it. Each verb takes the person who does it, and leaves a line of history.

    def change(
        self,
        *,
        by: "User",
        version: int,
        name: str,
        access: Iterable[str],
        expires_at: datetime | None,
        allowed_addresses: list[str] | None = None,
    ) -> None:
        """Rename, widen, narrow, move the expiry, or say where it works from (None: as before), in one step.

        ``version`` is the one the person was looking at; raises StaleKey when the key has moved on, and
        IntegrityError (``api_key_name_is_unique_in_store``) when another key has taken the name.
        """
        with self._locked():
            if self.version != version:
                raise StaleKey
            before = copy(self)
            self.name, self.access, self.expires_at = name, with_implied(access), expires_at
            if allowed_addresses is not None:
                self.allowed_addresses = allowed_addresses
            if changes := audit.changes(before, self):
                self._save("name", "access", "expires_at", "allowed_addresses")
                audit.changed(self, by, changes)
                if gained := [scope for scope in self.access if scope not in before.access]:
                    emails.widened(self, by, gained)

    def limit(self, *, by: "User", rate_limit: int | None) -> None:
        """Let the key make so many requests a minute, or as many as any key."""
        with self._locked():
            before = copy(self)
            self.rate_limit = rate_limit
            if changes := audit.changes(before, self):
                self._save("rate_limit")
                audit.changed(self, by, changes)

    def deactivate(self, *, by: "User", until: datetime | None = None) -> None:
        """Refuse the key from the next request on, for good or until a moment in the future."""
        with self._locked():
            self.deactivated_at, self.reactivates_at = timezone.now(), until
            self._save("deactivated_at", "reactivates_at")
            audit.deactivated(self, by)

    def reactivate(self, *, by: "User") -> None:
        """Let a deactivated key work again; a key that works is left as it is.

        Raises StaleKey for one that an operator has suspended.
        """
        with self._locked():
            if self.suspended_at:
                raise StaleKey
            if self.is_deactivated(timezone.now()):
                self.deactivated_at = self.reactivates_at = None
                self._save("deactivated_at", "reactivates_at")
                audit.reactivated(self, by)

    def report_leaked(self, *, by: "User | None" = None) -> bool:
        """Deactivate for good a key that somebody else has got hold of, and tell its owners.

        ``by`` is the operator who found it, None where it was handed in. False where there is nothing to
        do: it was off for good already, or deleted at this instant.
        """
        with suppress(ApiKey.DoesNotExist), self._locked():
            if self.deactivated_at is None or self.reactivates_at is not None:
                self.deactivated_at, self.reactivates_at = timezone.now(), None
                self._save("deactivated_at", "reactivates_at")
                audit.leaked(self, by)
                emails.leaked(self, by)
                return True
        return False

    def roll(self, *, by: "User", overlap: timedelta) -> tuple["ApiKey", str]:
        """Replace the key by a new one with the same name, access and expiry.

        The old key keeps working for ``overlap``, or until its own expiry if that is sooner. Returns the
        new key and its plaintext, which exists nowhere else. Raises StaleKey when the key no longer works
        or was rolled already.
        """
        with holding(self.store), self._locked():
            if not self.is_rollable:
                raise StaleKey
            now, expiry = timezone.now(), self.expires_at
            self.expires_at = min(now + overlap, expiry) if expiry else now + overlap
            self.superseded_at = now
            self._save("expires_at", "superseded_at")
            successor, plaintext = ApiKey.objects.draw(
                store=self.store,
                name=self.name,
                access=self.access,
                expires_at=expiry,
                allowed_addresses=self.allowed_addresses,
                rate_limit=self.rate_limit,
                created_by=by,
                predecessor=self,
            )
            audit.rolled(self, successor, by)
            emails.rolled(self, successor, by)
            return successor, plaintext

    def reveal(self) -> bool:
        """Whether the plaintext may be shown now: true once in a key's life, whoever asks at once."""
        hidden = ApiKey.objects.filter(pk=self.pk, revealed_at=None)
        return hidden.update(revealed_at=timezone.now()) == 1

    def remove(self, *, by: "User") -> None:
        """Delete the key and its usage for good; the history keeps a line."""
        with self._locked():
            audit.deleted(self, by)
            emails.deleted(self, by)
            self.delete()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A transaction that holds this key's row, its fields fresh, so that no change gets lost.

        Raises ApiKey.DoesNotExist when the key has been deleted meanwhile.
        """
        with transaction.atomic():
            self.refresh_from_db(from_queryset=ApiKey.objects.select_for_update())
            yield

    def _save(self, *fields: str) -> None:
        self.version += 1
        self.save(update_fields=[*fields, "version"])
