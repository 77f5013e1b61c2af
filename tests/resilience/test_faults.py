"""Faults around the site: no stack trace, no endless wait, nothing half done, and it recovers by itself."""

import json
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from apikeys.key_text import contains_key
from tests import prepared, programs
from tests.postgres import Postgres
from tests.resilience import pooler, proxy, scenarios
from tests.resilience.load import GOOD
from tests.resilience.mail import environment, mail_server, new_mail_server, worker
from tests.resilience.scenarios import Fault, Seen
from tests.resilience.site import PAGES, STORE, Site, make_keys, run, site
from tests.server import PATIENCE, Visitor, call_api
from tests.valkey import Valkey, own_valkey


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


@pytest.fixture(scope="module")
def through_proxy(large: Site) -> Iterator[Site]:
    """The same through nginx."""
    with programs.needed(), proxy.proxied(large) as proxied:
        yield proxied


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One process on SQLite, with a clock that can be moved."""
    folder = tmp_path_factory.mktemp("small")
    file = folder / "db.sqlite3"
    prepared.make_sqlite(file)
    with site(folder, f"sqlite:///{file}", config="tests.resilience.clocked", WEB_PROCESSES="1") as small:
        yield small


def see(site: Site, fault: Fault, *, allowed: set[str]) -> Seen:
    """Let a fault happen, and check what each keeps: clients get what is allowed, and nothing is torn."""
    seen = scenarios.measure(site, fault)
    assert seen.complaints == []
    assert seen.answers.keys() <= GOOD | allowed
    assert seen.half_done == 0
    return seen


@pytest.mark.parametrize(
    "fault",
    [
        lambda site, postgres: scenarios.postgres_killed(postgres),
        scenarios.postgres_frozen,
        lambda site, postgres: scenarios.postgres_read_only(postgres),
    ],
    ids=["killed", "frozen", "read-only"],
)
def test_a_postgres_that_fails_costs_503s_and_nothing_else(
    large: Site, database: Postgres, fault: Callable[[Site, Postgres], Fault]
) -> None:
    seen = see(large, fault(large, database), allowed={"503"})
    assert seen.answers["503"]
    assert seen.usage_lost == 0
    if seen.fault.endswith("read-only"):
        assert {answer.seen for answer in seen.during if not answer.is_write} == {"200"}


def test_emails_survive_a_database_that_is_away(database: Postgres, tmp_path: Path) -> None:
    """The one that was on its way then may be sent twice."""
    mail = new_mail_server()
    variables = environment(mail, database.url)
    keys = make_keys(variables)
    with mail_server(mail), worker(mail, database.url, tmp_path / "output"):
        mail.hold()
        run("manage.py", "revoke_keys", variables=variables, typed=keys[0])
        mail.await_emails(1)
        database.stop()
        mail.may_answer.set()
        database.start()
        run("manage.py", "revoke_keys", variables=variables, typed=keys[1])
        mail.await_emails(2)
    assert len(mail.received) <= 3


def test_without_valkey_everything_goes_on_and_limits_come_back_with_it(
    large: Site, counters: Valkey
) -> None:
    assert see(large, scenarios.valkey_killed(counters), allowed=set()).usage_lost == 0


def test_slow_clients_hold_up_nobody_behind_the_proxy(through_proxy: Site) -> None:
    see(through_proxy, scenarios.slow_clients(through_proxy), allowed=set())


def test_behind_the_proxy_a_killed_worker_costs_only_what_it_was_answering(through_proxy: Site) -> None:
    """A GET whose response had not begun is tried once more, but nobody can take back half a response."""
    seen = see(through_proxy, scenarios.worker_killed(through_proxy), allowed={"503", "cut off"})
    assert seen.answers.get("503", 0) + seen.answers.get("cut off", 0) <= scenarios.CLIENTS


def test_the_proxy_hides_what_is_for_operators(through_proxy: Site) -> None:
    for path in ("/metrics", "/readyz"):
        answer = call_api(through_proxy, path)
        assert (answer.status_code, answer.headers["Server"]) == (404, "nginx"), path


LISTS = ("orders", "products", "customers", "categories", "coupons")


def test_behind_a_pooler_every_answer_is_the_right_one_and_a_line_of_the_log_says_why(
    database: Postgres, tmp_path: Path
) -> None:
    """With connections shared by transaction, prepared statements would mix up answers."""

    def read_lists(first: int) -> set[tuple[str, int, str]]:
        seen = set()
        with closing(served.connect()) as connection:
            for turn in range(40):
                name = LISTS[(first + turn) % len(LISTS)]
                headers = {"Authorization": f"Bearer {served.key}"}
                connection.request("GET", f"{STORE}/{name}/", headers=headers)
                response = connection.getresponse()
                seen.add((name, response.status, response.read().decode()))
        return seen

    options = {"PREPARE_THRESHOLD": "1", "LOG_LEVEL": "WARNING"}
    with (
        programs.needed(),
        pooler.pgbouncer(database) as bouncer,
        site(tmp_path, bouncer.url, **options) as served,
        ThreadPoolExecutor(scenarios.CLIENTS) as clients,
    ):
        answers = set().union(*clients.map(read_lists, range(scenarios.CLIENTS)))
    assert len(answers) == len(LISTS)
    assert {status for _, status, _ in answers} == {200}
    (orders,) = (json.loads(body) for name, _, body in answers if name == "orders")
    assert orders["meta"]["total"] == 20
    assert served.printed.count("A connection pooler is in front of PostgreSQL") == 1


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Only Linux limits another process.")
def test_a_full_disk_refuses_writes_and_goes_on_serving_reads(small: Site) -> None:
    seen = see(small, scenarios.disk_full(small), allowed={"503"})
    assert {answer.seen for answer in seen.during if answer.is_write} >= {"503"}
    assert {answer.seen for answer in seen.during if not answer.is_write} == {"200"}
    assert seen.usage_lost == 0


def test_a_clock_that_jumps_ends_what_is_over_and_loses_nothing(small: Site) -> None:
    owner = Visitor(small)
    owner.sign_in("owner@example.com")
    created = new_key(owner, "Made before")
    for back, status in ((False, 401), (True, 200)):
        seen = see(small, scenarios.clock_moved(small, back=back), allowed=set())
        assert seen.usage_lost == 0
        assert call_api(small, f"{STORE}/orders/", small.brief_key).status_code == status
        if not back:
            assert "Made before" in owner.get(PAGES).text
            assert not contains_key(owner.get(created).text)


def new_key(owner: Visitor, name: str) -> str:
    """Fill in the form; returns the address of the page that would show the key, which is not opened."""
    form = owner.hidden_fields(f"{PAGES}new/") | {"name": name, "expiry": "never", "access": "orders:read"}
    url = f"{owner.site.url}{PAGES}new/"
    return owner.session.post(url, form, timeout=PATIENCE, allow_redirects=False).headers["Location"]


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
        assert client.recv(65536).startswith(b"HTTP/1.1 " + status)
