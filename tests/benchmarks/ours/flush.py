"""``python -m tests.benchmarks.ours.flush``: what a flush of 10,000 requests costs, as JSON.

Printed are the medians of some flushes, in seconds on the clock and of this process alone, and the number
of statements of one.
"""

import json
import statistics
import time
from itertools import cycle, islice, product
from uuid import uuid4

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from apikeys.models import ApiKey  # noqa: E402
from apikeys.usage import writer  # noqa: E402
from apikeys.usage.batch import Batch  # noqa: E402
from stores.resources import Access, Resource  # noqa: E402
from tests.key_requests import make_request  # noqa: E402

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
        "seconds": statistics.median(clock),
        "cpu_seconds": statistics.median(processor),
        "statements": len(statements),
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
