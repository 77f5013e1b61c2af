"""``python -m tests.benchmarks.ours.log_work``: what is done with a request log besides looking at it.

Printed as JSON: the seconds of a flush of 1,000 requests with the log and without, the bytes by which the
process grew while it made a CSV file of the log, the file's rows, the seconds that dropping a day took, its
rows, and the bytes of a row with its indexes.
"""

import json
import resource
import statistics
import time
from datetime import timedelta
from uuid import uuid4

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from apikeys.models import ApiKey  # noqa: E402
from apikeys.usage import writer  # noqa: E402
from apikeys.usage.batch import Batch  # noqa: E402
from apikeys.usage.request_log import TABLE, maintain_request_log  # noqa: E402
from stores.models import Store  # noqa: E402
from tests.key_requests import make_request  # noqa: E402

FLUSHES = 31
REQUESTS = 1_000


def flush_seconds() -> dict[str, float]:
    """The median of flushes with the log and without, in turn."""
    keys = list(ApiKey.objects.all())
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    batch = Batch(uuid4(), 0)
    for _ in range(FLUSHES):
        for name, measured in seconds.items():
            batch = batch.next_batch()
            for number in range(REQUESTS):
                request = make_request(keys[number % len(keys)], at=timezone.now())
                batch.add(request)
                if name == "with":
                    batch.add_to_log(request)
            start = time.perf_counter()
            writer.write(batch)
            measured.append(time.perf_counter() - start)
    return {name: statistics.median(measured) for name, measured in seconds.items()}


def csv_growth() -> tuple[int, int]:
    """The bytes by which the process has grown at most, and the rows of the file."""
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(User.objects.get())
    path = f"/stores/{Store.objects.get().pk}/settings/api-keys/requests"
    browser.get(f"{path}/")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = sum(chunk.count(b"\n") for chunk in browser.get(f"{path}.csv"))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, rows


def drop_a_day() -> tuple[float, int]:
    """Drop the oldest partition: the seconds that it took, and its rows."""
    tomorrow = timezone.now() + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}_{tomorrow:%Y%m%d}")  # noqa: S608
        rows = int(cursor.fetchone()[0])
    # Rows are in the partitions of the coming days: so many days ahead is where the log begins.
    settings.REQUEST_LOG_DAYS = -1
    start = time.perf_counter()
    upkeep = maintain_request_log()
    seconds = time.perf_counter() - start
    assert len(upkeep.dropped) == 1, upkeep
    return seconds, rows


def bytes_of_a_row() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass",
            [TABLE],
        )
        size = int(cursor.fetchone()[0])
        cursor.execute(f"SELECT count(*) FROM {TABLE}")  # noqa: S608
        return float(size / cursor.fetchone()[0])


if __name__ == "__main__":
    row_bytes = bytes_of_a_row()
    flushes = flush_seconds()
    growth, csv_rows = csv_growth()
    drop_seconds, dropped_rows = drop_a_day()
    print(
        json.dumps(
            {
                "flush_with": flushes["with"],
                "flush_without": flushes["without"],
                "csv_growth": growth,
                "csv_rows": csv_rows,
                "drop_seconds": drop_seconds,
                "dropped_rows": dropped_rows,
                "row_bytes": row_bytes,
            }
        )
    )
