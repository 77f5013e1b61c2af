"""Metrics of a process of the server: what it has, and how much of it is in use."""

import os
import time
from pathlib import Path

from prometheus_client import Gauge

MEASURE_SECONDS = 5

BUSY_THREADS = Gauge(
    "reflow_threads_busy",
    "Threads that answer a request: the one that answers /metrics is among them.",
    multiprocess_mode="livesum",
)
THREADS = Gauge("reflow_threads", "Threads that can answer requests.", multiprocess_mode="livesum")
MEMORY = Gauge("reflow_process_memory_bytes", "Resident memory of each process.", multiprocess_mode="liveall")


def measure_memory() -> None:
    """Measure again and again, apart from the requests, where proc_pid_statm(5) tells it, in pages."""
    statm, page = Path("/proc/self/statm"), os.sysconf("SC_PAGE_SIZE")
    while statm.exists():
        MEMORY.set(int(statm.read_text().split()[1]) * page)
        time.sleep(MEASURE_SECONDS)
