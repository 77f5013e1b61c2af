"""Read replicas: what is read from them, and which of them are fit for it.

Requests that change nothing read the shop, usage and the request log from a replica. All else is read from
the primary: keys above all, so that a deactivated one is refused from the next request on. A request with a
key, and one of an owner, reads from a replica only what that has received in full: everything up to the
store's last change (``Store.changed_at``).

A thread for each replica compares it with the primary once a second, so that requests ask nobody.
"""

import random
import time
from collections import deque
from datetime import datetime
from enum import StrEnum
from functools import cache
from math import inf
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from prometheus_client import Gauge

CHECK_SECONDS = 1.0
# A replica that has not answered a check by then is away.
MAX_CHECK_SECONDS = 1.0
MAX_SAMPLES = 1000

USED = Gauge(
    "reflow_replica_used",
    "Whether a read replica is read from: 1, or 0 where a process leaves it out.",
    ["replica"],
    multiprocess_mode="livemin",
)
LAG = Gauge(
    "reflow_replica_lag_seconds",
    "How far a read replica is behind the primary, to the second.",
    ["replica"],
    multiprocess_mode="livemax",
)

# Which database it is, and which migrations it has had. A replica has the identifier of its primary.
DATABASE = """
    (SELECT system_identifier FROM pg_control_system()) || '/' || current_database(),
    ARRAY(SELECT app || '.' || name FROM django_migrations)
"""
# Positions in the write-ahead log are bytes since its beginning.
PRIMARY_QUERY = f"SELECT statement_timestamp(), (pg_current_wal_flush_lsn() - '0/0')::bigint, {DATABASE}"
REPLICA_QUERY = f"""
    SELECT pg_is_in_recovery(), coalesce((pg_last_wal_replay_lsn() - '0/0')::bigint, 0), {DATABASE}
"""


class State(StrEnum):
    """Whether a replica is read from, or why not."""

    UNCHECKED = "not checked yet"
    OK = "ok"
    AWAY = "away"
    BEHIND = "behind"
    OLDER_SCHEMA = "older schema"
    NO_REPLICA = "no replica"


class Sample(NamedTuple):
    """The end of the primary's log, and when: by this process's clock, which never jumps, and its own."""

    taken_at: float
    time: datetime
    position: int


class Replica:
    """A replica as this process knows it. All that the primary had at ``complete_until`` has arrived."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.lag = inf
        self.complete_until: datetime | None = None
        self._found = State.UNCHECKED
        self._samples: deque[Sample] = deque(maxlen=MAX_SAMPLES)
        self._complete_at = -inf
        self._check_began = inf

    @property
    def is_silent(self) -> bool:
        """Whether a check waits for an answer that should be there by now."""
        return time.monotonic() - self._check_began > MAX_CHECK_SECONDS

    @property
    def state(self) -> State:
        return State.AWAY if self.is_silent else self._found

    def can_answer(self, changed_at: datetime | None) -> bool:
        """Return whether the replica is fit and a store's last change, if any, has arrived there."""
        if self.state is not State.OK or self.complete_until is None:
            return False
        return changed_at is None or changed_at <= self.complete_until

    def leave_out(self) -> None:
        """Leave the replica out until the next check that it passes."""
        self._set(State.AWAY)

    def watch(self) -> None:
        while True:
            self._check_began = time.monotonic()
            self._set(self.check())
            self._check_began = inf
            LAG.labels(self.alias).set(self.lag)
            time.sleep(CHECK_SECONDS)

    def check(self) -> State:
        taken_at = time.monotonic()
        try:
            moment, position, database, required = read_row(DEFAULT_DB_ALIAS, PRIMARY_QUERY)
            is_replica, replayed, copied, applied = read_row(self.alias, REPLICA_QUERY)
        except Error:
            connections[DEFAULT_DB_ALIAS].close()
            connections[self.alias].close()
            return State.AWAY
        if not is_replica or copied != database:
            return State.NO_REPLICA
        self.note(Sample(taken_at, moment, position), replayed)
        if self.lag > settings.REPLICA_MAX_LAG_SECONDS:
            return State.BEHIND
        return State.OK if set(required) <= set(applied) else State.OLDER_SCHEMA

    def note(self, newest: Sample, replayed: int) -> None:
        """Find the newest sample of the primary all of which the replica has replayed."""
        if self._samples and newest.position < self._samples[-1].position:
            # Another server has become the primary, with a clock of its own.
            self._samples.clear()
            self.complete_until = None
        self._samples.append(newest)
        while self._samples and self._samples[0].position <= replayed:
            complete = self._samples.popleft()
            self._complete_at, self.complete_until = complete.taken_at, complete.time
        self.lag = newest.taken_at - self._complete_at

    def _set(self, state: State) -> None:
        USED.labels(self.alias).set(state is State.OK)
        self._found = state


def read_row(alias: str, query: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


@cache
def replicas() -> list[Replica]:
    """Return what this process knows of all replicas."""
    return [Replica(alias) for alias in connections if alias != DEFAULT_DB_ALIAS]


def choose_replica(changed_at: datetime | None) -> Replica | None:
    """Return a replica that is fit, and has received a store's last change; None where none is."""
    fit = [replica for replica in replicas() if replica.can_answer(changed_at)]
    return random.choice(fit) if fit else None  # noqa: S311  # not a secret
