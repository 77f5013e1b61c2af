"""The two vocabularies of the settings page: how a key stands, and what a request came to."""

from typing import Self

from django.db import models


class Status(models.TextChoices):
    """What an owner needs to know about a key in one word, the most urgent first."""

    INACTIVE = "inactive", "Inactive"
    EXPIRED = "expired", "Expired"
    REFUSALS = "refusals", "Refusals"
    EXPIRING = "expiring", "Expires soon"
    ACTIVE = "active", "Active"


class Outcome(models.TextChoices):
    """What a request came to: served, turned away at the door, or gone wrong behind it."""

    SUCCEEDED = "succeeded", "Succeeded"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"

    @classmethod
    def of(cls, status_code: int) -> Self:
        """The outcome that an HTTP status code stands for."""
        if status_code < 400:
            return cls("succeeded")
        return cls("refused" if status_code in {401, 403, 429} else "failed")
