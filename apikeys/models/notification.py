"""Choices of each owner of a store about e-mail, and a note of what was told already."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from apikeys.events import Notice, Notification
from stores.models import Store

# Of so many networks it is remembered that a key is used from them. A key that is used from more moves
# about, and another network tells nothing.
MAX_KNOWN_NETWORKS = 100


class NotificationSettingsQuerySet(models.QuerySet["NotificationSettings"]):
    def recipients(self, store: Store, notification: Notification | None) -> QuerySet[User]:
        """Return the store's owners who can sign in, have an address, and want this if they have a choice.

        Without a row the defaults hold; None is what is always told.
        """
        owners = store.owners.filter(is_active=True).exclude(email="")
        if notification is None:
            return owners
        rows = self.filter(store=store)
        wanted = Q(pk__in=rows.filter(**{notification: True}).values("user"))
        if getattr(self.model(), notification):
            wanted |= ~Q(pk__in=rows.values("user"))
        return owners.filter(wanted)

    def claim_review(self, store: Store, user: User) -> bool:
        """Note that a person is sent this month's review of a store. False where it was noted before."""
        today = timezone.now().date()
        row, _ = self.get_or_create(store=store, user=user)
        due = Q(reviewed_on=None) | Q(reviewed_on__lt=today.replace(day=1))
        return self.filter(due, pk=row.pk).update(reviewed_on=today) == 1


class NotificationSettings(models.Model):
    """The choices of one owner of one store. Changes to keys and leaked keys are always told."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expiry = models.BooleanField(
        "Keys that expire",
        default=True,
        help_text="7 days and 1 day before a key expires, and once when an expired key is still called.",
    )
    new_network = models.BooleanField(
        "Use from a new network",
        default=False,
        help_text="A key is used from a network it was never used from. At most one e-mail a key and day.",
    )
    monthly_review = models.BooleanField(
        "Monthly review",
        default=True,
        help_text="Once a month: keys that nobody uses, and access that no request needs.",
    )
    fence = models.BooleanField(
        "Refused by a new fence",
        default=True,
        db_default=True,
        help_text="At once, for 48 hours after you fenced a key. At most one e-mail a key and hour.",
    )
    rhythm = models.BooleanField(
        "Keys that fall silent",
        default=True,
        db_default=True,
        help_text="A key that is used regularly falls silent or only fails, and when it succeeds again.",
    )
    roll = models.BooleanField(
        "Rolled keys that are still called",
        default=True,
        db_default=True,
        help_text="When all programs have moved to the new key, and before the old one ends if one has not.",
    )
    reviewed_on = models.DateField(null=True, editable=False)

    objects = NotificationSettingsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "notification settings"
        constraints = (
            models.UniqueConstraint(fields=("store", "user"), name="notification_settings_are_one_row"),
        )

    def __str__(self) -> str:
        return f"{self.store}: {self.user}"


class Reminder(models.Model):
    """That a key's owners were told something once. ``about`` is the expiry, or the day that it is about."""

    key = models.ForeignKey("apikeys.ApiKey", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Notice.choices)
    about = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("key", "kind", "about"), name="reminder_is_sent_once"),
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.get_kind_display()}"


class KnownNetwork(models.Model):
    """A network that a key was used from: /24 of IPv4, /48 of IPv6. Without a constraint, as usage."""

    key = models.ForeignKey(
        "apikeys.ApiKey", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    network = models.CharField(max_length=43)
    first_used_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "network"), name="known_network_is_one_row"),)

    def __str__(self) -> str:
        return self.network
