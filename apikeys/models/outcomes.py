"""The outcome of a request."""

from functools import lru_cache
from typing import Self

from django.db import models

REFUSED_STATUS_CODES = frozenset({401, 403, 429})


class Outcome(models.TextChoices):
    """The end of a request: served, refused because of its key, or failed for another reason."""

    SUCCEEDED = "succeeded", "Succeeded"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"

    @classmethod
    @lru_cache
    def for_status_code(cls, status_code: int) -> Self:
        """Return the outcome that an HTTP status code stands for."""
        if status_code < 400:
            return cls("succeeded")
        return cls("refused" if status_code in REFUSED_STATUS_CODES else "failed")
