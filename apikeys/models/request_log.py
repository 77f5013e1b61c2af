"""The request log: a row for each request of a key, kept for REQUEST_LOG_DAYS.

On PostgreSQL the table has one partition a day (see ``apikeys.usage.retention``), so its primary key there
is ``(id, at)``. Rows refer to keys and stores without a foreign key constraint: they outlive both, and
deleting a key does not delete millions of rows.
"""

from django.db import models
from django.db.models import Q

from apikeys import key_text
from apikeys.models.usage import REFUSED_STATUS_CODES, Outcome
from stores.models import Store
from stores.resources import Access, Resource


def has_outcome(outcome: str) -> Q:
    """Return the condition that a request has this outcome, a value of Outcome."""
    if outcome == Outcome.SUCCEEDED:
        return Q(reason=None)
    refused = Q(status__in=REFUSED_STATUS_CODES)
    return Q(reason__isnull=False) & (refused if outcome == Outcome.REFUSED else ~refused)


class LoggedRequest(models.Model):
    """One answered request of a key. Its query string, body and Authorization header are never kept."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    store = models.ForeignKey(
        Store, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "apikeys.ApiKey", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    prefix = models.CharField(max_length=key_text.PREFIX_LENGTH, help_text="The key's, which may be deleted.")
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200, help_text="Without the query string.")
    route = models.CharField(max_length=100, help_text="Such as /v1/stores/{store_id}/orders/; blank: none.")
    resource = models.CharField(max_length=20, choices=Resource.choices, help_text="Blank: none.")
    access = models.CharField(
        max_length=5, choices=Access.choices, help_text="Blank: refused before its access was looked at."
    )
    status = models.PositiveSmallIntegerField()
    # Null, not blank, so that the indexes of errors hold nothing else.
    reason = models.CharField(max_length=40, null=True, help_text="The error's code; null: no error.")  # noqa: DJ001
    milliseconds = models.PositiveIntegerField()
    address = models.GenericIPAddressField(null=True, help_text="Null: not known.")
    client = models.CharField(max_length=200, help_text="The User-Agent header.")
    request_id = models.UUIDField()

    class Meta:
        verbose_name = "request"
        indexes = (
            models.Index(fields=("store", "-at", "-id"), name="request_newest_of_store"),
            models.Index(fields=("key", "-at", "-id"), name="request_newest_of_key"),
            models.Index(
                fields=("store", "-at", "-id"),
                condition=Q(reason__isnull=False),
                name="request_errors_of_store",
            ),
            models.Index(
                fields=("key", "-at", "-id"), condition=Q(reason__isnull=False), name="request_errors_of_key"
            ),
            models.Index(
                fields=("key", "reason", "-at", "-id"),
                condition=Q(reason__isnull=False),
                name="request_reasons_of_key",
            ),
            models.Index(fields=("request_id",), name="request_by_request_id"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.path}, {self.status}"

    @property
    def outcome(self) -> Outcome:
        return Outcome.for_status_code(self.status)
