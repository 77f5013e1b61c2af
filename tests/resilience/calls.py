"""Programs that call the API as fast as it answers, and remember what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count

from django.db.models import Sum

from apikeys.models import Usage
from apikeys.models.outcomes import Outcome
from tests.conftest import bearer
from tests.server import PATIENCE, Served

ORDERS = "/v1/stores/267418190/orders/"
# In a test that takes down a server or its database, one that is down for good is not called for ever.
PAUSE_SECONDS = 0.05
CALLS_ON_A_CONNECTION = 10


@dataclass
class Load:
    """Calls so far: how many were sent, and what status the answers had that arrived."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    _adding: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def answered(self) -> int:
        return self.statuses[200]

    def wait_for(self, more: int) -> None:
        """Come back when so many more calls have been served."""
        goal = self.answered + more
        deadline = time.monotonic() + PATIENCE
        while self.answered < goal:
            assert time.monotonic() < deadline, f"{self.answered} of {goal} calls were served"
            time.sleep(0.01)

    def call(self, site: Served, key: str) -> None:
        """Call until it is over. A connection is kept for a few calls; the next may go to another worker."""
        connection = HTTPConnection(site.url.removeprefix("http://"), timeout=PATIENCE)
        for turn in count():
            if self._over.is_set():
                break
            if turn % CALLS_ON_A_CONNECTION == 0:
                connection.close()
            with self._adding:
                self.sent += 1
            try:
                connection.request("GET", ORDERS, headers=bearer(key))
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                connection.close()
                self._over.wait(PAUSE_SECONDS)
            else:
                with self._adding:
                    self.statuses[answer.status] += 1
        connection.close()

    def end(self) -> None:
        self._over.set()


@contextmanager
def load(sites: list[Served], key: str, *, programs: int = 4) -> Iterator[Load]:
    """Programs that use a key at each of the sites; at the end, each has had its last answer."""
    calls = Load()
    threads = [
        threading.Thread(target=calls.call, args=(site, key)) for site in sites for _ in range(programs)
    ]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        calls.end()
        for thread in threads:
            thread.join()


def counted() -> int:
    """How many requests were served, by what is written of them."""
    served = Usage.objects.filter(outcome=Outcome.SUCCEEDED)
    return int(served.aggregate(total=Sum("requests", default=0))["total"])


def wait_until_counted(more_than: int) -> int:
    """Come back, with how many, when more requests than these are counted."""
    deadline = time.monotonic() + PATIENCE
    while (count := counted()) <= more_than:
        assert time.monotonic() < deadline, f"{count} requests are counted, and no more"
        time.sleep(0.02)
    return count
