"""Do every fault to the site and tell what its clients saw, in a table and in build/faults.json."""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.postgres import own_postgres
from tests.programs import Unavailable
from tests.resilience import proxy, scenarios
from tests.resilience.scenarios import Seen
from tests.resilience.servers import own_valkey, standby
from tests.resilience.site import site
from tests.server import ROOT

LASTING_SECONDS = 3.0
HEAD = """\
| what | answers | longest | half done | back after | usage lost |
| --- | --- | --- | --- | --- | --- |"""


def main() -> int:
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n\n{HEAD}")
    rows = []
    try:
        for seen in everything():
            print(row(seen), flush=True)
            rows.append({name: value for name, value in asdict(seen).items() if name != "during"})
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    figures = ROOT / "build" / "faults.json"
    figures.parent.mkdir(exist_ok=True)
    figures.write_text(json.dumps(rows, indent=2))
    return int(any(seen["complaints"] or seen["half_done"] for seen in rows))


def everything() -> Iterator[Seen]:
    """Each fault, on the databases that it can happen to."""
    with (
        tempfile.TemporaryDirectory() as folder,
        own_postgres() as database,
        own_valkey() as counters,
        site(Path(folder), database.url, REDIS_URL=counters.url, PREPARE_THRESHOLD="5") as large,
    ):
        yield scenarios.postgres_killed(large, database, lasting=LASTING_SECONDS)
        yield scenarios.postgres_restarted(large, database)
        yield scenarios.postgres_frozen(large, database, lasting=LASTING_SECONDS)
        yield scenarios.postgres_read_only(large, database, lasting=LASTING_SECONDS)
        yield scenarios.valkey_killed(large, counters, lasting=LASTING_SECONDS)
        yield scenarios.worker_killed(large)
        try:
            with proxy.proxied(large) as proxied:
                yield scenarios.slow_clients(proxied)
                yield scenarios.idle_connections(proxied)
        except Unavailable as reason:
            print(f"Without a proxy: {reason}", file=sys.stderr)
    with (
        tempfile.TemporaryDirectory() as folder,
        own_postgres() as database,
        standby(database) as replica,
        site(
            Path(folder), database.url, DATABASE_REPLICA_URL=replica.url, PREPARE_THRESHOLD="5"
        ) as replicated,
    ):
        yield scenarios.replica_killed(replicated, replica, lasting=LASTING_SECONDS)
        yield scenarios.replica_frozen(replicated, replica, lasting=LASTING_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/db.sqlite3"
        with site(Path(folder), url, config="tests.resilience.clocked", WEB_PROCESSES="1") as small:
            if sys.platform == "linux":
                yield scenarios.disk_full(small, lasting=LASTING_SECONDS)
            yield scenarios.clock_moved(small)
            yield scenarios.clock_moved(small, back=True)


def row(seen: Seen) -> str:
    answers = ", ".join(f"{count} × {what}" for what, count in seen.answers.items())
    complaints = f" **{'; '.join(seen.complaints)}**" if seen.complaints else ""
    return (
        f"| {seen.fault} | {answers}{complaints} | {seen.longest_seconds:.2f} s | {seen.half_done} "
        f"| {seen.back_after_seconds:.2f} s | {seen.usage_lost} |"
    )


if __name__ == "__main__":
    sys.exit(main())
