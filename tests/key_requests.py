"""Requests of keys, as usage and the request log are handed them, and as they are counted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import OperationalError
from django.utils import timezone

from apikeys.models import ApiKey, Usage
from apikeys.usage import writer
from apikeys.usage.batch import Batch, KeyRequest

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_request(key: ApiKey, **changes: Any) -> KeyRequest:
    """A request of a key that read orders at NOON, with some of its fields changed."""
    fields: dict[str, Any] = {
        "key_id": key.pk,
        "store_id": key.store_id,
        "prefix": key.prefix,
        "at": NOON,
        "method": "GET",
        "path": f"/v1/stores/{key.store_id}/orders/",
        "route": "/v1/stores/{store_id}/orders/",
        "resource": "orders",
        "access": "read",
        "status_code": 200,
        "reason": None,
        "milliseconds": 7,
        "address": "203.0.113.7",
        "client": "curl/8",
        "request_id": uuid4(),
    }
    return KeyRequest(**(fields | changes))


def write_usage(*requests: KeyRequest) -> Batch:
    """Count and log requests, and write them in one batch."""
    batch = Batch(uuid4(), 1)
    for request in requests:
        batch.add(request)
        batch.add_to_log(request)
    writer.write(batch)
    return batch


def fail_at(table: str) -> Callable[..., Any]:
    """Return a wrapper that fails each statement on a table, as a lost connection does."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if table in sql:
            raise OperationalError("the connection is closed")
        return run(sql, params, many, context)

    return execute


def count_usage(
    key: ApiKey,
    requests: int,
    *,
    scope: str = "orders:read",
    outcome: str = "succeeded",
    reason: str = "",
    days_ago: int = 0,
) -> None:
    """Count requests of a key on a day up to today."""
    at = timezone.now() - timedelta(days=days_ago)
    resource, _, access = scope.partition(":")
    Usage.objects.create(
        store_id=key.store_id,
        key=key,
        day=at.date(),
        resource=resource,
        access=access,
        outcome=outcome,
        reason=reason,
        requests=requests,
        last_at=at,
    )
