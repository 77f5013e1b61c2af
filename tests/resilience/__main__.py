"""Do faults to the site and tell what its clients saw, in a table and in build/, as ``faults`` or ``scale``.

``faults`` breaks what one machine stands on; ``scale`` kills each part of several machines.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path

from tests.postgres import own_postgres
from tests.programs import Unavailable
from tests.resilience import proxy, scenarios
from tests.resilience.load import ask
from tests.resilience.machines import Machines, machines
from tests.resilience.scenarios import Fault, Seen
from tests.resilience.servers import standby
from tests.resilience.site import STORE, site
from tests.server import ROOT
from tests.valkey import own_valkey

LASTING_SECONDS = 3.0
REQUESTS = 1000
HEAD = """
| what | answers | longest | failing for | back after | not limited | half done | usage lost |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def main(name: str) -> int:
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    figures: dict[str, object] = {}
    rows: list[Seen] = []
    try:
        for seen in EVERYTHING[name](figures):
            print(HEAD if not rows else "", row(seen), sep="\n" if not rows else "", flush=True)
            rows.append(seen)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    file = ROOT / "build" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(figures | {"faults": [as_json(seen) for seen in rows]}, indent=2))
    return int(any(seen.complaints or seen.half_done for seen in rows))


def as_json(seen: Seen) -> dict[str, object]:
    return {name: value for name, value in asdict(seen).items() if name != "during"}


def row(seen: Seen) -> str:
    answers = ", ".join(f"{count} × {what}" for what, count in seen.answers.items())
    complaints = f" **{'; '.join(seen.complaints)}**" if seen.complaints else ""
    return (
        f"| {seen.fault} | {answers}{complaints} | {seen.longest_seconds:.2f} s "
        f"| {seen.failing_seconds:.1f} s | {seen.back_after_seconds:.1f} s "
        f"| {seen.not_limited} | {seen.half_done} | {seen.usage_lost} |"
    )


def faults(_: dict[str, object]) -> Iterator[Seen]:
    """Each fault, on the databases that it can happen to."""

    def measure(*faults: Fault) -> Iterator[Seen]:
        for fault in faults:
            yield scenarios.measure(served, fault, lasting=LASTING_SECONDS)

    with tempfile.TemporaryDirectory() as name, own_postgres() as database, own_valkey() as counters:
        folder, url = Path(name), database.url
        with site(folder, url, REDIS_URL=counters.url, PREPARE_THRESHOLD="5") as served:
            yield from measure(
                scenarios.postgres_killed(database),
                scenarios.postgres_frozen(served, database),
                scenarios.postgres_read_only(database),
                scenarios.valkey_killed(counters),
                scenarios.worker_killed(served),
            )
            try:
                with proxy.proxied(served) as served:
                    yield from measure(scenarios.slow_clients(served))
            except Unavailable as reason:
                print(f"Without a proxy: {reason}", file=sys.stderr)
        with (
            standby(database) as replica,
            site(folder, url, DATABASE_REPLICA_URL=replica.url, PREPARE_THRESHOLD="5") as served,
        ):
            yield from measure(
                Fault("A read replica killed", lambda: scenarios.killed(replica)),
                Fault("A read replica frozen", replica.frozen),
            )
        url = f"sqlite:///{folder}/db.sqlite3"
        with site(folder, url, config="tests.resilience.clocked", WEB_PROCESSES="1") as served:
            if sys.platform == "linux":
                yield from measure(scenarios.disk_full(served))
            yield from measure(scenarios.clock_moved(served), scenarios.clock_moved(served, back=True))


def scale(figures: dict[str, object]) -> Iterator[Seen]:
    with own_postgres() as primary, machines(primary) as started:
        figures["cpu_ms"] = cpu_ms = measure_cpu(started)
        for part, ms in cpu_ms.items():
            print(f"{part}: {ms:.2f} ms of a core for a GET of orders")
        for fault in started.faults().values():
            yield scenarios.measure(started.site, fault, lasting=LASTING_SECONDS)


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


EVERYTHING: dict[str, Callable[[dict[str, object]], Iterator[Seen]]] = {"faults": faults, "scale": scale}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
