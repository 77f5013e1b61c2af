"""A primary and a streaming replica: what is read where, and what a replica that fails costs."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests

from tests.postgres import Postgres
from tests.programs import wait_until
from tests.resilience.load import Load
from tests.resilience.servers import standby
from tests.resilience.site import PAGES, SECRET_KEY, STORE, Site, environment, site
from tests.server import PATIENCE, ROOT, Served, Visitor, call_api, gunicorn

TOKEN = "a3f1c2d4e5b6978877665544332211ff"
# What the site asks is in the server's log.
LOGGED = "?options=-c%20log_statement=all"
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")
# What keeps connections and replicas in view, and belongs to no request.
CHECKS = re.compile(r"SELECT 1$|.*(pg_current_wal_flush_lsn|pg_is_in_recovery|set_config)")
SHOP = re.compile(r".* FROM \"?stores_")
KEY_CHECK = re.compile(r".* FROM apikeys_apikey key JOIN stores_store ")


@pytest.fixture(scope="module")
def primary(database: Postgres) -> Postgres:
    return database


@pytest.fixture(scope="module")
def replica(primary: Postgres) -> Iterator[Postgres]:
    with standby(primary) as server:
        yield server


@pytest.fixture(scope="module")
def urls(primary: Postgres, replica: Postgres) -> dict[str, str]:
    return {
        "DATABASE_URL": primary.url + LOGGED,
        "DATABASE_REPLICA_URL": replica.url + LOGGED,
        "SECRET_KEY": SECRET_KEY,
        # Nothing is written in the background while statements are listed.
        "USAGE_FLUSH_SECONDS": "3600",
    }


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory, urls: dict[str, str]) -> Iterator[Site]:
    """A site with a shop, which reads from a replica that is up to a minute behind."""
    settings = {name: value for name, value in urls.items() if name != "DATABASE_URL"}
    folder = tmp_path_factory.mktemp("patient")
    with site(folder, urls["DATABASE_URL"], REPLICA_MAX_LAG_SECONDS="60", **settings) as patient:
        yield patient


@pytest.fixture
def shop(patient: Site, replica: Postgres) -> Site:
    """The site, once it reads orders from the replica."""
    wait_until_read(replica, patient, patient.key)
    return patient


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, patient: Site, urls: dict[str, str]) -> Iterator[Served]:
    """Another machine of the same shop, whose replica may be two seconds behind."""
    limits = {"RATE_LIMIT_PER_KEY": "1000000", "REPLICA_MAX_LAG_SECONDS": "2", "METRICS_TOKEN": TOKEN}
    with gunicorn(tmp_path_factory.mktemp("strict"), **limits, **urls) as served:
        wait_for_state(served, "ok")
        yield served


def wait_for_state(served: Served, *states: str) -> None:
    """Come back when the site says so of its replicas."""
    expected = {f"replica{number}": state for number, state in enumerate(states, start=1)}
    wait_until(lambda: expected.items() <= call_api(served, "/readyz").json().items())


def wait_until_read(replica: Postgres, served: Served, key: str) -> None:
    """Come back when the orders come from the replica: it has received the store's last change."""

    def is_read() -> bool:
        with statements(replica) as found:
            call_api(served, f"{STORE}/orders/", key)
        return bool(found[0])

    wait_until(is_read)


@contextmanager
def paused(replica: Postgres) -> Iterator[None]:
    """The replica stays as it is, and answers."""
    replica.execute("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        replica.execute("SELECT pg_wal_replay_resume()")


@contextmanager
def statements(*servers: Postgres) -> Iterator[list[list[str]]]:
    """List each server's statements meanwhile, but for checks."""
    found: list[list[str]] = []
    logs = [server.folder / "log" for server in servers]
    begins = [log.stat().st_size for log in logs]
    yield found
    for log, begin in zip(logs, begins, strict=True):
        text = log.read_bytes()[begin:].decode().replace("\n\t", " ")
        lines = [" ".join(line.split()) for line in STATEMENT.findall(text)]
        found.append([line for line in lines if not CHECKS.match(line)])


def test_doctor_says_of_a_replica_how_far_it_is_behind(
    shop: Site, replica: Postgres, urls: dict[str, str]
) -> None:
    def examine() -> dict[str, str]:
        variables = environment(urls["DATABASE_URL"]) | urls
        program = [sys.executable, "manage.py", "doctor", "--variables", "--json"]
        done = subprocess.run(program, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr  # there is no mail server
        (found,) = (one for one in json.loads(done.stdout) if one["subject"] == "replicas")
        return dict(found)

    found = examine()
    assert (found["light"], found["help"]) == ("green", "")
    assert re.fullmatch(r"replica1 is ok, \d+\.\d s behind", found["sentence"])
    with paused(replica):
        create_product(shop, shop.key, "Written while the replica is paused")
        found = examine()
    assert (found["light"], found["help"]) == ("amber", "`reflow_replica_used` is 0")
    assert found["sentence"] == "replica1 is behind"


def create_product(served: Served, key: str, name: str) -> None:
    url, headers = f"{served.url}{STORE}/products/", {"Authorization": f"Bearer {key}"}
    made = requests.post(url, json={"name": name, "price": 100}, headers=headers, timeout=PATIENCE)
    assert made.status_code == 201


def product_names(served: Served, key: str | None = None) -> list[str]:
    return [product["name"] for product in call_api(served, f"{STORE}/products/", key).json()["data"]]


# The store itself comes with the key.
@pytest.mark.parametrize(
    ("path", "with_key", "is_on_replica"),
    [("", True, False), ("/orders/", True, True), ("/products/", True, True), ("/products/", False, True)],
)
def test_the_primary_is_asked_for_the_key_alone(
    shop: Site, primary: Postgres, replica: Postgres, path: str, *, with_key: bool, is_on_replica: bool
) -> None:
    with statements(primary, replica) as found:
        assert call_api(shop, f"{STORE}{path}", shop.key if with_key else None).status_code == 200
    on_primary, on_replica = found
    assert [bool(KEY_CHECK.match(line)) for line in on_primary] == [True] * with_key
    assert all(SHOP.match(line) for line in on_replica)
    assert bool(on_replica) == is_on_replica


def owner_of(served: Served) -> Visitor:
    owner = Visitor(served)
    owner.sign_in("owner@example.com")
    return owner


@pytest.mark.parametrize(
    ("path", "tables", "conditions"),
    [
        # Each request has its key's name.
        ("requests/", {"apikeys_loggedrequest", "apikeys_apikey"}, {"apikeys_apikey"}),
        ("requests.csv", {"apikeys_loggedrequest", "apikeys_apikey"}, {"apikeys_apikey"}),
        ("usage.csv", {"apikeys_usage"}, set()),
        # Keys are also chosen by what they did.
        ("", {"apikeys_usage_by_store", "apikeys_usage"}, {"apikeys_usage"}),
    ],
)
def test_usage_and_the_request_log_are_read_from_the_replica(
    shop: Served, primary: Postgres, replica: Postgres, path: str, tables: set[str], conditions: set[str]
) -> None:
    owner = owner_of(shop)
    with statements(primary, replica) as found:
        assert owner.get(f"{PAGES}{path}").status_code == 200
    on_primary, on_replica = (Counter(re.findall(r'FROM "(\w+)"', " ".join(lines))) for lines in found)
    assert on_replica.keys() == tables
    assert on_primary.keys() & tables <= conditions
    assert "stores_store" in on_primary


def test_whoever_has_changed_something_sees_it_everywhere_at_once(
    shop: Site, strict: Served, replica: Postgres
) -> None:
    with paused(replica):
        create_product(shop, shop.key, "Just added")
        assert product_names(shop, shop.key)[0] == "Just added"
        assert product_names(strict, shop.key)[0] == "Just added"
        # Nobody's request is served by the replica, which shows that there was something to miss.
        assert "Just added" not in product_names(shop)
    wait_until_read(replica, shop, shop.key)
    assert product_names(shop)[0] == "Just added"


def test_a_deactivated_key_is_refused_by_each_machine_from_the_next_request_on(
    shop: Site, strict: Served, replica: Postgres
) -> None:
    owner = owner_of(shop)
    key = new_key(owner)
    prefix = key.partition(".")[0]
    with paused(replica):
        for machine in (shop, strict):
            assert call_api(machine, f"{STORE}/orders/", key).status_code == 200
        owner.send(f"{PAGES}{prefix}/deactivate/", hours="")
        for machine in (shop, strict):
            assert call_api(machine, f"{STORE}/orders/", key).json()["code"] == "api_key_inactive"
        assert "Off" in owner.get(f"{PAGES}{prefix}/").text


def new_key(owner: Visitor) -> str:
    page = owner.send(f"{PAGES}new/", name="Of a moment", expiry="never", access="orders:read")
    found = re.search(r"[0-9a-f]{7}\.[0-9a-f]{27}", page.text)
    assert found
    return found[0]


def test_a_replica_that_is_too_far_behind_is_left_out_until_it_has_caught_up(
    patient: Site, strict: Served, replica: Postgres
) -> None:
    with paused(replica):
        create_product(strict, patient.key, "Not there yet")
        wait_for_state(strict, "behind")
        assert call_api(strict, "/readyz").status_code == 200
        with statements(replica) as found:
            assert product_names(strict)[0] == "Not there yet"
        assert found == [[]]
    wait_for_state(strict, "ok")
    wait_until_read(replica, strict, patient.key)
    metrics = call_api(strict, "/metrics", TOKEN).text
    assert 'reflow_replica_used{replica="replica1"} 1.0' in metrics
    assert re.search(r'reflow_replica_lag_seconds\{replica="replica1"\} \d', metrics)


def test_a_replica_with_an_older_schema_is_left_out_until_it_is_migrated(
    shop: Site, primary: Postgres, replica: Postgres
) -> None:
    with paused(replica):
        migrate = "INSERT INTO django_migrations (app, name, applied) VALUES ('stores', '9999_next', now())"
        primary.execute(migrate)
        wait_for_state(shop, "older schema")
        with statements(replica) as found:
            assert call_api(shop, f"{STORE}/orders/", shop.key).status_code == 200
        assert found == [[]]
    wait_until_read(replica, shop, shop.key)


@contextmanager
def stopped(replica: Postgres) -> Iterator[None]:
    replica.stop()
    try:
        yield
    finally:
        replica.start()


@pytest.mark.parametrize("fault", [stopped, Postgres.frozen])
def test_a_replica_that_stops_or_never_answers_costs_nobody_an_answer(
    shop: Site, replica: Postgres, fault: Callable[[Postgres], AbstractContextManager[None]]
) -> None:
    with Load([shop.url], shop.key, writers=0) as calls:
        calls.wait_for(50)
        with fault(replica):
            wait_for_state(shop, "away")
            calls.wait_for(50)
        wait_until_read(replica, shop, shop.key)
        calls.wait_for(50)
    assert calls.seen.keys() == {"200"}


def test_what_is_no_replica_of_this_database_is_never_read_from(
    patient: Site, primary: Postgres, replica: Postgres, urls: dict[str, str], tmp_path: Path
) -> None:
    primary.execute("CREATE DATABASE other")
    wrong = (
        f"{primary.url}?application_name=other",
        f"{replica.url.rpartition('/')[0]}/other",
        f"postgres://postgres@/{tmp_path}/postgres",
    )
    with gunicorn(tmp_path, **urls | {"DATABASE_REPLICA_URL": ",".join(wrong)}) as served:
        wait_for_state(served, "no replica", "away", "away")
        with statements(replica) as found:
            assert call_api(served, f"{STORE}/products/", patient.key).status_code == 200
        assert found == [[]]
