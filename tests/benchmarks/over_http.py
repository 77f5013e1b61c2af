"""Measure what two cores serve over HTTP: ``GET orders`` from the production server, under a real load.

Both sides are served by the same program, set up alike, with as many processes and threads.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.in_process import Course
from tests.benchmarks.rows import Figures, Row, Target, What
from tests.benchmarks.sides import ROOT, Call, Side
from tests.server import free_port, wait_for

SERVER = ("gunicorn", "-c", "python:reflow.server.gunicorn", "--bind", "127.0.0.1:{port}")
OURS, THEIRS = "reflow.wsgi:application", "tests.benchmarks.peers.wsgi:application"
WARM_UP_SECONDS = 2
CONNECTIONS = (8, 64)
LOAD_ROUNDS, LOAD_SECONDS = 3, 4
TAIL_CONNECTIONS = 8
# Each long enough for some flushes, each of which can be in the way of a hundredth of the requests.
TAIL_ROUNDS, TAIL_SECONDS = 7, 4
# Usage is counted, but nothing is written before the measurement is over.
OFF = {"USAGE_FLUSH_SECONDS": "86400"}


def measure(course: Course) -> Iterator[Row | Figures]:
    """The rows of one database; raises Unavailable before the first."""
    load.program()
    place, url = course.place, course.database_url
    shared = {"REDIS_URL": place.redis_url} if place.redis_url else {}
    name = f"{place.name} with Valkey" if shared else place.name
    with ExitStack() as stack:
        ours = stack.enter_context(served(Side.ours(url, **shared), OURS))
        silent = stack.enter_context(served(Side.ours(url, **shared, **OFF), OURS))
        theirs = stack.enter_context(served(Side.peers(url), THEIRS))
        orders, their_orders = course.ours("orders"), course.peer("api-key", "orders")
        yield from throughput(name, {"ours": (ours, orders), "api-key stack": (theirs, their_orders)})
        yield tail(name, {"on": (ours, orders), "off": (silent, orders)})


def throughput(name: str, servers: dict[str, tuple[str, Call]]) -> Iterator[Row | Figures]:
    """Requests a second and latencies of both, at each number of connections."""
    figures: dict[str, dict[str, float]] = {"requests/s": {}, "p50": {}, "p99": {}}
    rows = []
    for connections in CONNECTIONS:
        loads = compete(servers, rounds=LOAD_ROUNDS, connections=connections, seconds=LOAD_SECONDS)
        for server, measured in loads.items():
            label = f"{server}, {connections} connections"
            figures["requests/s"][label] = statistics.median(one.throughput for one in measured)
            figures["p50"][label] = statistics.median(one.p50 for one in measured) * 1000
            figures["p99"][label] = statistics.median(one.p99 for one in measured) * 1000
        ours, theirs = list(figures["requests/s"].values())[-2:]
        where = f"{name}, {connections} connections"
        target = Target(3.2 if name.startswith("PostgreSQL") else 2.5, is_least=True)
        rows.append(Row(What.THROUGHPUT, where, ours, theirs, "requests/s", target))
    yield Figures("GET orders over HTTP", name, "requests/s", figures["requests/s"])
    yield Figures("GET orders over HTTP, p50", name, "ms", figures["p50"])
    yield Figures("GET orders over HTTP, p99", name, "ms", figures["p99"])
    yield from rows


def tail(name: str, servers: dict[str, tuple[str, Call]]) -> Row:
    """Compare how far the slowest hundredth is from the middle, with usage written and not."""
    loads = compete(servers, rounds=TAIL_ROUNDS, connections=TAIL_CONNECTIONS, seconds=TAIL_SECONDS)
    on, off = (statistics.median(one.p99 / one.p50 for one in measured) for measured in loads.values())
    return Row(What.TAIL, name, on, off, "", Target(1.1))


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


@contextmanager
def served(side: Side, application: str) -> Iterator[str]:
    """The server of production with this application on a free port: its address."""
    port = free_port()
    with tempfile.NamedTemporaryFile(prefix="reflow-bench-") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in SERVER), application],
            cwd=ROOT,
            env=side.environment,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(process, port, Path(output.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
