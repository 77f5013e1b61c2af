"""Measure what two cores serve over HTTP: ``GET orders`` from the production server, under a real load.

Both sides are served by the same program, with as many processes and threads. Ours is set up as it is
deployed: on PostgreSQL with prepared statements, which Django leaves off.
"""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.in_process import Course
from tests.benchmarks.report import Row, show_figures
from tests.benchmarks.sides import Call, Side
from tests.server import gunicorn

OURS, THEIRS = "reflow.wsgi:application", "django.core.wsgi:get_wsgi_application()"
WARM_UP_SECONDS = 2
CONNECTIONS = (8, 64)
LOAD_ROUNDS, LOAD_SECONDS = 3, 4
TAIL_CONNECTIONS = 8
# Each long enough for some flushes, each of which can be in the way of a hundredth of the requests.
TAIL_ROUNDS, TAIL_SECONDS = 7, 4
# Usage is counted, but nothing is written before the measurement is over.
OFF = {"USAGE_FLUSH_SECONDS": "86400"}


def measure(course: Course) -> Iterator[Row]:
    """The rows of one database; raises Unavailable before the first."""
    load.program()
    place, url = course.place, course.database_url
    shared = place.deployed | ({"REDIS_URL": place.redis_url} if place.redis_url else {})
    name = f"{place.name} with Valkey" if place.redis_url else place.name
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reflow-bench-")))
        ours, silent, theirs = (
            stack.enter_context(gunicorn(folder, application, **side.environment)).url
            for side, application in (
                (Side.ours(url, **shared), OURS),
                (Side.ours(url, **shared, **OFF), OURS),
                (Side.peers(url), THEIRS),
            )
        )
        orders, their_orders = course.ours("orders"), course.peer("orders")
        yield from throughput(name, {"ours": (ours, orders), "api-key stack": (theirs, their_orders)})
        yield tail(name, {"on": (ours, orders), "off": (silent, orders)})


def throughput(name: str, servers: dict[str, tuple[str, Call]]) -> Iterator[Row]:
    """Requests a second and latencies of both, at each number of connections."""
    for connections in CONNECTIONS:
        loads = compete(servers, rounds=LOAD_ROUNDS, connections=connections, seconds=LOAD_SECONDS)
        where = f"{name}, {connections} connections"
        milliseconds = {
            f"{server}, {percentile}": statistics.median(getattr(one, percentile) for one in measured) * 1000
            for server, measured in loads.items()
            for percentile in ("p50", "p99")
        }
        show_figures(f"GET orders over HTTP [{where}]", "ms", milliseconds)
        ours, theirs = (statistics.median(one.throughput for one in measured) for measured in loads.values())
        what = "requests a second over HTTP on two cores, `GET orders`, against the same peer"
        bound = 3.2 if name.startswith("PostgreSQL") else 2.5
        yield Row(what, where, "requests/s", ours, theirs, bound, is_least=True)


def tail(name: str, servers: dict[str, tuple[str, Call]]) -> Row:
    """Compare how far the slowest hundredth is from the middle, with usage written and not."""
    loads = compete(servers, rounds=TAIL_ROUNDS, connections=TAIL_CONNECTIONS, seconds=TAIL_SECONDS)
    on, off = (statistics.median(one.p99 / one.p50 for one in measured) for measured in loads.values())
    return Row("p99 over p50 at 8 connections, with usage recording on against off", name, "", on, off, 1.1)


def compete(
    servers: dict[str, tuple[str, Call]], *, rounds: int, connections: int, seconds: int
) -> dict[str, list[load.Load]]:
    """Put the same load on one server after the other, in several rounds."""
    loads: dict[str, list[load.Load]] = {name: [] for name in servers}
    for round_ in range(rounds + 1):
        for name, (address, call) in servers.items():
            measured = load.put_on(
                f"{address}{call.path}",
                call.headers[0]["Authorization"],
                connections=connections,
                seconds=seconds if round_ else WARM_UP_SECONDS,
            )
            if round_:
                loads[name].append(measured)
    return loads
