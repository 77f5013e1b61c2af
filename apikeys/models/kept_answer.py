"""Answers to requests with an ``Idempotency-Key``, kept so that a retry gets the same one."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

ANSWERS_KEPT = timedelta(hours=24)


class KeptAnswer(models.Model):
    """An answer to an API key, which nobody can read without that key.

    Both digests and the encryption are under secrets derived from the presented API key, of which the
    server keeps nothing but its hash. ``key_id`` has no constraint: the rows of a deleted key expire.
    """

    key_id = models.BigIntegerField()
    idempotency_digest = models.CharField(max_length=64)
    request_digest = models.CharField(max_length=64)
    answer = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key_id", "idempotency_digest"], name="one_answer_to_a_key_and_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key_id} {self.idempotency_digest[:8]}"
