"""Reckon what a billion requests a day need: ``python -m tests.benchmarks.arithmetic``.

It reads what `make scale` measured, from build/scale.json, and prints tables as in reflow/deploy/SCALING.md.
"""

import json
from collections.abc import Iterator, Mapping
from math import ceil

from tests.server import ROOT

REQUESTS_A_DAY = 1_000_000_000
# How many times the average the busy hour has, and how much of a core is used then.
PEAK = 3
USED = 0.6
CORES = 16
PROCESSES, CONNECTIONS_A_PROCESS = 16, 5
PARTS = ("web servers", "PostgreSQL", "nginx", "PgBouncer", "Valkey")


def main() -> None:
    measured = json.loads((ROOT / "build" / "scale.json").read_text())["cpu_ms"]
    print("\n".join(lines(measured)))


def lines(cpu_ms: Mapping[str, float]) -> Iterator[str]:
    """Two tables, from the milliseconds of a core that a request takes of each part."""
    peak = PEAK * REQUESTS_A_DAY / (24 * 60 * 60)
    yield f"| part | ms of a core a request | cores at {peak:,.0f} a second | machines of {CORES} |"
    yield "| --- | --- | --- | --- |"
    for part in PARTS:
        if part in cpu_ms:
            cores = cores_for(peak, cpu_ms[part])
            yield f"| {part} | {cpu_ms[part]:.2f} | {cores:,} | {ceil(cores / CORES):,} |"
    processes = PROCESSES * ceil(cores_for(peak, cpu_ms["web servers"]) / CORES)
    yield ""
    yield "| of all web servers together | |"
    yield "| --- | --- |"
    yield f"| processes, one a core | {processes:,} |"
    connections = processes * CONNECTIONS_A_PROCESS
    yield f"| connections, {CONNECTIONS_A_PROCESS} a process of four threads | {connections:,} |"
    yield f"| transactions of usage a second, one a process | {processes:,} |"


def cores_for(requests_a_second: float, cpu_ms: float) -> int:
    return ceil(requests_a_second * cpu_ms / 1000 / USED)


if __name__ == "__main__":
    main()
