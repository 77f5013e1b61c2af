"""The migration that partitions usage by month: no row is copied or lost, and the site serves meanwhile."""

import importlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyUsage, RefusalUsage, StoreUsage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from tests.backends import wait_until
from tests.conftest import IssueKey, bearer
from tests.key_requests import make_request

pytestmark = [
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps its tables as they are."),
    pytest.mark.django_db(transaction=True),
]

MODELS = (ApiKeyUsage, RefusalUsage, StoreUsage)
TABLES = [model._meta.db_table for model in MODELS]

T = TypeVar("T")

migration = importlib.import_module("apikeys.migrations.0013_usage_by_month")


def migrate() -> None:
    with connection.schema_editor(atomic=False) as editor:
        migration.partition_by_month(apps, editor)


@pytest.fixture(autouse=True)
def plain_tables(transactional_db: None) -> Iterator[None]:
    """Tables as the release before had them, until the end of the test."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.delete_model(model)
            editor.create_model(model)
    yield
    migrate()


def another_connection() -> psycopg.Connection[Any]:
    address = connection.settings_dict
    return psycopg.connect(
        host=address["HOST"], user=address["USER"], password=address["PASSWORD"], dbname=address["NAME"]
    )


def alone(work: Callable[[], T]) -> T:
    """Do it on a connection of this thread's own, and leave none behind."""
    try:
        return work()
    finally:
        connection.close()


def query(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def partitions(table: str) -> set[str]:
    rows = query("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", table)
    return {name.removeprefix(f"{table}_") for (name,) in rows}


def files(suffix: str = "") -> list[int]:
    """Where the rows of each table are stored."""
    return [query("SELECT pg_relation_filenode(%s::regclass)", table + suffix)[0][0] for table in TABLES]


def constraints() -> dict[str, dict[str, Any]]:
    """What each table has besides its primary key, by its name."""
    with connection.cursor() as cursor:
        return {
            table: {
                name: found
                for name, found in connection.introspection.get_constraints(cursor, table).items()
                if not found["primary_key"]
            }
            for table in TABLES
        }


def count_requests(key: ApiKey, *, days_ago: int = 0) -> None:
    """Count one request that was refused and one that was not."""
    batch = Batch(uuid4(), 1)
    at = timezone.now() - timedelta(days=days_ago)
    batch.add(make_request(key, at=at))
    batch.add(make_request(key, at=at, status_code=401, reason="api_key_expired"))
    writer.write(batch)


def rows() -> list[list[dict[str, Any]]]:
    return [[dict(row) for row in model._default_manager.order_by("pk").values()] for model in MODELS]


def test_rows_stay_where_they_are_and_are_counted_on(issue: IssueKey) -> None:
    key, _ = issue()
    for days_ago in (500, 40, 0):
        count_requests(key, days_ago=days_ago)
    before = rows(), files(), constraints()
    migrate()
    assert (rows(), files("_before"), constraints()) == before
    for table in TABLES:
        assert partitions(table) == {"before", "default"}
    count_requests(key)
    assert [row["requests"] for row in rows()[0]] == [1, 1, 1, 1, 2, 2]
    count_requests(key, days_ago=1)
    newest = [[row["id"] for row in of_model] for of_model in rows()]
    assert newest == [sorted(set(ids)) for ids in newest]


def test_what_comes_after_has_the_keys_of_both_columns() -> None:
    migrate()
    for table in TABLES:
        for name in (table, f"{table}_before"):
            assert query(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE contype = 'p' AND conrelid = %s::regclass",
                name,
            ) == [("PRIMARY KEY (id, date)",)]


def test_a_table_that_is_partitioned_is_left_alone(issue: IssueKey) -> None:
    key, _ = issue()
    count_requests(key)
    migrate()
    before = rows(), files("_before"), constraints()
    migrate()
    assert (rows(), files("_before"), constraints()) == before


def test_it_gives_way_to_a_long_query_and_goes_on_when_it_is_run_again(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "ATTEMPTS", 2)
    key, _ = issue()
    count_requests(key)
    before = constraints()
    with another_connection() as other:
        other.execute("SELECT FROM apikeys_apikey FOR KEY SHARE")
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate()
        # What is left is an index: no check refuses the days of a month to come.
        assert all(partitions(table) == set() for table in TABLES)
        count_requests(key, days_ago=-100)
    migrate()
    assert all(partitions(table) == {"before", "default"} for table in TABLES)
    assert constraints() == before
    assert ApiKeyUsage.objects.count() == 4


def test_it_waits_for_a_vacuum(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that PostgreSQL began itself gives way only to who waits for longer than LOCK_TIMEOUT."""
    monkeypatch.setattr(migration, "ATTEMPTS", 1)
    monkeypatch.setattr(migration, "LOCK_TIMEOUT", "1ms")
    migration.index_id_and_date(connection, TABLES[0])
    with ThreadPoolExecutor() as elsewhere:
        with another_connection() as other:
            other.execute(f"LOCK TABLE {TABLES[0]} IN SHARE UPDATE EXCLUSIVE MODE")
            migrating = elsewhere.submit(alone, migrate)
            wait_until(1, f"wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE {TABLES[0]} IN SHARE %'")
        migrating.result()
    assert partitions(TABLES[0]) == {"before", "default"}


def test_an_index_that_was_broken_off_is_made_anew(issue: IssueKey) -> None:
    """What CREATE INDEX CONCURRENTLY leaves behind where it fails serves nobody."""
    key, _ = issue()
    count_requests(key)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {TABLES[0]}_before_pkey ON {TABLES[0]} (id)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
            [f"{TABLES[0]}_before_pkey"],
        )
    migrate()
    assert partitions(TABLES[0]) == {"before", "default"}


def test_the_site_serves_and_counts_meanwhile(issue: IssueKey, owner: Any) -> None:
    key, plaintext = issue()
    ApiKey.objects.filter(pk=key.pk).update(rate_limit=1_000_000)
    done = threading.Event()

    def count() -> int:
        made = 0
        while not done.is_set():
            count_requests(key)
            made += 1
        return made

    def ask() -> list[int]:
        client = Client()
        answers = []
        while not done.is_set():
            answers.append(client.get("/v1/api-key/", headers=bearer(plaintext)).status_code)
        return answers

    with ThreadPoolExecutor() as elsewhere:
        counting = [elsewhere.submit(alone, count) for _ in range(2)]
        asking = elsewhere.submit(alone, ask)
        try:
            migrate()
        finally:
            done.set()
        counted = sum(future.result() for future in counting)
        answered = asking.result()
    assert counted
    assert set(answered) == {200}
    assert RefusalUsage.objects.get().requests == counted
    assert sum(StoreUsage.objects.values_list("requests", flat=True)) == 2 * counted + len(answered)
