"""The audit log: every change to a key, to all keys of a store or to its owners, kept as data for ever.

Entries outlive the key, the person and the store that they are about: those are named in text besides.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys import key_text
from apikeys.events import Event
from stores.models import Store
from stores.models.columns import FoldedField
from stores.text import comparable

if TYPE_CHECKING:
    from apikeys.actors import Actor
    from apikeys.models.key import ApiKey


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def record(
        self, event: Event, *, by: "Actor", store: Store, key: "ApiKey | None" = None, **details: Any
    ) -> "AuditEntry":
        """Add an entry. ``details`` are JSON: texts, numbers, lists, and moments in ISO 8601."""
        return self.create(
            event=event,
            store=store,
            key=key,
            prefix=key.prefix if key else "",
            name=key.name if key else "",
            actor=by.user,
            actor_email=by.user.email if by.user else "",
            actor_prefix=by.key.prefix if by.key else "",
            address=by.address,
            details=details,
        )

    def for_key(self, key: "ApiKey") -> "AuditQuerySet":
        """Entries about the key, and those about all keys of its store since it was created."""
        about_all = Q(store_id=key.store_id, key=None, event__in=(Event.SUSPENDED, Event.RESUMED))
        return self.filter(Q(key=key) | (about_all & Q(at__gte=key.created_at)))

    def search(self, text: str) -> "AuditQuerySet":
        """Entries about keys with this name or prefix, and by people with this e-mail address."""
        return self.filter(Q(prefix=text) | Q(search_text__contains=comparable(text)))


class AuditEntry(models.Model):
    """One change: what, to which key, by whom, when, from which address. Nobody edits it."""

    # The indexes below begin with them.
    store = models.ForeignKey(Store, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    key = models.ForeignKey(
        "apikeys.ApiKey", on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    prefix = models.CharField(
        max_length=key_text.PREFIX_LENGTH, blank=True, help_text="Blank: it is not about one key."
    )
    name = models.CharField(max_length=100, blank=True, help_text="What the key was called.")
    event = models.CharField(max_length=11, choices=Event.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor_email = models.CharField(max_length=254, blank=True, help_text="Blank: no person did it.")
    actor_prefix = models.CharField(
        max_length=key_text.PREFIX_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text="The key of the program that did it.",
    )
    search_text = FoldedField(sources=("name", "actor_email"))
    details = models.JSONField(default=dict, help_text="What changed, from what to what.")
    address = models.GenericIPAddressField(null=True, help_text="Where it was done from; null: not known.")
    at = models.DateTimeField(default=timezone.now)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("store", "-at", "-id"), name="audit_newest_of_store"),
            models.Index(fields=("key", "-at", "-id"), name="audit_newest_of_key"),
            models.Index(fields=("prefix", "-at"), name="audit_newest_of_prefix"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(event__in=Event.values), name="audit_event_is_known"),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}"

    @property
    def subject(self) -> str:
        """The thing that it was done to: a key such as ``Accounting (19656ea)``, or what is not one key."""
        if self.prefix:
            return f"{self.name} ({self.prefix})"
        return "The store" if self.event == Event.OWNERS_CHANGED else "All keys"

    @property
    def sentence(self) -> str:
        """Sentences of what was done; of entries older than the audit log, the one written then."""
        details = {**self.details, "by_person": bool(self.actor_email)}
        return str(details.get("sentence") or Event(self.event).row.describe(details))

    @property
    def actor_name(self) -> str:
        return self.actor_email or (f"API key {self.actor_prefix}" if self.actor_prefix else "Reflow")
