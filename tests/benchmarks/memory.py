"""Measure whether a worker grows with the requests that it has answered."""

from tests.benchmarks.in_process import Course
from tests.benchmarks.report import Row
from tests.benchmarks.sides import Side

FEW_REQUESTS, MANY_REQUESTS = 50_000, 200_000
# Of all requests, so many ask for orders; the others for nothing, with a hundred keys in turn.
FOR_ORDERS = FEW_REQUESTS // 100


def measure(course: Course) -> Row:
    """Compare the resident memory of one process late with early."""
    after = []
    with Side.ours(course.database_url).worker() as worker:
        for _ in range(MANY_REQUESTS // FEW_REQUESTS):
            worker.make(course.ours("orders"), FOR_ORDERS)
            after.append(worker.make(course.ours("nothing"), FEW_REQUESTS - FOR_ORDERS).memory / 1024**2)
    what = "memory of a worker after 200,000 requests against after 50,000"
    return Row(what, course.place.name, "MiB", after[-1], after[0], 1.03)
