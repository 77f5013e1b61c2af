"""Migrations that take over what was kept in another way, while the site serves."""

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from apikeys.models import ApiKey, LastUse, StoreUsage, Usage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.models import Store
from tests.conftest import IssueKey
from tests.key_requests import NOON, make_request

migration = importlib.import_module("apikeys.migrations.0018_move_usage")
fill_used_at = importlib.import_module("apikeys.migrations.0028_fill_used_at").fill

DAY = NOON.date()
COUNTED = """
    INSERT INTO apikeys_apikeyusage AS kept (key_id, date, resource, access, outcome, requests, last_at)
    VALUES (%s, %s, 'orders', 'read', %s, %s, %s)
    ON CONFLICT (key_id, date, resource, access, outcome)
        DO UPDATE SET requests = kept.requests + excluded.requests
"""
REFUSED = """
    INSERT INTO apikeys_refusalusage (key_id, date, resource, access, reason, requests, last_at)
    VALUES (%s, %s, 'orders', 'read', %s, %s, %s)
"""
OF_STORE = """
    INSERT INTO apikeys_storeusage AS kept (store_id, date, outcome, requests) VALUES (%s, %s, %s, %s)
    ON CONFLICT (store_id, date, outcome) DO UPDATE SET requests = kept.requests + excluded.requests
"""


def execute(sql: str, *values: Any) -> None:
    """Write as the release before did."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [connection.ops.adapt_datetimefield_value(v) if isinstance(v, datetime) else v for v in values],
        )


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum(requests), 0) FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def migrate(*, back: bool = False) -> None:
    with connection.schema_editor(atomic=False) as editor:
        (migration.move_back if back else migration.move)(apps, editor)


def figures() -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    columns = ("key_id", "day", "outcome", "reason", "requests")
    return set(Usage.objects.values_list(*columns)), set(
        StoreUsage.objects.values_list("store_id", "day", "outcome", "requests")
    )


def write_old_figures(key: ApiKey, day: date = DAY) -> None:
    """Ten requests were refused, seven with a reason, and the store has those of a deleted key, too."""
    execute(COUNTED, key.pk, day, "succeeded", 5, NOON)
    execute(COUNTED, key.pk, day, "refused", 10, NOON)
    for reason, requests in (("rate_limited", 3), ("api_key_expired", 4)):
        execute(REFUSED, key.pk, day, reason, requests, NOON)
    execute(OF_STORE, key.store_id, day, "succeeded", 8)
    execute(OF_STORE, key.store_id, day, "refused", 10)


def moved(key: ApiKey, day: date) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    return {
        (key.pk, day, "succeeded", "", 5),
        (key.pk, day, "refused", "rate_limited", 3),
        (key.pk, day, "refused", "api_key_expired", 4),
        (key.pk, day, "refused", "", 3),
        (0, day, "succeeded", "", 3),
    }, {(key.store_id, day, "succeeded", 8), (key.store_id, day, "refused", 10)}


@pytest.mark.django_db(transaction=True)
def test_move_brings_all_figures_over_once_and_back(issue: IssueKey, other_store: Store) -> None:
    mine, theirs = issue()[0], issue(store=other_store)[0]
    write_old_figures(mine)
    write_old_figures(theirs, DAY - timedelta(days=300))
    for _ in range(2):
        migrate()
        expected = [moved(mine, DAY), moved(theirs, DAY - timedelta(days=300))]
        assert figures() == (expected[0][0] | expected[1][0], expected[0][1] | expected[1][1])
    assert {row.last_at for row in Usage.objects.exclude(key=0)} == {NOON}
    assert count("apikeys_apikeyusage") == count("apikeys_storeusage") == 0
    migrate(back=True)
    assert figures() == (set(), set())
    assert (count("apikeys_apikeyusage"), count("apikeys_refusalusage")) == (30, 14)
    assert count("apikeys_storeusage") == 36
    migrate()
    assert figures() == (expected[0][0] | expected[1][0], expected[0][1] | expected[1][1])


@pytest.mark.django_db(transaction=True)
def test_move_adds_up_old_and_new_figures(issue: IssueKey) -> None:
    key, _ = issue()
    batch = Batch(uuid4(), 1)
    batch.add(make_request(key))
    writer.write(batch)
    write_old_figures(key)
    migrate()
    write_old_figures(key)
    migrate()
    assert Usage.objects.get(key=key, outcome="succeeded").requests == 11
    assert StoreUsage.objects.get(outcome="refused").requests == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="On SQLite one writes at a time.")
def test_move_while_both_releases_count(issue: IssueKey) -> None:
    key, _ = issue()
    today = timezone.now().date()
    for ago in range(200):
        write_old_figures(key, today - timedelta(days=ago))
    done = threading.Event()

    def count_new() -> int:
        batch, written = Batch(uuid4(), 0), 0
        while not done.is_set():
            batch = batch.next_batch()
            batch.add(make_request(key, at=timezone.now()))
            writer.write(batch)
            written += 1
        connection.close()
        return written

    def count_old() -> int:
        written = 0
        while not done.is_set():
            execute(COUNTED, key.pk, today, "succeeded", 1, timezone.now())
            execute(OF_STORE, key.store_id, today, "succeeded", 1)
            written += 1
        connection.close()
        return written

    with ThreadPoolExecutor() as elsewhere:
        counting = [elsewhere.submit(work) for work in (count_new, count_old, count_old)]
        try:
            migrate()
        finally:
            done.set()
        written = sum(future.result() for future in counting)
    assert written
    migrate()
    assert count("apikeys_usage_by_store") == written + 200 * 18
    assert count("apikeys_usage") >= written + 200 * 18


def test_a_key_was_used_when_it_was_last_let_in(issue: IssueKey) -> None:
    used, refused, never = (issue()[0] for _ in range(3))
    for key, status_code in ((used, 404), (refused, 401), (never, 401)):
        LastUse.objects.create(key=key, at=NOON, method="GET", status_code=status_code)
    for days, outcome in ((3, "succeeded"), (2, "failed"), (1, "refused")):
        at = NOON - timedelta(days=days)
        Usage.objects.create(
            store_id=refused.store_id, key=refused, day=at.date(), outcome=outcome, requests=1, last_at=at
        )
    fill_used_at(apps, None)
    assert dict(LastUse.objects.values_list("key", "used_at")) == {
        used.pk: NOON,
        refused.pk: NOON - timedelta(days=2),
        never.pk: None,
    }
