"""All keys of a store, stopped by an operator in one step.

A suspension lies over the keys: which of them their owners had deactivated stays as it is. The row says
why and since when. Each key carries ``suspended_at`` besides, so that checking a key reads no other row.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone

from apikeys.validators import validate_no_key
from stores.models import Store


class Suspension(models.Model):
    """The keys of a store are refused, and it gets no new ones."""

    store = models.OneToOneField(
        Store, on_delete=models.CASCADE, primary_key=True, related_name="key_suspension"
    )
    reason = models.CharField(
        max_length=200, validators=[validate_no_key], help_text="The store's owners read it."
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.store}: {self.reason}"
