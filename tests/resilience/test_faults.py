"""Faults around the site: no stack trace, no endless wait, nothing half done, and it recovers by itself."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request

import pytest

from tests import programs
from tests.postgres import Postgres, own_postgres
from tests.resilience import proxy, scenarios
from tests.resilience.scenarios import Seen
from tests.resilience.servers import Valkey, own_valkey
from tests.resilience.site import PAGES, STORE, Site, site
from tests.server import Served, Visitor, answer_to, free_port

GOOD = {"200", "201"}


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with programs.needed(), own_postgres() as database:
        yield database


@pytest.fixture(scope="module")
def counters() -> Iterator[Valkey]:
    with programs.needed(), own_valkey() as counters:
        yield counters


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, database: Postgres, counters: Valkey) -> Iterator[Site]:
    """As production has it."""
    options = {"REDIS_URL": counters.url, "PREPARE_THRESHOLD": "5", "DATABASE_TIMEOUT_SECONDS": "6"}
    with site(tmp_path_factory.mktemp("large"), database.url, **options) as large:
        yield large


@contextmanager
def behind_nginx(site: Site) -> Iterator[Site]:
    with programs.needed(), proxy.proxied(site) as proxied:
        yield proxied


@pytest.fixture(scope="module")
def through_proxy(large: Site) -> Iterator[Site]:
    """The same through nginx."""
    with behind_nginx(large) as proxied:
        yield proxied


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One process on SQLite, with a clock that can be moved."""
    folder = tmp_path_factory.mktemp("small")
    database_url = f"sqlite:///{folder / 'db.sqlite3'}"
    with site(folder, database_url, config="tests.resilience.clocked", WEB_PROCESSES="1") as small:
        yield small


def hold(seen: Seen, *, allowed: set[str]) -> None:
    """Check what every fault keeps: clients get what is allowed, and nothing is torn."""
    assert seen.complaints == []
    assert set(seen.answers) <= GOOD | allowed
    assert seen.half_done == 0


def test_a_killed_postgres_costs_503s_and_nothing_else(large: Site, database: Postgres) -> None:
    seen = scenarios.postgres_killed(large, database)
    hold(seen, allowed={"503"})
    assert seen.answers["503"]
    assert seen.usage_lost == 0


def test_a_restarted_postgres_costs_503s_and_nothing_else(large: Site, database: Postgres) -> None:
    seen = scenarios.postgres_restarted(large, database)
    hold(seen, allowed={"503"})
    assert seen.usage_lost == 0


def test_a_postgres_that_never_answers_costs_503s_and_nothing_else(large: Site, database: Postgres) -> None:
    seen = scenarios.postgres_frozen(large, database)
    hold(seen, allowed={"503"})
    assert seen.usage_lost == 0


def test_a_postgres_that_cannot_be_written_is_read(large: Site, database: Postgres) -> None:
    seen = scenarios.postgres_read_only(large, database)
    hold(seen, allowed={"503"})
    assert {answer.seen for answer in seen.during if answer.is_write} >= {"503"}
    assert {answer.seen for answer in seen.during if not answer.is_write} == {"200"}
    assert seen.usage_lost == 0


def test_without_valkey_everything_goes_on_and_limits_come_back_with_it(
    large: Site, counters: Valkey
) -> None:
    seen = scenarios.valkey_killed(large, counters)
    hold(seen, allowed=set())
    assert seen.usage_lost == 0


def test_a_killed_worker_takes_down_only_what_it_was_answering(large: Site) -> None:
    seen = scenarios.worker_killed(large)
    hold(seen, allowed={"cut off"})
    assert seen.answers.get("cut off", 0) <= scenarios.CLIENTS


def test_slow_clients_hold_up_nobody_behind_the_proxy(through_proxy: Site) -> None:
    hold(scenarios.slow_clients(through_proxy), allowed=set())


def test_a_thousand_idle_connections_hold_up_nobody_behind_the_proxy(through_proxy: Site) -> None:
    hold(scenarios.idle_connections(through_proxy), allowed=set())


def test_behind_the_proxy_a_killed_worker_costs_only_what_it_was_answering(through_proxy: Site) -> None:
    """A GET whose response had not begun is tried once more, but nobody can take back half a response."""
    seen = scenarios.worker_killed(through_proxy)
    hold(seen, allowed={"503", "cut off"})
    assert seen.answers.get("503", 0) + seen.answers.get("cut off", 0) <= scenarios.CLIENTS


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_the_proxy_hides_what_is_for_operators(through_proxy: Site, path: str) -> None:
    with closing(through_proxy.connect()) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        assert (response.status, response.headers["Server"]) == (404, "nginx")


def test_the_proxy_says_in_json_that_the_site_is_away(large: Site) -> None:
    with behind_nginx(replace(large, port=free_port())) as away, closing(away.connect()) as connection:
        connection.request("GET", "/v1/api-key/")
        response = connection.getresponse()
        assert (response.status, json.load(response)["code"]) == (503, "unavailable")
        assert response.headers["Retry-After"] == "5"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Only Linux limits another process.")
def test_a_full_disk_refuses_writes_and_goes_on_serving_reads(small: Site) -> None:
    seen = scenarios.disk_full(small)
    hold(seen, allowed={"503"})
    assert {answer.seen for answer in seen.during if answer.is_write} >= {"503"}
    assert {answer.seen for answer in seen.during if not answer.is_write} == {"200"}
    assert seen.usage_lost == 0


def test_a_clock_that_jumps_ends_what_is_over_and_loses_nothing(small: Site, tmp_path: Path) -> None:
    owner = Visitor(Served(small.url, "", tmp_path, small.process))
    owner.sign_in("owner@example.com")
    created = new_key(owner, small, "Made before")
    assert scenarios.status_for(small, small.brief_key) == "200"

    on = scenarios.clock_moved(small)
    hold(on, allowed=set())
    assert on.usage_lost == 0
    assert scenarios.status_for(small, small.brief_key) == "401"
    assert "Made before" in owner.get(PAGES).text
    assert not scenarios.WHOLE_KEY.search(owner.get(created).text)

    back = scenarios.clock_moved(small, back=True)
    hold(back, allowed=set())
    assert back.usage_lost == 0
    assert scenarios.status_for(small, small.brief_key) == "200"


def new_key(owner: Visitor, small: Site, name: str) -> str:
    """Fill in the form; returns the address of the page that would show the key, which is not opened."""
    form = owner.hidden_fields(f"{PAGES}new/") | {"name": name, "expiry": "never", "access": "orders:read"}
    request = Request(f"{small.url}{PAGES}new/", urlencode(form).encode())
    return str(answer_to(request, owner.cookies).headers["Location"])


def test_requests_may_come_in_pieces_or_several_at_once(small: Site) -> None:
    get = f"GET {STORE}/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with scenarios.connection(small) as client:
        for start in range(0, len(get), 20):
            client.sendall(get[start : start + 20])
        read_until(client, b'"name":"Northwood"')
        client.sendall(get * 2)
        read_until(client, b'"name":"Northwood"', times=2)


NAMED, OTHER = (json.dumps({"name": name, "price": 100}).encode() for name in ("In chunks", "In bytes"))
LONG = b'{"name": "' + b"x" * (1024 * 1024) + b'"}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"%x\r\n%b\r\n0\r\n\r\n" % (len(NAMED), NAMED), b"201"),
        (b"".join(b"1\r\n%c\r\n" % byte for byte in OTHER) + b"0\r\n\r\n", b"201"),
        (b"%x\r\n%b\r\n0\r\n\r\n" % (len(LONG), LONG), b"413"),
        (b"zz\r\n{}\r\n0\r\n\r\n", b"400"),
        (b"2\r\n{}\r\nzz\r\n\r\n", b"400"),
        (b"0\r\n\r\n", b"400"),
    ],
    ids=["in one chunk", "byte by byte", "too large", "no length", "ends wrong", "empty"],
)
def test_a_chunked_body_is_read_like_any_other(small: Site, body: bytes, status: bytes) -> None:
    head = f"{scenarios.HEAD.decode()}Authorization: Bearer {small.key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with scenarios.connection(small) as client:
        with suppress(OSError):  # what is too large is answered before its end
            client.sendall(head.encode() + body)
        read_until(client, b"HTTP/1.1 " + status)


def read_until(client: socket.socket, part: bytes, *, times: int = 1) -> None:
    """Read on until the answers hold this so many times; fail when they end or take too long before it."""
    answers = b""
    while answers.count(part) < times:
        more = client.recv(65536)
        assert more, answers
        answers += more
