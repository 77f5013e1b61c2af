"""Usage by month on PostgreSQL: only the months of a range are read and written, and nothing is lost."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyUsage, RefusalUsage, StoreUsage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from apikeys.usage.partitions import make_partitions, months_after
from stores.models import Store
from tests.backends import wait_until
from tests.conftest import IssueKey, bearer, sign_in
from tests.key_requests import make_request

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no partitions.")

MODELS = (ApiKeyUsage, RefusalUsage, StoreUsage)
TABLES = [model._meta.db_table for model in MODELS]
TABLE = ApiKeyUsage._meta.db_table

# The table as it was before there were partitions ends two months after the day of the migration.
MONTHS = months_after(datetime.now(UTC).date(), 14)
NOW = datetime.combine(MONTHS[7].replace(day=15), time(12), UTC)


@pytest.fixture
def later() -> Iterator[None]:
    """It is the middle of a month that has no partition."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def by_month(db: None, later: None) -> None:
    """It is the middle of a month, and there are partitions of months before it and after it."""
    for table in TABLES:
        make_partitions(table, MONTHS)


def use_on(key: ApiKey, *days: date) -> None:
    """Count a refused request on each of the days."""
    batch = Batch(uuid4(), 1)
    for day in days:
        at = datetime.combine(day, time(12), UTC)
        batch.add(make_request(key, at=at, status_code=401, reason="api_key_expired"))
    writer.write(batch)
    # Within a transaction of a test, too: a table whose rows are not yet checked cannot be dropped.
    connection.check_constraints()


def partitions(table: str = TABLE) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table]
        )
        return {name.removeprefix(f"{table}_") for (name,) in cursor.fetchall()}


def rows_in(partition: str, table: str = TABLE) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}_{partition}")  # noqa: S608
        return int(cursor.fetchone()[0])


def month(ago: int) -> str:
    """The name of the partition of a month, so many before the present one."""
    return f"{MONTHS[7 - ago]:%Y%m%d}" if ago < 7 else "before"


def days_counted() -> list[date]:
    counted = [list(model.objects.order_by("date").values_list("date", flat=True)) for model in MODELS]
    assert counted[0] == counted[1] == counted[2]
    return counted[0]


def partitions_read(queries: CaptureQueriesContext) -> set[str]:
    """Return which partitions the plans of the queries read, of any of the tables."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for query in [query["sql"] for query in queries if query["sql"].startswith("SELECT")]:
            if any(table in query for table in TABLES):
                cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
                plan = json.dumps(cursor.fetchone()[0])
                found.update(re.findall(rf'"Relation Name": "(?:{"|".join(TABLES)})_(\w+)"', plan))
    return found


@pytest.mark.usefixtures("by_month")
@pytest.mark.parametrize(
    ("path", "months"),
    [
        ("", 2),
        ("?range=7d", 2),  # with what else is shown of 30 days
        ("?range=90d", 4),
        ("?range=12m", 12),
        ("?status=write-unused", 2),
        ("?status=refused", 2),
        ("?filter=refused", 2),
        ("{prefix}/", 2),
        ("{prefix}/?range=90d", 4),
        ("usage.csv?range=7d", 1),
        ("usage.csv?range=90d", 4),
    ],
)
def test_a_page_reads_the_months_of_its_range_alone(
    issue: IssueKey, owner: object, path: str, months: int
) -> None:
    key, _ = issue(access=["orders:write"])
    browser = Client()
    sign_in(browser, "owner@example.com")
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(f"/stores/{key.store_id}/settings/api-keys/{path.format(prefix=key.prefix)}")
        assert response.status_code == 200
        response.getvalue()
    assert partitions_read(queries) == {month(ago) for ago in range(months)}


@pytest.mark.usefixtures("by_month")
def test_the_figures_of_a_key_read_two_months(issue: IssueKey, client: Client) -> None:
    _, plaintext = issue()
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    assert partitions_read(queries) == {month(0), month(1)}


@pytest.mark.django_db(transaction=True)
def test_a_flush_touches_the_partition_of_its_day_alone(issue: IssueKey) -> None:
    key, _ = issue()
    with transaction.atomic():
        use_on(key, timezone.now().date())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relation::regclass::text FROM pg_locks JOIN pg_inherits ON inhrelid = relation "
                "WHERE pid = pg_backend_pid() AND inhparent::regclass::text = ANY(%s)",
                [TABLES],
            )
            touched = {name for (name,) in cursor.fetchall()}
    assert touched == {f"{table}_before" for table in TABLES}


@pytest.mark.usefixtures("by_month")
def test_days_add_up_in_the_partition_of_their_month(issue: IssueKey) -> None:
    key, _ = issue()
    use_on(key, NOW.date(), NOW.date() - timedelta(days=31))
    use_on(key, NOW.date(), NOW.date() - timedelta(days=31))
    for table in TABLES:
        assert (rows_in(month(0), table), rows_in(month(1), table)) == (1, 1)
    assert set(ApiKeyUsage.objects.values_list("requests", flat=True)) == {2}


@pytest.mark.usefixtures("db", "later")
def test_months_are_made_ahead_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prune_usage")
    for table in TABLES:
        assert {month(-1), month(-2), month(-3)} <= partitions(table)
        assert month(0) not in partitions(table)
    assert "Usage of keys: 3 partitions are made, 0 are dropped." in capsys.readouterr().out
    call_command("prune_usage")
    assert "are made" not in capsys.readouterr().out


@pytest.mark.usefixtures("later")
def test_days_without_a_partition_are_counted_and_stay_where_they_are(
    issue: IssueKey, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    today, next_month = NOW.date(), MONTHS[8]
    use_on(key, today, next_month)
    call_command("prune_usage")
    assert month(-1) not in partitions()
    assert month(-2) in partitions()
    assert f"gets no partition for {next_month}" in caplog.text
    use_on(key, today, next_month)
    assert days_counted() == [today, next_month]
    assert rows_in("default") == 2
    with time_machine.travel(NOW + timedelta(days=90)):
        call_command("prune_usage", days=30)
    assert days_counted() == []


@pytest.mark.usefixtures("by_month")
def test_a_month_that_is_too_old_is_dropped_whole(
    issue: IssueKey, capsys: pytest.CaptureFixture[str]
) -> None:
    key, _ = issue()
    use_on(key, MONTHS[5], MONTHS[6] - timedelta(days=1), MONTHS[6], NOW.date())
    with CaptureQueriesContext(connection) as queries:
        call_command("prune_usage", days=(NOW.date() - MONTHS[6]).days + 1)
    assert days_counted() == [MONTHS[6], NOW.date()]
    assert month(2) not in partitions()
    # The table from before there were partitions is as old by then, and goes with them.
    assert "before" not in partitions()
    assert not [query for query in queries if query["sql"].startswith("DELETE")]
    assert "0 rows from before" in capsys.readouterr().out


@pytest.mark.usefixtures("by_month")
def test_a_month_stays_whole_as_long_as_a_day_of_it_is_kept(issue: IssueKey) -> None:
    key, _ = issue()
    use_on(key, MONTHS[6] - timedelta(days=1), MONTHS[6])
    call_command("prune_usage", days=(NOW.date() - MONTHS[6]).days - 9)
    assert days_counted() == [MONTHS[6]]


@pytest.mark.usefixtures("by_month")
def test_deleting_a_key_deletes_its_days_in_one_statement(issue: IssueKey, store: Store) -> None:
    key, other = issue()[0], issue()[0]
    for used in (key, other):
        use_on(used, *MONTHS[:8])
    with CaptureQueriesContext(connection) as queries:
        key.delete()
    deletions = [sql for query in queries if (sql := query["sql"]).startswith("DELETE") and TABLE in sql]
    assert len(deletions) == 1
    assert set(ApiKeyUsage.objects.values_list("key", flat=True)) == {other.pk}
    assert set(RefusalUsage.objects.values_list("key", flat=True)) == {other.pk}
    store.delete()
    assert days_counted() == []


def make_next_month() -> list[str]:
    """Make one partition on a connection of this thread's own."""
    try:
        return make_partitions(TABLE, MONTHS[-2:])
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_who_make_a_partition_at_once_make_one() -> None:
    try:
        with ThreadPoolExecutor() as elsewhere:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {TABLE} IN SHARE UPDATE EXCLUSIVE MODE")
                making = [elsewhere.submit(make_next_month) for _ in range(2)]
                wait_until(2, "wait_event_type = 'Lock'")
            made = [names for future in making if (names := future.result())]
        assert made == [[f"{TABLE}_{MONTHS[-2]:%Y%m%d}"]]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}_{MONTHS[-2]:%Y%m%d}")


@pytest.mark.django_db(transaction=True)
def test_a_partition_is_made_while_others_write(issue: IssueKey) -> None:
    """Whatever locked writers out would wait for this transaction, and in vain."""
    key, _ = issue()
    try:
        with ThreadPoolExecutor() as elsewhere, transaction.atomic():
            use_on(key, timezone.now().date())
            assert elsewhere.submit(make_next_month).result()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}_{MONTHS[-2]:%Y%m%d}")
