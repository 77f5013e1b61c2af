"""Measure this product against its peers, and against itself as it grows: ``python -m tests.benchmarks``.

It prints as it goes, and leaves ``build/bench.json``. Nothing that is slow makes it fail. With BENCH=quick,
only what needs no server of any kind is measured, and roughly.
"""

import os
import platform
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import growth, in_process, memory, over_http
from tests.benchmarks.places import Place, places
from tests.benchmarks.report import Report
from tests.benchmarks.sides import ROOT, Side
from tests.programs import Unavailable

BUILD = Path("build")
PACKAGES = ("django", "djangorestframework", "psycopg", "gunicorn", "djangorestframework-api-key")


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
            print()
            print(*report.rows, sep="\n")
            report.save(BUILD)
    return 0


def measure(report: Report, found: list[Place], *, quick: bool) -> None:
    collect_static_files(Side.ours(found[0].database("none")))
    print(*describe_machine(), sep="\n", flush=True)
    courses = [in_process.Course.prepared(place, **(in_process.QUICK if quick else {})) for place in found]
    for course in courses:
        report.add(in_process.measure(course))
        report.add(in_process.programs(course))
    if not quick:
        against_load(report, courses)
        report.add(memory.measure(courses[0]))
        for course in courses:
            report.add(growth.measure(course))


def describe_machine() -> Iterator[str]:
    """The machine, the versions, and what the environment has changed: rows speak of the full size."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"{platform.platform()}, {os.cpu_count()} cores"
    yield f"Python {platform.python_version()}, {versions}, SQLite {sqlite3.sqlite_version}"
    if changed := [f"{name}={value}" for name, value in os.environ.items() if name.startswith("BENCH_")]:
        yield ", ".join(changed)


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


if __name__ == "__main__":
    sys.exit(main())
