"""Which server, with how many processes and threads: ``python -m tests.benchmarks.servers``.

All of them serve the product from the same PostgreSQL, side by side, and take the same load in turn: the
orders' list, where the database and Python do most of the work, and a view that does nothing, where the
server does. What else a server is chosen by, such as what it does when it is told to stop, is not a figure.
"""

import statistics
import sys
from contextlib import ExitStack

from tests.benchmarks import load
from tests.benchmarks.in_process import Course
from tests.benchmarks.over_http import OURS, SERVER, compete, served
from tests.benchmarks.places import places
from tests.benchmarks.sides import Side
from tests.benchmarks.sizes import CONNECTIONS, FULL
from tests.programs import Unavailable

GRANIAN = ("granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--no-log", "--port", "{port}")
SECONDS = 2


def gunicorn(kind: str, processes: int, threads: int) -> tuple[str, ...]:
    return (*SERVER, "-k", kind, "--workers", str(processes), "--threads", str(threads))


def granian(processes: int, threads: int) -> tuple[str, ...]:
    return (*GRANIAN, "--workers", str(processes), "--blocking-threads", str(threads))


SERVERS = {
    "gunicorn sync, 2 processes": gunicorn("sync", 2, 1),
    "gunicorn sync, 4 processes": gunicorn("sync", 4, 1),
    "gunicorn gthread, 2 of 1 thread": gunicorn("gthread", 2, 1),
    "gunicorn gthread, 2 of 2 threads": gunicorn("gthread", 2, 2),
    "gunicorn gthread, 2 of 4 threads": gunicorn("gthread", 2, 4),
    "gunicorn gthread, 4 of 2 threads": gunicorn("gthread", 4, 2),
    "granian, 2 of 1 thread": granian(2, 1),
    "granian, 2 of 4 threads": granian(2, 4),
}


def main() -> int:
    try:
        load.program()
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    with places(only_sqlite=False) as found, ExitStack() as stack:
        course = Course.prepared(found[-1], FULL)
        side = Side.ours(course.database_url)
        addresses = {
            name: stack.enter_context(served(side, OURS, server)) for name, server in SERVERS.items()
        }
        for path in ("orders", "nothing"):
            for connections in CONNECTIONS:
                print(f"\n{path}, {connections} at once: requests/s, p50 and p99 in ms [{course.place.name}]")
                servers = {name: (address, course.ours(path)) for name, address in addresses.items()}
                for name, loads in compete(servers, connections=connections, seconds=SECONDS).items():
                    print(f"  {name:<34}{summary(loads)}", flush=True)
    return 0


def summary(loads: list[load.Load]) -> str:
    """The medians of several rounds."""
    throughput = statistics.median(one.throughput for one in loads)
    p50, p99 = (statistics.median(getattr(one, name) for one in loads) * 1000 for name in ("p50", "p99"))
    return f"{throughput:>8,.0f}{p50:>9.1f}{p99:>9.1f}"


if __name__ == "__main__":
    sys.exit(main())
