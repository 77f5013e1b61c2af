"""``python -m tests.benchmarks.ours.flush_usage``: the seconds of a flush of 1,000 counters, as JSON."""

import json
import statistics
import time
from itertools import product
from uuid import uuid4

import django

django.setup()

from django.utils import timezone  # noqa: E402

from apikeys.models import ApiKey  # noqa: E402
from apikeys.usage import writer  # noqa: E402
from apikeys.usage.batch import Batch  # noqa: E402
from stores.resources import Access, Resource  # noqa: E402
from tests.key_requests import make_request  # noqa: E402

FLUSHES = 101
KEYS = 50


def flush_seconds() -> float:
    """The median of flushes, each of the same keys' requests of this hour."""
    # From all over the table: prefixes do not follow ids.
    keys = ApiKey.objects.order_by("prefix")[:KEYS]
    counters = list(product(keys, Resource.values, Access.values, (200, 500)))
    assert len(counters) == 1_000
    seconds = []
    batch = Batch(uuid4(), 0)
    for _ in range(FLUSHES):
        batch = batch.next_batch()
        now = timezone.now()
        for key, resource, access, status in counters:
            batch.add(make_request(key, at=now, resource=resource, access=access, status_code=status))
        start = time.perf_counter()
        writer.write(batch)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    print(json.dumps(flush_seconds()))
