"""Measure whether a worker grows with the requests that it has answered."""

from tests.benchmarks.in_process import Course
from tests.benchmarks.rows import Row, Target, What
from tests.benchmarks.sides import Side
from tests.benchmarks.sizes import FEW_REQUESTS, MANY_REQUESTS

# Of all requests, so many ask for orders; the others for nothing, with a hundred keys in turn.
FOR_ORDERS = 0.01


def measure(course: Course) -> Row:
    """Compare the resident memory of one process late with early."""
    for_orders = int(FEW_REQUESTS * FOR_ORDERS)
    after = []
    with Side.ours(course.database_url).worker() as worker:
        for _ in range(MANY_REQUESTS // FEW_REQUESTS):
            worker.make(course.ours("orders"), for_orders)
            after.append(worker.make(course.ours("nothing"), FEW_REQUESTS - for_orders).memory / 1024**2)
    return Row(What.MEMORY, course.place.name, after[-1], after[0], "MiB", Target(1.03))
