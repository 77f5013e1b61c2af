"""E-mail on its way: one row for each e-mail and person, queued in the transaction of what it tells of."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class EmailQuerySet(models.QuerySet["Email"]):
    def waiting(self) -> "EmailQuerySet":
        """E-mails that are neither sent nor given up."""
        return self.filter(sent_at=None, failed_at=None)


class Email(models.Model):
    """A message to one person. No secret is in it: a link that carries one is made when it is sent."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Null: nobody has the address that a password was asked for.",
    )
    address = models.CharField(
        max_length=254,
        blank=True,
        db_default="",
        help_text="Where it goes; blank: the recipient's own address.",
    )
    subject = models.CharField(max_length=300)
    text = models.TextField()
    link_text = models.CharField(max_length=100, blank=True)
    link_path = models.CharField(max_length=300, blank=True, help_text="Below the site's address.")
    unsubscribe_path = models.CharField(
        max_length=300, blank=True, help_text="Where it can be switched off; blank: it cannot."
    )
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="When it was given up.")
    error = models.CharField(max_length=200, blank=True, help_text="Why the last attempt failed.")

    objects = EmailQuerySet.as_manager()

    class Meta:
        verbose_name = "e-mail"
        # Until the release before is gone, which has this name for it.
        db_table = "apikeys_letter"
        indexes = (
            models.Index(
                fields=("created_at",),
                condition=Q(sent_at=None, failed_at=None),
                name="letter_oldest_waiting",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(failed_at=None), name="letter_is_sent_or_given_up"
            ),
        )

    def __str__(self) -> str:
        return self.subject
