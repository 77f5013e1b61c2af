"""What keys did, counted in memory and written about once a second: a read request stays a read.

Each process has one Recorder. Requests add to its counters; a thread writes what has gathered every
``USAGE_FLUSH_SECONDS``, and the end of the process writes the rest. With an interval of 0 every request
writes before its answer, for those who want each count durable.
"""

import atexit
import logging
import os
import threading
from collections import Counter as Sum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import (
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    models,
    transaction,
)

from apikeys.models import ApiKey, ApiKeyUsage, LastUse, StoreUsage
from apikeys.outcomes import Outcome
from stores.models import Store

logger = logging.getLogger(__name__)

# The most counters held while the database is away; what would need another one is dropped and logged.
MOST_COUNTERS = 100_000
ROWS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class Use:
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


@dataclass(frozen=True, slots=True, order=True)
class Counter:
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


class Recorder:
    """Gathers uses from any number of threads and writes them in few statements."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._writing = threading.Lock()
        self._tallies: dict[Counter, Tally] = {}
        self._newest: dict[int, Use] = {}
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def record(self, use: Use) -> None:
        """Count one request; it is written within the interval, or now where that is 0."""
        with self._counting:
            self._add(use.counter, Tally(1, use.at))
            self._newest[use.key_id] = use
            self._keep_writing()
        if not settings.USAGE_FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered. While the database is away, it is kept for the next time."""
        with self._writing:
            with self._counting:
                tallies, self._tallies = self._tallies, {}
                newest, self._newest = self._newest, {}
                dropped, self._dropped = self._dropped, 0
            if dropped:
                logger.error("%d requests with API keys went uncounted: too much was waiting", dropped)
            if tallies:
                try:
                    write(tallies, newest.values())
                except (OperationalError, InterfaceError, InternalError):
                    # Away, full, or read-only, which PostgreSQL calls an internal error.
                    logger.exception("The usage of API keys could not be written and is kept")
                    self._take_back(tallies, newest)
                except Error:
                    # Kept, it would fail again and hold up all that comes after it.
                    logger.exception("The usage of API keys could not be written and is dropped")

    def _add(self, counter: Counter, more: Tally) -> None:
        if tally := self._tallies.get(counter):
            tally.requests += more.requests
            tally.last_at = max(tally.last_at, more.last_at)
        elif len(self._tallies) < MOST_COUNTERS:
            self._tallies[counter] = more
        else:
            self._dropped += more.requests

    def _take_back(self, tallies: dict[Counter, Tally], newest: dict[int, Use]) -> None:
        with self._counting:
            for counter, tally in tallies.items():
                self._add(counter, tally)
            self._newest = newest | self._newest

    def _keep_writing(self) -> None:
        """Have a thread that writes, from the first request on: a server forks before it serves."""
        if settings.USAGE_FLUSH_SECONDS and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._write_regularly, name="usage", daemon=True)
            self._thread.start()

    def _write_regularly(self) -> None:
        pause = threading.Event()
        while not pause.wait(settings.USAGE_FLUSH_SECONDS):
            close_old_connections()
            self.flush()


_recorder = Recorder()


def record(use: Use) -> None:
    """Count one request of a key."""
    _recorder.record(use)


def flush() -> None:
    """Write what this process has counted."""
    _recorder.flush()


def _start_afresh() -> None:
    """A forked child must not write its parent's counts again, nor wait for its threads' locks."""
    global _recorder
    _recorder = Recorder()


atexit.register(flush)
os.register_at_fork(after_in_child=_start_afresh)


def write(tallies: dict[Counter, Tally], newest: Iterable[Use]) -> None:
    """Add counts to the rows of usage and note each key's newest request, in one transaction.

    Keys deleted since are left out; their store keeps its counts. Raises django.db.Error.
    """
    with transaction.atomic():
        stores = _lock(Store, {counter.store_id for counter in tallies})
        keys = _lock(ApiKey, {counter.key_id for counter in tallies})
        _write_key_usage({c: tally for c, tally in tallies.items() if c.key_id in keys})
        _write_store_usage({c: tally for c, tally in tallies.items() if c.store_id in stores})
        _write_last_uses(use for use in newest if use.key_id in keys)


def _write_key_usage(tallies: dict[Counter, Tally]) -> None:
    _upsert(
        ApiKeyUsage,
        ("key", "date", "resource", "access", "outcome", "requests", "last_at"),
        [
            (c.key_id, c.date, c.resource, c.access, c.outcome, tally.requests, tally.last_at)
            for c, tally in sorted(tallies.items(), key=lambda item: item[0])
        ],
        """(key_id, date, resource, access, outcome) DO UPDATE SET
            requests = kept.requests + excluded.requests,
            last_at = CASE WHEN excluded.last_at > kept.last_at THEN excluded.last_at ELSE kept.last_at END
        """,
    )


def _write_store_usage(tallies: dict[Counter, Tally]) -> None:
    totals: Sum[tuple[int, date, str]] = Sum()
    for counter, tally in tallies.items():
        totals[counter.store_id, counter.date, counter.outcome] += tally.requests
    _upsert(
        StoreUsage,
        ("store", "date", "outcome", "requests"),
        [(*group, requests) for group, requests in sorted(totals.items())],
        "(store_id, date, outcome) DO UPDATE SET requests = kept.requests + excluded.requests",
    )


def _write_last_uses(uses: Iterable[Use]) -> None:
    _upsert(
        LastUse,
        ("key", "at", "method", "resource", "status_code", "address", "client"),
        [
            (use.key_id, use.at, use.method, use.resource, use.status_code, use.address, use.client)
            for use in sorted(uses, key=lambda use: use.key_id)
        ],
        """(key_id) DO UPDATE SET
            at = excluded.at, method = excluded.method, resource = excluded.resource,
            status_code = excluded.status_code, address = excluded.address, client = excluded.client
            WHERE excluded.at > kept.at
        """,
    )


def _lock(model: type[models.Model], ids: Collection[int]) -> set[int]:
    """Those of the ids that exist, held against deletion until the transaction ends.

    PostgreSQL's weakest row lock is enough and lets other processes count too; the ORM cannot ask for it.
    """
    strength = "FOR KEY SHARE" if connection.features.has_select_for_update else ""
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {model._meta.db_table} WHERE id IN ({marks}) ORDER BY id {strength}",  # noqa: S608
            sorted(ids),
        )
        return {row[0] for row in cursor.fetchall()}


def _upsert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], on_conflict: str
) -> None:
    """Insert rows, or do what ``on_conflict`` says where ``kept`` holds the row that is there already.

    The ORM's own upsert can replace a value but not add to it.
    """
    fields = {field.name: field for field in model._meta.concrete_fields}
    written = [fields[name] for name in names]
    columns = ", ".join(str(field.column) for field in written)
    marks = f"({', '.join(['%s'] * len(written))})"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            chunk = rows[start : start + ROWS_PER_STATEMENT]
            values = ", ".join([marks] * len(chunk))
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} AS kept ({columns}) VALUES {values} "  # noqa: S608
                f"ON CONFLICT {on_conflict}",
                [
                    field.get_db_prep_save(value, connection)
                    for row in chunk
                    for field, value in zip(written, row, strict=True)
                ],
            )
