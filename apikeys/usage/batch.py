"""Requests as they are counted: one by one, then as counters, then as batches that are written."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from apikeys import client_ip
from apikeys.models import Outcome

# A request that would need one counter more goes uncounted, and that is logged. While the database is away
# there are two batches: the one that failed, and the one that is being filled.
MAX_COUNTERS = 100_000
# Likewise, a request beyond so many is left out of the request log: they take about 15 MB.
MAX_LOGGED_REQUESTS = 20_000
# Likewise, a network beyond so many is noticed by its next request in a later batch.
MAX_NETWORKS = 10_000
# An address beyond so many that were refused counts as one of the key's further addresses.
MAX_REFUSED_ADDRESSES = 10_000


class KeyRequest(NamedTuple):
    """One answered request of a key. ``access`` is blank when it was refused before that mattered.

    ``at`` is in UTC; ``path`` has no query string; ``route`` is such as ``/v1/stores/{store_id}/orders/``;
    ``resource`` is blank on a route of no resource; ``reason`` is the error's code, None for no error;
    ``client`` is the User-Agent header; ``is_alarm``: the key's owners are told of it at once.
    """

    key_id: int
    store_id: int
    prefix: str
    at: datetime
    method: str
    path: str
    route: str
    resource: str
    access: str
    status_code: int
    reason: str | None
    milliseconds: int
    address: str | None
    client: str
    request_id: UUID
    is_alarm: bool = False

    @property
    def counter(self) -> "Counter":
        outcome = Outcome.for_status_code(self.status_code)
        return Counter(
            self.store_id,
            self.key_id,
            self.at.replace(minute=0, second=0, microsecond=0),
            self.resource,
            self.access,
            outcome.value,
            (self.reason or "") if outcome == Outcome.REFUSED else "",
        )


class Counter(NamedTuple):
    """The group that requests are counted by. Store and key are ids, ``hour`` is its beginning, in UTC.

    ``reason`` is that of a refusal, blank for all other requests.
    """

    store: int
    key: int
    hour: datetime
    resource: str
    access: str
    outcome: str
    reason: str

    @property
    def day(self) -> date:
        return self.hour.date()


@dataclass(slots=True)
class Count:
    """The number of requests, and when the newest was."""

    requests: int
    last_at: datetime

    def add(self, requests: int, last_at: datetime) -> None:
        self.requests += requests
        # The clock may be set back at any time: what is newest stays so.
        self.last_at = max(self.last_at, last_at)


class Cause(NamedTuple):
    """Why a request was refused; see apikeys.models.Refusal."""

    key_id: int
    reason: str
    scope: str
    address: str


@dataclass(slots=True)
class Refused:
    """Requests that were refused for one cause: how many, the first moment, and the newest request."""

    requests: int
    first_at: datetime
    newest: KeyRequest

    def add(self, other: "Refused") -> None:
        self.requests += other.requests
        self.first_at = min(self.first_at, other.first_at)
        self.newest = max(self.newest, other.newest, key=lambda request: request.at)


@dataclass(slots=True)
class Batch:
    """Counts and a log that are written together, under the next number of the process that writes them.

    ``networks`` has the first request of each key from each network, those that were refused left out.
    """

    writer: UUID
    number: int
    counts: dict[Counter, Count] = field(default_factory=dict)
    newest: dict[int, KeyRequest] = field(default_factory=dict)
    networks: dict[tuple[int, str], KeyRequest] = field(default_factory=dict)
    refusals: dict[Cause, Refused] = field(default_factory=dict)
    alarms: dict[int, KeyRequest] = field(default_factory=dict)
    log: list[KeyRequest] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(count.requests for count in self.counts.values())

    def add(self, request: KeyRequest) -> bool:
        """Count one request; False where that would take more counters than a batch may have."""
        counter = request.counter
        if count := self.counts.get(counter):
            count.add(1, request.at)
        elif len(self.counts) < MAX_COUNTERS:
            self.counts[counter] = Count(1, request.at)
        else:
            return False
        newest = self.newest.get(request.key_id)
        if newest is None or newest.at <= request.at:
            self.newest[request.key_id] = request
        if request.is_alarm:
            self.alarms[request.key_id] = request
        if counter.outcome == Outcome.REFUSED:
            self._add_refusal(request)
        elif request.address:
            of_key = request.key_id, client_ip.network_around(request.address)
            if len(self.networks) < MAX_NETWORKS:
                self.networks.setdefault(of_key, request)
        return True

    def _add_refusal(self, request: KeyRequest) -> None:
        """Add a refused request to its cause."""
        reason = request.reason or ""
        scope = f"{request.resource}:{request.access}" if reason == "resource_not_allowed" else ""
        address = (request.address or "") if reason == "address_not_allowed" else ""
        cause = Cause(request.key_id, reason, scope, address)
        if cause not in self.refusals and len(self.refusals) >= MAX_REFUSED_ADDRESSES:
            cause = cause._replace(address="")
        refused = Refused(1, request.at, request)
        if known := self.refusals.get(cause):
            known.add(refused)
        else:
            self.refusals[cause] = refused

    def add_to_log(self, request: KeyRequest) -> bool:
        """Log one request; False where the batch has as many as it may."""
        if len(self.log) >= MAX_LOGGED_REQUESTS:
            return False
        self.log.append(request)
        return True

    def next_batch(self) -> "Batch":
        """Return the empty batch that follows this one."""
        return Batch(self.writer, self.number + 1)
