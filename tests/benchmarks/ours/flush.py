"""The cost of a flush of 10,000 requests."""

import statistics
import time
from itertools import cycle, islice, product
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.resources import Access, Resource
from tests.key_requests import make_request

FLUSHES = 11
REQUESTS = 10_000
KEYS = 100


def fill(batch: Batch) -> None:
    """Add requests of many keys, to every resource, some of which fail, all of them logged."""
    # From all over the table: prefixes do not follow ids.
    kinds = product(ApiKey.objects.order_by("prefix")[:KEYS], Resource.values, Access.values, (200, 500))
    now = timezone.now()
    for key, resource, access, status_code in islice(cycle(kinds), REQUESTS):
        request = make_request(key, at=now, resource=resource, access=access, status_code=status_code)
        batch.add(request)
        batch.add_to_log(request)


def measure() -> dict[str, float]:
    """Return the medians of some flushes, on the clock and of this process alone, and one's statements."""
    batch = Batch(uuid4(), 0)
    clock, processor = [], []
    for _ in range(FLUSHES):
        batch = batch.next_batch()
        fill(batch)
        started, busy = time.perf_counter(), time.process_time()
        writer.write(batch)
        clock.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    batch = batch.next_batch()
    fill(batch)
    with CaptureQueriesContext(connection) as statements:
        writer.write(batch)
    return {
        "ms on the clock": statistics.median(clock) * 1000,
        "ms of our own process": statistics.median(processor) * 1000,
        "statements": len(statements),
    }
