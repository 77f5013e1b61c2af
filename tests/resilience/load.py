"""Read and write all the time as clients do, and note what they see."""

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Any

from tests.programs import wait_until
from tests.resilience.site import PATIENCE_SECONDS, STORE, Site
from tests.server import call_api

READERS = 3
# Between two requests of a client: enough of them, and the machine is not what is measured.
PAUSE_SECONDS = 0.01
REQUESTS_ON_A_CONNECTION = 10
GOOD = frozenset({"200", "201"})


@dataclass(frozen=True)
class Answer:
    """One answer: a status, or how the connection failed."""

    at: float
    seconds: float
    seen: str
    is_write: bool
    is_limited: bool
    complaint: str

    @property
    def is_good(self) -> bool:
        return self.seen in GOOD


@dataclass
class Load:
    """``with Load(sites, key) as load`` has clients at work at each site for as long as the block takes.

    Sites are addresses (``http://127.0.0.1:8000``). After the block, each client has had its last answer.
    """

    sites: Sequence[str]
    key: str
    readers: int = READERS
    writers: int = 1
    answers: list[Answer] = field(default_factory=list)
    # What was sent to be written, and which of it the site has said to have written.
    attempted: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    def __enter__(self) -> "Load":
        self._over = threading.Event()
        works = [self._read] * self.readers + [self._write] * self.writers
        self._threads = [
            threading.Thread(target=self._work, args=[site, work]) for site in self.sites for work in works
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, site: str, work: Callable[[HTTPConnection], Answer]) -> None:
        """A connection is kept for a few requests; the next may go to another worker."""
        connection = HTTPConnection(site.removeprefix("http://"), timeout=PATIENCE_SECONDS)
        for turn in count(1):
            if self._over.wait(PAUSE_SECONDS):
                break
            self.answers.append(work(connection))
            if turn % REQUESTS_ON_A_CONNECTION == 0:
                connection.close()
        connection.close()

    def _read(self, connection: HTTPConnection) -> Answer:
        return ask(connection, self.key, "GET", f"{STORE}/orders/")

    def _write(self, connection: HTTPConnection) -> Answer:
        """Send a product with two variants: three rows or more, that are there together or not at all."""
        handle = f"written-{secrets.token_hex(6)}"
        self.attempted.add(handle)
        sizes = [{"name": name, "price": 100} for name in ("Small", "Large")]
        product = {
            "name": handle,
            "handle": handle,
            "price": 100,
            "variants": {"option_name": "Size", "items": sizes},
        }
        answer = ask(connection, self.key, "POST", f"{STORE}/products/", product)
        if answer.seen == "201":
            self.written.add(handle)
        return answer

    def wait_for(self, more: int) -> None:
        """Come back when so many more requests have been answered well."""
        goal = self.served + more
        wait_until(lambda: self.served >= goal)

    def goes_well(
        self, count: int = 20, *, is_well: Callable[[Answer], bool] = lambda answer: answer.is_good
    ) -> None:
        """Come back when so many more answers have been well in a row; fail when they never are."""
        start = len(self.answers)
        wait_until(lambda: [is_well(a) for a in self.answers[start:][-count:]] == [True] * count)

    def sees(self, what: Callable[[Answer], bool]) -> None:
        """Come back when a client gets such an answer to a request sent from now on; fail when none does."""
        start, now = len(self.answers), time.monotonic()
        wait_until(lambda: any(what(a) and a.at - a.seconds >= now for a in self.answers[start:]))

    @property
    def seen(self) -> Counter[str]:
        """Count each status, and each failure of a connection."""
        return Counter(answer.seen for answer in self.answers)

    @property
    def served(self) -> int:
        """Count the good answers."""
        return sum(answer.is_good for answer in self.answers)


def ask(connection: HTTPConnection, key: str, method: str, path: str, body: Any = None) -> Answer:
    """One request on a connection that is kept; after a failure, the next one is made anew."""
    headers = {"Authorization": f"Bearer {key}"}
    if body is not None:
        body, headers["Content-Type"] = json.dumps(body), "application/json"
    is_limited, complaint = False, ""
    began = time.monotonic()
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        seen, is_limited = str(response.status), "RateLimit" in response.headers
        if response.status == 503 and "Retry-After" not in response.headers:
            complaint = "503 without Retry-After"
        if response.status == 500 or "Traceback" in text:
            complaint = f"{response.status}: {text[:200]}"
    except TimeoutError:
        connection.close()
        seen, complaint = "no answer", "no answer"
    except (HTTPException, OSError) as error:
        connection.close()
        seen = "refused" if isinstance(error, ConnectionRefusedError) else "cut off"
    now = time.monotonic()
    return Answer(now, now - began, seen, method != "GET", is_limited, complaint)


def products(site: Site) -> dict[str, int]:
    """Return how many variants each product has, by its handle."""
    found: dict[str, int] = {}
    page = last = 1
    while page <= last:
        body = call_api(site, f"{STORE}/products/?perpage=100&page={page}", site.key).json()
        found |= {product["handle"]: len(product["variants"]["items"]) for product in body["data"]}
        last, page = body["meta"]["last_page"], page + 1
    return found


def counted(site: Site) -> int:
    """Return how many succeeded requests of the key are counted."""
    usage = call_api(site, "/v1/api-key/", site.key).json()["usage"]
    return sum(usage[resource]["succeeded"] for resource in ("orders", "products") if resource in usage)
