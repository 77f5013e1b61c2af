"""Upkeep of the request log: days are kept for as long as is set, and a missing partition loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from apikeys.models import ApiKey, HourlyUsage, LoggedRequest
from apikeys.usage import request_log, writer
from apikeys.usage.batch import Batch
from apikeys.usage.request_log import TABLE, maintain_request_log
from tests.conftest import IssueKey
from tests.key_requests import make_request

on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no partitions.")


@pytest.fixture
def key(issue: IssueKey) -> ApiKey:
    return issue()[0]


def log_on(key: ApiKey, *days: date) -> None:
    """Log a request on each of the days."""
    batch = Batch(uuid4(), 1)
    for day in days:
        request = make_request(key, at=datetime.combine(day, time(12), UTC))
        batch.add(request)
        batch.add_to_log(request)
    writer.write(batch)


def logged_days() -> list[date]:
    return [at.date() for at in LoggedRequest.objects.order_by("-at").values_list("at", flat=True)]


def ago(days: int) -> date:
    return timezone.now().date() - timedelta(days=days)


def test_days_are_kept_for_as_long_as_is_set(key: ApiKey, settings: Any) -> None:
    settings.REQUEST_LOG_DAYS = 3
    log_on(key, ago(400), ago(3), ago(2), ago(0))
    assert maintain_request_log().deleted == 2
    assert logged_days() == [ago(0), ago(2)]
    assert maintain_request_log().deleted == 0


def test_rows_go_in_portions(key: ApiKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "ROWS_PER_TRANSACTION", 2)
    log_on(key, *[ago(60)] * 5, ago(0))
    assert maintain_request_log().deleted == 5
    assert logged_days() == [ago(0)]


def test_hours_are_kept_for_two_days(key: ApiKey) -> None:
    log_on(key, ago(4), ago(1))
    maintain_request_log()
    assert [hour.date() for hour in HourlyUsage.objects.values_list("hour", flat=True)] == [ago(1)]


def test_the_command_says_what_it_did(key: ApiKey, capsys: pytest.CaptureFixture[str]) -> None:
    log_on(key, ago(400))
    call_command("maintain_request_log")
    assert capsys.readouterr().out.endswith(" are dropped, 1 rows are deleted.\n")


def partition_of(day: date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1",
            [TABLE],
        )
        return [name.removeprefix(f"{TABLE}_") for (name,) in cursor.fetchall()]


def rows_in(partition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}_{partition}")  # noqa: S608
        return int(cursor.fetchone()[0])


@pytest.fixture
def a_week_ahead(db: None) -> None:
    maintain_request_log()


@on_postgres
@pytest.mark.usefixtures("a_week_ahead")
def test_partitions_are_made_ahead_once() -> None:
    assert {"default", *(f"{ago(-ahead):%Y%m%d}" for ahead in range(1, 8))} <= set(partitions())
    assert maintain_request_log().made == []


@on_postgres
@pytest.mark.usefixtures("a_week_ahead")
def test_a_row_is_in_the_partition_of_its_day_and_without_one_in_the_default(key: ApiKey) -> None:
    log_on(key, ago(-2), ago(-2), ago(-30), ago(0))
    assert rows_in(f"{ago(-2):%Y%m%d}") == 2
    assert rows_in("default") == 2
    assert len(logged_days()) == 4


@on_postgres
def test_a_day_whose_rows_are_in_the_default_partition_stays_there(
    key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    log_on(key, ago(-2))
    assert partition_of(ago(-2)) not in maintain_request_log().made
    assert "gets no partition" in caplog.text
    assert logged_days() == [ago(-2)]
    assert f"{ago(-3):%Y%m%d}" in partitions()


@on_postgres
@pytest.mark.usefixtures("a_week_ahead")
def test_a_day_that_is_too_old_is_dropped_whole(
    key: ApiKey, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUEST_LOG_DAYS = 3
    log_on(key, ago(-1), ago(-3))
    now = timezone.now() + timedelta(days=4)
    monkeypatch.setattr(timezone, "now", lambda: now)
    upkeep = maintain_request_log()
    assert (upkeep.dropped, upkeep.deleted) == ([partition_of(ago(3))], 0)
    assert logged_days() == [ago(1)]


def make_partitions() -> list[str]:
    """Do the upkeep on a connection of this thread's own."""
    try:
        return maintain_request_log().made
    finally:
        connection.close()


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_partitions_are_made_while_others_write(issue: IssueKey) -> None:
    """Whatever locked writers out would wait for this transaction, and in vain."""
    key, _ = issue()
    maintain_request_log()
    later = timezone.now() + timedelta(days=1)
    with transaction.atomic():
        log_on(key, ago(-1))
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as elsewhere:
            patch.setattr(timezone, "now", lambda: later)
            made = elsewhere.submit(make_partitions).result()
    assert made == [partition_of(later.date() + timedelta(days=7))]
