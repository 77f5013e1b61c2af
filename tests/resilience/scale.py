"""Several machines under load, each part killed in turn: ``python -m tests.resilience.scale``.

It prints what clients saw, in a table, and writes build/scale.json.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import psycopg

from tests.postgres import Postgres
from tests.programs import Unavailable
from tests.resilience import scenarios
from tests.resilience.load import Load, ask
from tests.resilience.machines import Machines, WebServer, machines
from tests.resilience.scenarios import Seen
from tests.resilience.site import STORE
from tests.server import ROOT

LASTING_SECONDS = 3.0
REQUESTS = 1000
GOOD = {"200", "201"}
ROLLING_RESTART = "A rolling restart of both web servers"
HEAD = """\
| what | requests | errors | failing for | back after | not limited | half done | counts lost | transactions |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


class Part(Protocol):
    """A process that can be killed and started again at the same address."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class Row:
    """Results of one fault, and the transactions of each database; fewer than none: it began anew."""

    seen: Seen
    transactions: dict[str, int]

    def __str__(self) -> str:
        seen = self.seen
        errors = [f"{count} × {what}" for what, count in seen.answers.items() if what not in GOOD]
        counts = [f"{name} {count if count >= 0 else '–'}" for name, count in self.transactions.items()]
        cells = (
            seen.fault,
            sum(seen.answers.values()),
            ", ".join(errors) or 0,
            f"{seen.failing_seconds:.1f} s",
            f"{seen.back_after_seconds:.1f} s",
            seen.uncounted,
            seen.half_done,
            seen.usage_lost,
            ", ".join(counts),
        )
        return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    rows: list[Row] = []
    try:
        with machines() as started:
            cpu_ms = measure_cpu(started)
            print(
                "\n".join(f"{part}: {ms:.2f} ms of a core for a GET of orders" for part, ms in cpu_ms.items())
            )
            print(f"\n{HEAD}")
            for row in measure_all(started, lasting=LASTING_SECONDS):
                print(row, flush=True)
                rows.append(row)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    figures = ROOT / "build" / "scale.json"
    figures.parent.mkdir(exist_ok=True)
    figures.write_text(json.dumps({"cpu_ms": cpu_ms, "faults": [as_json(row) for row in rows]}, indent=2))
    return int(any(row.seen.complaints or row.seen.half_done for row in rows))


def as_json(row: Row) -> dict[str, object]:
    seen = {name: value for name, value in asdict(row.seen).items() if name != "during"}
    return seen | {"transactions": row.transactions}


def measure_cpu(started: Machines) -> dict[str, float]:
    """Return how many milliseconds of a core each part takes for one list of 20 orders, flushes included."""
    before = {part: sum(map(cpu_seconds, pids)) for part, pids in started.pids().items()}
    with closing(started.site.connect()) as connection:
        for _ in range(REQUESTS):
            assert ask(connection, started.site.key, "GET", f"{STORE}/orders/").is_good
    return {
        part: 1000 * (sum(map(cpu_seconds, pids)) - before[part]) / REQUESTS
        for part, pids in started.pids().items()
    }


def cpu_seconds(first: int) -> float:
    """Return what a process and its children have used, those that have ended included."""
    parents, ticks = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = file.read_text().rpartition(")")[2].split()
            pid = int(file.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    family = {first}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def measure_all(started: Machines, *, lasting: float) -> Iterator[Row]:
    for fault in faults(started, lasting=lasting):
        before = transactions(started.databases)
        seen = measure(started, fault, lasting=lasting)
        after = transactions(started.databases)
        yield Row(seen, {name: after[name] - before[name] for name in after})


def measure(started: Machines, fault: str, *, lasting: float) -> Seen:
    """Let a fault happen, whose name is among ``faults``. All is well when requests are counted, too."""
    happen = faults(started, lasting=lasting)[fault]
    return scenarios.measure(fault, started.site, happen, is_well=lambda a: a.is_good and a.is_limited)


def transactions(databases: dict[str, Postgres]) -> dict[str, int]:
    """Return how many transactions each has committed since it was started."""
    query = "SELECT sum(xact_commit)::bigint FROM pg_stat_database"
    found = {}
    for name, database in databases.items():
        with psycopg.connect(host=str(database.folder), user="postgres") as connection:
            (found[name],) = connection.execute(query).fetchone() or (0,)
    return found


def faults(started: Machines, *, lasting: float) -> dict[str, Callable[[Load], None]]:
    """Return the faults by their names in the table."""
    parts: dict[str, Part | None] = {
        "A web server": started.web_servers[0],
        "The worker": started.worker,
        "nginx": started.nginx,
        "PgBouncer": started.bouncer,
        **{f"PostgreSQL ({name})": database for name, database in started.databases.items()},
        # One of them has the counter of the key, another one in the next minute.
        **{f"Valkey node {number}": node for number, node in enumerate(started.nodes, start=1)},
    }
    return {
        "Nothing": lambda _: time.sleep(lasting),
        ROLLING_RESTART: restart_in_turn(started.web_servers),
        **{f"{name} killed": kill(part, lasting=lasting) for name, part in parts.items() if part},
    }


def restart_in_turn(web_servers: list[WebServer]) -> Callable[[Load], None]:
    """Restart one web server after the other, as for a new release."""

    def happen(load: Load) -> None:
        for web_server in web_servers:
            web_server.restart()
            load.goes_well(40)

    return happen


def kill(part: Part, *, lasting: float) -> Callable[[Load], None]:
    """Kill a part, and start it again after so many seconds."""

    def happen(_: Load) -> None:
        part.kill()
        time.sleep(lasting)
        part.start()

    return happen


if __name__ == "__main__":
    sys.exit(main())
