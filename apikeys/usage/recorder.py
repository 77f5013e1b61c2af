"""Requests of keys, counted and logged in memory and written about once a second: a read stays a read.

Each process has one Recorder. Requests add to its batch; a thread writes what has gathered every
``USAGE_FLUSH_SECONDS``, and the end of the process writes the rest. With an interval of 0 every request
writes before its response, for those who want each count durable. While the database is away no response
waits for it: what could not be written is kept, and retried.
"""

import atexit
import logging
import os
import threading
from uuid import uuid4

from django.conf import settings
from django.db import DataError, IntegrityError, close_old_connections
from prometheus_client import Counter, Gauge

from apikeys.usage import writer
from apikeys.usage.batch import Batch, KeyRequest

logger = logging.getLogger(__name__)

USAGE_WAITING = Gauge(
    "reflow_usage_waiting",
    "Requests of keys whose usage could not be written so far.",
    multiprocess_mode="livesum",
)
USAGE_FAILURES = Counter("reflow_usage_failures", "Attempts to write usage that failed.")
USAGE_LOST = Counter("reflow_usage_lost", "Requests of keys that went uncounted.")
REQUESTS_UNLOGGED = Counter(
    "reflow_requests_unlogged", "Requests of keys that are missing from the request log."
)

# Seconds until the next attempt where no interval is set.
RETRY_SECONDS = 1.0


class Recorder:
    """Gathers requests from any number of threads and writes them in few statements."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._gathering = Batch(uuid4(), 1)
        self._uncounted = 0
        self._unlogged = 0
        self._writing = threading.Lock()
        self._pending: Batch | None = None
        self._is_failing = False
        self._thread: threading.Thread | None = None

    def record(self, request: KeyRequest) -> None:
        """Count one request; it is written within the interval, or now where that is 0."""
        is_written_now = not settings.USAGE_FLUSH_SECONDS
        with self._counting:
            if not self._gathering.add(request):
                self._uncounted += 1
            if _is_logged(request) and not self._gathering.add_to_log(request):
                self._unlogged += 1
            if not is_written_now:
                self._start_thread()
        if is_written_now:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered. While the database is away, it is kept for the next time."""
        with self._writing:
            # What failed before goes first, and unchanged: it may have arrived in spite of that.
            if self._pending is None or self._write(self._pending):
                with self._counting:
                    self._pending, self._gathering = self._gathering, self._gathering.next_batch()
                self._write(self._pending)
            with self._counting:
                dropped = self._uncounted, self._unlogged
                self._uncounted = self._unlogged = 0
            _report_lost(*dropped, "too much is waiting")

    def finish(self) -> None:
        """Write what has gathered for the last time, and log what is lost."""
        self.flush()
        with self._counting:
            batches = [self._gathering, *filter(None, [self._pending])]
        requests = sum(batch.requests for batch in batches)
        _report_lost(requests, sum(len(batch.log) for batch in batches), "the process has ended")

    def _write(self, batch: Batch) -> bool:
        """Write the pending batch; False where it is kept for the next attempt."""
        try:
            if batch.counts:
                writer.write(batch)
        except (DataError, IntegrityError):
            # Kept, it would fail again and hold up all that comes after it.
            _report_lost(batch.requests, len(batch.log), "they were refused", exc_info=True)
        except Exception:
            USAGE_FAILURES.inc()
            USAGE_WAITING.set(batch.requests)
            if not self._is_failing:
                logger.exception("The usage of API keys cannot be written and is kept")
            self._is_failing = True
            with self._counting:
                self._start_thread()
            return False
        if self._is_failing:
            logger.warning("The usage of API keys is written again")
        self._is_failing = False
        self._pending = None
        USAGE_WAITING.set(0)
        return True

    def _start_thread(self) -> None:
        """Start the thread that writes, at the first request: a server forks before it serves."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._write_regularly, name="usage", daemon=True)
            self._thread.start()

    def _write_regularly(self) -> None:
        pause = threading.Event()
        while not pause.wait(settings.USAGE_FLUSH_SECONDS or RETRY_SECONDS):
            close_old_connections()
            self.flush()


def _report_lost(requests: int, rows: int, reason: str, *, exc_info: bool = False) -> None:
    """Tell operators how many requests are missing from the counts and, as rows, from the request log."""
    if requests:
        USAGE_LOST.inc(requests)
        logger.error("%d requests with API keys went uncounted: %s", requests, reason, exc_info=exc_info)
    if rows:
        REQUESTS_UNLOGGED.inc(rows)
        logger.error("%d requests are missing from the request log: %s", rows, reason, exc_info=exc_info)


def _is_logged(request: KeyRequest) -> bool:
    """Whether REQUEST_LOG asks for a row of this request."""
    logged: str = settings.REQUEST_LOG
    return logged == "all" or (logged == "errors" and request.reason is not None)


_recorder = Recorder()


def record(request: KeyRequest) -> None:
    """Count one request of a key."""
    _recorder.record(request)


def flush() -> None:
    """Write what this process has counted."""
    _recorder.flush()


def _restart() -> None:
    """Give a forked child a recorder of its own.

    It must not write its parent's counts again, nor wait for its threads' locks.
    """
    global _recorder
    _recorder = Recorder()


atexit.register(lambda: _recorder.finish())
os.register_at_fork(after_in_child=_restart)
