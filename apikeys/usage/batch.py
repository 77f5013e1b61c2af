"""Requests as they are counted: one by one, then as counters, then as batches that are written."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from apikeys.models import Outcome

# A request that would need one counter more goes uncounted, and that is logged. While the database is away
# there are two batches: the one that failed, and the one that is being filled.
MAX_COUNTERS = 100_000


class KeyRequest(NamedTuple):
    """One answered request of a key. ``access`` is blank when it was refused before that mattered.

    ``at`` is in UTC; ``resource`` is blank on a route of no resource; ``client`` is the User-Agent header.
    """

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
        outcome = Outcome.for_status_code(self.status_code).value
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
class Count:
    """How many requests there were, and when the newest was."""

    requests: int
    last_at: datetime


@dataclass(slots=True)
class Batch:
    """Counts that are written together, under the next number of the process that writes them."""

    writer: UUID
    number: int
    counts: dict[Counter, Count] = field(default_factory=dict)
    newest: dict[int, KeyRequest] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(count.requests for count in self.counts.values())

    def add(self, request: KeyRequest) -> bool:
        """Count one request; False where that would take more counters than a batch may have."""
        counter = request.counter
        if count := self.counts.get(counter):
            count.requests += 1
            # The clock may be set back at any time: what is newest stays so.
            count.last_at = max(count.last_at, request.at)
        elif len(self.counts) < MAX_COUNTERS:
            self.counts[counter] = Count(1, request.at)
        else:
            return False
        newest = self.newest.get(request.key_id)
        if newest is None or newest.at <= request.at:
            self.newest[request.key_id] = request
        return True

    def next_batch(self) -> "Batch":
        """Return the empty batch that follows this one."""
        return Batch(self.writer, self.number + 1)
