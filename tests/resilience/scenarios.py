"""The faults: each is done to a site under load, and told as what its clients saw."""

import os
import re
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

from tests.postgres import Postgres
from tests.resilience.load import READERS, Answer, Load, ask, counted, products, wait_until
from tests.resilience.servers import Valkey
from tests.resilience.site import STORE, Site

PATIENCE_SECONDS = 60
# Usage is written every second, on a busy machine later.
QUIET_SECONDS = 10
CLIENTS = READERS + 1
WHOLE_KEY = re.compile(r"\b[0-9a-f]{7}\.[0-9a-f]{27}\b")
# A database file reaches further than this, and so does what is written beside it before long.
FULL_BYTES = 64 * 1024


@dataclass(frozen=True)
class Seen:
    """``answers`` counts statuses and failed connections; ``complaints`` are those that nobody should get.

    Failing is from the moment it happened to the last answer that was not good. Back is after it was over,
    when all is well.
    ``uncounted`` are good answers to requests that no limit was applied to.
    ``during`` are the answers from the moment it happened to the moment it was over.
    """

    fault: str
    answers: dict[str, int]
    during: list[Answer]
    complaints: list[str]
    longest_seconds: float
    failing_seconds: float
    back_after_seconds: float
    uncounted: int
    half_done: int
    usage_lost: int


def is_good(answer: Answer) -> bool:
    return answer.is_good


def measure(
    fault: str, site: Site, happen: Callable[[Load], None], *, is_well: Callable[[Answer], bool] = is_good
) -> Seen:
    """Let something happen to a site that is at work. It is over when ``happen`` returns."""
    counted_before = counted(site)
    with Load([site.url], site.key) as load:
        load.goes_well(8)
        began = time.monotonic()
        happen(load)
        over = time.monotonic()
        load.goes_well(is_well=is_well)
    failed = [answer.at for answer in load.answers if not answer.is_good]
    unwell = [answer.at for answer in load.answers if answer.at > over and not is_well(answer)]
    return Seen(
        fault=fault,
        answers=dict(sorted(load.seen.items())),
        during=[
            answer for answer in load.answers if began <= answer.at - answer.seconds and answer.at <= over
        ],
        complaints=sorted({answer.complaint for answer in load.answers if answer.complaint}),
        longest_seconds=max(answer.seconds for answer in load.answers),
        failing_seconds=max(failed, default=began) - began,
        back_after_seconds=max(unwell, default=over) - over,
        uncounted=sum(answer.is_good and not answer.is_limited for answer in load.answers),
        half_done=half_done(site, load),
        usage_lost=max(0, load.served - (settled(site, counted_before + load.served) - counted_before)),
    )


def half_done(site: Site, load: Load) -> int:
    """Count writes that are there in part, or are not there although the site said so."""
    there = products(site)
    torn = [handle for handle in load.attempted & there.keys() if there[handle] != 2]
    return len(torn) + len(load.written - there.keys())


def settled(site: Site, expected: int) -> int:
    """Return what usage has counted, once it is as much as expected or nothing more comes."""
    now, since = counted(site), time.monotonic()
    while now < expected and time.monotonic() < since + QUIET_SECONDS:
        time.sleep(0.2)
        before, now = now, counted(site)
        if now > before:
            since = time.monotonic()
    return now


# What the site stands on. A fault lasts until clients have met it, and then for so many seconds more.


def postgres_killed(site: Site, postgres: Postgres, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        postgres.kill()
        load.sees(is_unavailable)
        time.sleep(lasting)
        postgres.start()

    return measure("PostgreSQL killed, and started again", site, happen)


def postgres_restarted(site: Site, postgres: Postgres) -> Seen:
    def happen(_: Load) -> None:
        postgres.stop()
        postgres.start()

    return measure("PostgreSQL restarted at once", site, happen)


def postgres_frozen(site: Site, postgres: Postgres, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        postgres.freeze(frozen=True)
        try:
            load.sees(is_unavailable)
            with closing(site.connect()) as connection:
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b"ok\n"
            time.sleep(lasting)
        finally:
            postgres.freeze(frozen=False)

    return measure("PostgreSQL frozen", site, happen)


def postgres_read_only(site: Site, postgres: Postgres, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        postgres.refuse_writes(refuse=True)
        load.sees(is_unavailable)
        load.sees(is_read)
        time.sleep(lasting)
        postgres.refuse_writes(refuse=False)

    return measure("PostgreSQL read-only", site, happen)


def replica_killed(site: Site, replica: Postgres, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        replica.kill()
        load.goes_well()
        time.sleep(lasting)
        replica.start()

    return measure("A read replica killed, and started again", site, happen)


def replica_frozen(site: Site, replica: Postgres, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        replica.freeze(frozen=True)
        try:
            load.goes_well()
            time.sleep(lasting)
        finally:
            replica.freeze(frozen=False)

    return measure("A read replica frozen", site, happen)


def valkey_killed(site: Site, valkey: Valkey, *, lasting: float = 0) -> Seen:
    def happen(load: Load) -> None:
        valkey.kill()
        load.sees(lambda answer: not answer.is_limited)
        time.sleep(lasting)
        valkey.start()
        load.sees(lambda answer: answer.is_limited)

    return measure("Valkey killed, and started again", site, happen)


def worker_killed(site: Site) -> Seen:
    def happen(load: Load) -> None:
        before = set(site.workers())
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(set(site.workers()) - {killed}) == len(before))

    return measure("A worker killed", site, happen)


def disk_full(site: Site, *, lasting: float = 0) -> Seen:
    """No file of the site's can be written beyond a point, which a database soon comes to."""

    def happen(load: Load) -> None:
        limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in site.workers()}
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
        load.sees(is_refused_write)
        load.sees(is_read)
        time.sleep(lasting)
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)

    return measure("No room left for SQLite", site, happen)


def is_unavailable(answer: Answer) -> bool:
    return answer.seen == "503"


def is_refused_write(answer: Answer) -> bool:
    return answer.is_write and is_unavailable(answer)


def is_read(answer: Answer) -> bool:
    return answer.is_good and not answer.is_write


# Time.


def clock_moved(site: Site, *, back: bool = False) -> Seen:
    def happen(load: Load) -> None:
        move_clock(site, back=back)
        load.goes_well()

    return measure(f"The clock an hour {'back' if back else 'on'}", site, happen)


def move_clock(site: Site, *, back: bool = False) -> None:
    for pid in site.workers():
        os.kill(pid, signal.SIGURG if back else signal.SIGUSR2)


# People.

HEAD = f"POST {STORE}/products/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
FORM = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
)
# Large enough that no socket's buffer takes all of it.
STATIC = b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\n"
SLOW = {
    "sends nothing": b"",
    "stops in the headers": HEAD,
    "sends headers without an end": HEAD + b"X-Long: " + b"x" * 70_000,
    "stops in the body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "stops before the body": HEAD + b"Content-Length: 0000000000000000000005\r\n\r\n",
    "stops in a long body": HEAD + b"Content-Length: 100000000\r\n\r\n{",
    "stops in a form": FORM + b"Content-Length: 100000000\r\n\r\n--x\r\n",
    "stops in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "waits to be told to go on": HEAD + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    "does not hang up": f"GET {STORE}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(),
    "does not read": b"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20,
    "does not read a file": STATIC + b"Host: localhost\r\n\r\n",
}  # fmt: skip


def slow_clients(site: Site, *, of_each: int = 8) -> Seen:
    """They come through the proxy, whose business they are."""

    def happen(load: Load) -> None:
        with ExitStack() as stack:
            for begun in SLOW.values():
                for _ in range(of_each):
                    send(stack.enter_context(connection(site)), begun)
            load.goes_well(40)

    return measure(f"{of_each * len(SLOW)} slow clients", site, happen)


def send(client: socket.socket, begun: bytes) -> None:
    with suppress(OSError):  # headers beyond what is taken are answered before their end
        client.sendall(begun)


def idle_connections(site: Site, *, count: int = 1000) -> Seen:
    def happen(load: Load) -> None:
        with many_files(count + 500), ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(connection(site))
            load.goes_well(40)

    return measure(f"{count:,} idle connections", site, happen)


def connection(site: Site) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_SECONDS)


@contextmanager
def many_files(count: int) -> Iterator[None]:
    """Let this process, too, have as many open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def status_for(site: Site, key: str) -> str:
    """Return the status that a request with this key gets."""
    with closing(site.connect()) as connection:
        return ask(connection, key, "GET", f"{STORE}/orders/").seen
