"""What keys did, counted in memory and written about once a second: a read request stays a read.

Each process has one Recorder. Requests add to its batch; a thread writes what has gathered every
``USAGE_FLUSH_SECONDS``, and the end of the process writes the rest. With an interval of 0 every request
writes before its answer, for those who want each count durable. While the database is away the answer
does not wait for it: what could not be written is kept, and written as soon as that goes.
"""

import atexit
import logging
import os
import threading
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DataError, IntegrityError, close_old_connections

from apikeys.models.outcomes import Outcome
from apikeys.usage import metrics, writer

logger = logging.getLogger(__name__)

# The most counters in a batch; a request that would need another one goes uncounted, and that is logged.
# While the database is away there are two batches: the one that failed, and the one that gathers.
MOST_COUNTERS = 100_000

# Seconds until the next attempt where no interval is set.
RETRY_SECONDS = 1.0


class Use(NamedTuple):
    """One answered request of a key. ``access`` is blank when it was refused before that mattered."""

    key_id: int
    store_id: int
    at: datetime
    method: str
    resource: str
    access: str
    status_code: int
    address: str | None
    client: str

    @property
    def counter(self) -> "Counter":
        outcome = Outcome.of(self.status_code).value
        return Counter(self.store_id, self.key_id, self.at.date(), self.resource, self.access, outcome)


class Counter(NamedTuple):
    """What requests are counted by. Its order is the one in which rows are written."""

    store_id: int
    key_id: int
    date: date
    resource: str
    access: str
    outcome: str


@dataclass(slots=True)
class Tally:
    requests: int
    last_at: datetime


@dataclass(slots=True)
class Batch:
    """Counts that are written together, under the next number of whoever writes them."""

    writer: UUID
    number: int
    tallies: dict[Counter, Tally] = field(default_factory=dict)
    newest: dict[int, Use] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(tally.requests for tally in self.tallies.values())

    def add(self, use: Use) -> bool:
        """Count one request; False where that would take more counters than a batch may have.

        The clock may be set back at any time: what is newest stays so.
        """
        counter = use.counter
        if tally := self.tallies.get(counter):
            tally.requests += 1
            tally.last_at = max(tally.last_at, use.at)
        elif len(self.tallies) < MOST_COUNTERS:
            self.tallies[counter] = Tally(1, use.at)
        else:
            return False
        newest = self.newest.get(use.key_id)
        if newest is None or newest.at <= use.at:
            self.newest[use.key_id] = use
        return True

    def following(self) -> "Batch":
        """The empty batch that comes after this one."""
        return Batch(self.writer, self.number + 1)


class Recorder:
    """Gathers uses from any number of threads and writes them in few statements."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._gathering = Batch(uuid4(), 1)
        self._uncounted = 0
        self._writing = threading.Lock()
        self._leaving: Batch | None = None
        self._failing = False
        self._thread: threading.Thread | None = None

    def record(self, use: Use) -> None:
        """Count one request; it is written within the interval, or now where that is 0."""
        with self._counting:
            if not self._gathering.add(use):
                self._uncounted += 1
            if settings.USAGE_FLUSH_SECONDS:
                self._keep_writing()
        if not settings.USAGE_FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered. While the database is away, it is kept for the next time."""
        with self._writing:
            # What failed before goes first, and unchanged: it may have arrived in spite of that.
            if self._leaving is None or self._write(self._leaving):
                self._leaving = self._take()
                self._write(self._leaving)
            self._tell_uncounted()

    def finish(self) -> None:
        """Write what has gathered for the last time, and say what is lost."""
        self.flush()
        with self._counting:
            lost = self._gathering.requests + (self._leaving.requests if self._leaving else 0)
        if lost:
            metrics.USAGE_LOST.inc(lost)
            logger.error("%d requests with API keys went uncounted: the process has ended", lost)

    def _take(self) -> Batch:
        with self._counting:
            batch, self._gathering = self._gathering, self._gathering.following()
            return batch

    def _write(self, batch: Batch) -> bool:
        """Whether the batch that leaves is gone; otherwise it waits for the next attempt."""
        try:
            if batch.tallies:
                writer.write(batch)
        except (DataError, IntegrityError):
            # Kept, it would fail again and hold up all that comes after it.
            metrics.USAGE_LOST.inc(batch.requests)
            logger.exception("%d requests with API keys went uncounted: they were refused", batch.requests)
        except Exception:
            metrics.USAGE_FAILURES.inc()
            metrics.USAGE_WAITING.set(batch.requests)
            if not self._failing:
                logger.exception("The usage of API keys cannot be written and is kept")
            self._failing = True
            with self._counting:
                self._keep_writing()
            return False
        if self._failing:
            logger.warning("The usage of API keys is written again")
        self._failing = False
        self._leaving = None
        metrics.USAGE_WAITING.set(0)
        return True

    def _tell_uncounted(self) -> None:
        with self._counting:
            uncounted, self._uncounted = self._uncounted, 0
        if uncounted:
            metrics.USAGE_LOST.inc(uncounted)
            logger.error("%d requests with API keys went uncounted: too much is waiting", uncounted)

    def _keep_writing(self) -> None:
        """Have a thread that writes, from the first request on: a server forks before it serves."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._write_regularly, name="usage", daemon=True)
            self._thread.start()

    def _write_regularly(self) -> None:
        pause = threading.Event()
        while not pause.wait(settings.USAGE_FLUSH_SECONDS or RETRY_SECONDS):
            close_old_connections()
            self.flush()


_recorder = Recorder()


def record(use: Use) -> None:
    """Count one request of a key."""
    _recorder.record(use)


def flush() -> None:
    """Write what this process has counted."""
    _recorder.flush()


def _finish() -> None:
    _recorder.finish()


def _start_afresh() -> None:
    """A forked child must not write its parent's counts again, nor wait for its threads' locks."""
    global _recorder
    _recorder = Recorder()


atexit.register(_finish)
os.register_at_fork(after_in_child=_start_afresh)
