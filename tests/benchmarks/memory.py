"""Measure whether a worker grows with the requests that it has answered."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.benchmarks.in_process import Course
from tests.benchmarks.report import Row
from tests.benchmarks.sides import Answered, Side, Worker

FEW_REQUESTS, MANY_REQUESTS = 50_000, 200_000
# Of all requests, so many ask for orders; the others for nothing, with a hundred keys in turn.
FOR_ORDERS = FEW_REQUESTS // 100
# Until all usage that waits is written.
PAUSE_SECONDS = 10


def measure(course: Course) -> Iterator[Row]:
    """Compare the memory of one process late with early, on SQLite, while no usage waits.

    Usage that waits for a slow disk takes up to 20 MB, which the process keeps for later: whenever that
    happened, it would look like growth. So it happens at once: the first requests find the database locked.
    As what is left of it could hide real growth, what Python holds inside of it is compared as well.
    """
    with Side.ours(course.database_url).worker() as worker:
        with locked(course.database_url.removeprefix("sqlite:///")):
            make_requests(course, worker)
        early = answer_at_rest(course, worker)
        for _ in range(MANY_REQUESTS // FEW_REQUESTS - 1):
            make_requests(course, worker)
        late = answer_at_rest(course, worker)
    name, when = course.place.name, "after 200,000 requests against after 50,000"
    yield Row(f"memory of a worker {when}", name, "MiB", late.memory / 1024**2, early.memory / 1024**2, 1.03)
    yield Row(f"blocks that its Python holds {when}", name, "blocks", late.blocks, early.blocks, 1.03)


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Let nobody else write to a database of SQLite, for as long as the context lasts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def make_requests(course: Course, worker: Worker) -> None:
    worker.make(course.ours("orders"), FOR_ORDERS)
    worker.make(course.ours("nothing"), FEW_REQUESTS - FOR_ORDERS)


def answer_at_rest(course: Course, worker: Worker) -> Answered:
    """Return the answer to a request that comes after a pause."""
    time.sleep(PAUSE_SECONDS)
    return worker.make(course.ours("nothing"), 1)
