"""What a process of the server has, and how much of it is in use."""

import threading
import time

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

MEASURE_SECONDS = 5

BUSY_THREADS = Gauge(
    "reflow_threads_busy",
    "Threads that answer a request: the one that answers /metrics is among them.",
    multiprocess_mode="livesum",
)
THREADS = Gauge("reflow_threads", "Threads that can answer requests.", multiprocess_mode="livesum")
MEMORY = Gauge("reflow_process_memory_bytes", "Resident memory of each process.", multiprocess_mode="liveall")


def start(threads: int) -> None:
    """Measure this process, which has so many threads, from now on."""
    THREADS.set(threads)
    threading.Thread(target=measure_memory, name="process-metrics", daemon=True).start()


def measure_memory() -> None:
    """Measure again and again, apart from the requests: reading it takes longer than counting."""
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    while (size := process.get_sample_value("process_resident_memory_bytes")) is not None:
        MEMORY.set(size)
        time.sleep(MEASURE_SECONDS)
