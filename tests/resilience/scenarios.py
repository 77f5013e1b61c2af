"""The faults: each is done to a site under load, and told as what its clients saw."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tests.postgres import Postgres
from tests.programs import wait_until
from tests.resilience.load import READERS, Answer, Load, counted, products
from tests.resilience.site import STORE, Site

PATIENCE_SECONDS = 60
# Usage is written every second, on a busy machine later. What is lost is not waited for so long.
QUIET_SECONDS = 10
QUIET_SECONDS_AFTER_A_LOSS = 2
CLIENTS = READERS + 1
# A database file reaches further than this, and so does what is written beside it before long.
FULL_BYTES = 64 * 1024


class Part(Protocol):
    """A process that can be killed and started again at the same address."""

    def start(self) -> object: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class Seen:
    """``answers`` counts statuses and failed connections; ``complaints`` are those that nobody should get.

    Failing is from the moment it happened to the last answer that was not good. Back is after it was over,
    when all is well.
    ``not_limited`` are good answers to requests that no limit was applied to.
    ``during`` are the answers from the moment it happened to the moment it was over.
    """

    fault: str
    answers: dict[str, int]
    during: list[Answer]
    complaints: list[str]
    longest_seconds: float
    failing_seconds: float
    back_after_seconds: float
    not_limited: int
    half_done: int
    usage_lost: int


# What an answer is, and what clients see of a fault before it may end.


def is_good(answer: Answer) -> bool:
    return answer.is_good


def is_limited(answer: Answer) -> bool:
    return answer.is_good and answer.is_limited


def is_unavailable(answer: Answer) -> bool:
    return answer.seen == "503"


def see_an_answer(load: Load) -> None:
    load.sees(lambda _: True)


def see_unavailable(load: Load) -> None:
    load.sees(is_unavailable)


def see_refused_writes(load: Load) -> None:
    load.sees(lambda answer: answer.is_write and is_unavailable(answer))
    load.sees(lambda answer: answer.is_good and not answer.is_write)


@dataclass(frozen=True)
class Fault:
    """Lasts as long as ``happening`` is entered: until ``meet`` comes back, and so many seconds more.

    It is over when clients get answers that are well, one after the other. ``loses_usage`` is that which a
    process had not written yet.
    """

    name: str
    happening: Callable[[], AbstractContextManager[object]]
    meet: Callable[[Load], None] = see_an_answer
    is_well: Callable[[Answer], bool] = is_good
    loses_usage: bool = False


def measure(site: Site, fault: Fault, *, lasting: float = 0) -> Seen:
    """Let a fault happen to a site that is at work."""
    counted_before = counted(site)
    with Load([site.url], site.key) as load:
        load.goes_well(8)
        began = time.monotonic()
        with fault.happening():
            fault.meet(load)
            time.sleep(lasting)
        over = time.monotonic()
        load.goes_well(is_well=fault.is_well)
    failed = [answer.at for answer in load.answers if not answer.is_good]
    unwell = [answer.at for answer in load.answers if answer.at > over and not fault.is_well(answer)]
    quiet_seconds = QUIET_SECONDS_AFTER_A_LOSS if fault.loses_usage else QUIET_SECONDS
    settled = settle(site, counted_before + load.served, quiet_seconds)
    return Seen(
        fault=fault.name,
        answers=dict(sorted(load.seen.items())),
        during=[
            answer for answer in load.answers if began <= answer.at - answer.seconds and answer.at <= over
        ],
        complaints=sorted({answer.complaint for answer in load.answers if answer.complaint}),
        longest_seconds=max(answer.seconds for answer in load.answers),
        failing_seconds=max(failed, default=began) - began,
        back_after_seconds=max(unwell, default=over) - over,
        not_limited=sum(answer.is_good and not answer.is_limited for answer in load.answers),
        half_done=half_done(site, load),
        usage_lost=max(0, load.served - (settled - counted_before)),
    )


def half_done(site: Site, load: Load) -> int:
    """Count writes that are there in part, or are not there although the site said so."""
    there = products(site)
    torn = [handle for handle in load.attempted & there.keys() if there[handle] != 2]
    return len(torn) + len(load.written - there.keys())


def settle(site: Site, expected: int, quiet_seconds: float) -> int:
    """Return what usage has counted, once it is as much as expected or nothing more comes."""
    now, since = counted(site), time.monotonic()
    while now < expected and time.monotonic() < since + quiet_seconds:
        time.sleep(0.2)
        before, now = now, counted(site)
        if now > before:
            since = time.monotonic()
    return now


# What the site stands on.


@contextmanager
def killed(part: Part) -> Iterator[None]:
    part.kill()
    try:
        yield
    finally:
        part.start()


def postgres_killed(postgres: Postgres) -> Fault:
    return Fault("PostgreSQL killed, and started again", partial(killed, postgres), see_unavailable)


def postgres_frozen(site: Site, postgres: Postgres) -> Fault:
    def meet(load: Load) -> None:
        see_unavailable(load)
        with closing(site.connect()) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read() == b"ok\n"

    return Fault("PostgreSQL frozen", postgres.frozen, meet)


def postgres_read_only(postgres: Postgres) -> Fault:
    return Fault("PostgreSQL read-only", postgres.read_only, see_refused_writes)


def valkey_killed(valkey: Part) -> Fault:
    def meet(load: Load) -> None:
        load.sees(lambda answer: not answer.is_limited)

    return Fault("Valkey killed, and started again", partial(killed, valkey), meet, is_limited)


def worker_killed(site: Site) -> Fault:
    @contextmanager
    def happening() -> Iterator[None]:
        before = set(site.workers())
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(set(site.workers()) - {killed}) == len(before))
        yield

    return Fault("A worker killed", happening, loses_usage=True)


def disk_full(site: Site) -> Fault:
    """No file of the site's can be written beyond a point, which a database soon comes to."""

    @contextmanager
    def happening() -> Iterator[None]:
        limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in site.workers()}
        for pid, (_, hard) in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
        try:
            yield
        finally:
            for pid, limit in limits.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)

    return Fault("No room left for SQLite", happening, see_refused_writes)


def clock_moved(site: Site, *, back: bool = False) -> Fault:
    @contextmanager
    def happening() -> Iterator[None]:
        for pid in site.workers():
            os.kill(pid, signal.SIGURG if back else signal.SIGUSR2)
        yield

    return Fault(f"The clock an hour {'back' if back else 'on'}", happening, Load.goes_well)


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


def slow_clients(site: Site, *, of_each: int = 8, idle: int = 1000) -> Fault:
    """They come through the proxy, whose business they are; beside them, others only hold a connection."""
    begun = [*SLOW.values()] * of_each + [b""] * idle

    @contextmanager
    def happening() -> Iterator[None]:
        with many_files(len(begun) + 500), ExitStack() as stack:
            for sent in begun:
                client = stack.enter_context(connection(site))
                with suppress(OSError):  # headers beyond what is taken are answered before their end
                    client.sendall(sent)
            yield

    name = f"{of_each * len(SLOW)} slow clients and {idle:,} idle connections"
    return Fault(name, happening, lambda load: load.goes_well(40))


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
