"""Measures this product against its peers, and against itself as it grows: ``python -m tests.benchmarks``.

It prints as it goes, and leaves ``build/bench.json`` and ``build/bench.svg``. Nothing that is slow makes it
fail. With BENCH=quick, only what needs no server of any kind is measured, and roughly.
"""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks import growth, in_process, machine, memory, over_http, request_log, sizes, usage
from tests.benchmarks.places import Place, places
from tests.benchmarks.report import Report
from tests.benchmarks.sides import ROOT, Side
from tests.benchmarks.sizes import FULL, QUICK
from tests.programs import Unavailable

BUILD = Path("build")


def main() -> int:
    # Unwinds like Ctrl-C does, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    quick = os.environ.get("BENCH") == "quick"
    report = Report()
    try:
        with places(only_sqlite=quick) as found:
            measure(report, found, quick=quick)
    finally:
        # Of a run that is broken off, what there is.
        if report.rows:
            report.show()
            report.save(BUILD)
    return 0


def measure(report: Report, found: list[Place], *, quick: bool) -> None:
    collect_static_files(Side.ours(found[0].database("none")))
    print(*machine.described(found), *sizes.made_smaller(), sep="\n", flush=True)
    courses = [in_process.Course.prepared(place, QUICK if quick else FULL) for place in found]
    for course in courses:
        report.add(in_process.measure(course))
    if not quick:
        against_load(report, courses)
        as_it_grows(report, courses)


def collect_static_files(side: Side) -> None:
    """Bring the site's static files to where its pages look for them."""
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
    subprocess.run(command, cwd=ROOT, env=side.environment, check=True)


def against_load(report: Report, courses: list[in_process.Course]) -> None:
    for course in courses:
        try:
            report.add(over_http.measure(course))
        except Unavailable as reason:
            print(f"Not measured over HTTP: {reason}", file=sys.stderr)
            return


def as_it_grows(report: Report, courses: list[in_process.Course]) -> None:
    """The filling of databases is not timed, so that memory can be looked at meanwhile."""
    print("\nFilling databases, and answering many requests …", flush=True)
    with ThreadPoolExecutor() as pool:
        remembered = pool.submit(memory.measure, courses[0])
        grown = [growth.Grown.prepared(course.place) for course in courses]
        report.add([remembered.result()])
    for data in grown:
        report.add(growth.measure(data))
    for course in courses:
        if course.place.is_postgres:
            report.add(usage.measure(course.place))
            report.add(request_log.measure(request_log.Logged.prepared(course.place)))


if __name__ == "__main__":
    sys.exit(main())
