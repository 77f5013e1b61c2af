"""Retention: what is old goes, no sooner than is set; the request log's partitions are made and dropped."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apikeys.models import (
    ApiKey,
    Email,
    HourlyUsage,
    KeptAnswer,
    KnownNetwork,
    LastUse,
    LoggedRequest,
    Refusal,
    StoreUsage,
    Usage,
    UsageWriter,
)
from apikeys.usage import retention
from apikeys.usage.retention import LOG_TABLE, delete_old_emails, delete_old_usage, maintain_request_log
from tests.key_requests import make_request, write_usage

pytestmark = pytest.mark.usefixtures("within_a_minute")

on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no partitions.")


def use_on(key: ApiKey, *days: date) -> None:
    """Write and log a request that was refused, and one that was not, on each of the days."""
    for day in days:
        at = datetime.combine(day, time(12), UTC)
        refused = make_request(key, at=at, status_code=401, reason="api_key_wrong_store")
        write_usage(refused, make_request(key, at=at))


def ago(days: int) -> date:
    return timezone.now().date() - timedelta(days=days)


def logged_days() -> list[date]:
    return sorted({at.date() for at in LoggedRequest.objects.values_list("at", flat=True)}, reverse=True)


@pytest.mark.parametrize("rows_at_once", [5_000, 3])
def test_delete_old_usage_keeps_days_for_as_long_as_is_set(
    key: ApiKey, settings: Any, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    settings.USAGE_KEPT_DAYS = 400
    monkeypatch.setattr(retention, "ROWS_PER_TRANSACTION", rows_at_once)
    use_on(key, ago(1000), ago(401), ago(400), ago(399), ago(0))
    delete_old_usage()
    for model in (Usage, StoreUsage):
        assert set(model._default_manager.values_list("day", flat=True)) == {ago(399), ago(0)}
    assert LastUse.objects.get().key == key


def test_delete_old_usage_keeps_hours_refusals_writers_and_answers_for_as_long_as_each_needs(
    key: ApiKey, settings: Any
) -> None:
    settings.USAGE_KEPT_DAYS = 30
    use_on(key, ago(36), ago(34), ago(30))
    UsageWriter.objects.all().delete()
    now = timezone.now()
    for hours in (23, 25):
        at = now - timedelta(hours=hours)
        UsageWriter.objects.create(id=uuid4(), batch=hours, at=at)
        KeptAnswer.objects.create(key_id=1, idempotency_digest=str(hours), answer=b"", created_at=at)
    delete_old_usage()
    assert {hour.date() for hour in HourlyUsage.objects.values_list("hour", flat=True)} == {ago(34), ago(30)}
    assert not Refusal.objects.exists()
    assert UsageWriter.objects.get().batch == 23
    assert KeptAnswer.objects.get().idempotency_digest == "23"


def test_delete_old_usage_takes_notes_of_deleted_keys_and_leaves_counts(key: ApiKey) -> None:
    use_on(key, ago(0))
    key.delete()
    delete_old_usage()
    assert not LastUse.objects.exists()
    assert not KnownNetwork.objects.exists()
    assert sum(Usage.objects.values_list("requests", flat=True)) == 2


def test_delete_old_emails_keeps_two_weeks_and_three_months_of_failed(db: None) -> None:
    now = timezone.now()
    for days in (13, 15, 89, 91):
        at = now - timedelta(days=days)
        Email.objects.create(subject=f"sent {days}", sent_at=at)
        Email.objects.create(subject=f"failed {days}", failed_at=at)
    Email.objects.create(subject="waiting", created_at=now - timedelta(days=400))
    delete_old_emails()
    kept = set(Email.objects.values_list("subject", flat=True))
    assert kept == {"sent 13", "failed 13", "failed 15", "failed 89", "waiting"}


def test_maintain_request_log_keeps_it_for_as_long_as_is_set(key: ApiKey, settings: Any) -> None:
    settings.REQUEST_LOG_DAYS = 3
    use_on(key, ago(400), ago(3), ago(2), ago(0))
    for _ in range(2):
        maintain_request_log()
        assert logged_days() == [ago(0), ago(2)]


def partition_of(day: date) -> str:
    return f"{LOG_TABLE}_{day:%Y%m%d}"


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [LOG_TABLE]
        )
        return {name for (name,) in cursor.fetchall()}


def rows_in(partition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partition}")  # noqa: S608
        return int(cursor.fetchone()[0])


@on_postgres
def test_maintain_request_log_makes_a_partition_for_each_day(key: ApiKey) -> None:
    maintain_request_log()
    assert {partition_of(ago(-ahead)) for ahead in range(1, 8)} <= partitions()
    use_on(key, ago(-2), ago(-30), ago(0))
    assert rows_in(partition_of(ago(-2))) == 2
    assert rows_in(f"{LOG_TABLE}_default") == 4


@on_postgres
def test_maintain_request_log_leaves_a_day_in_the_default_partition(
    key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    use_on(key, ago(-2))
    maintain_request_log()
    assert partition_of(ago(-2)) not in partitions()
    assert partition_of(ago(-3)) in partitions()
    assert "gets no partition" in caplog.text
    assert logged_days() == [ago(-2)]


@on_postgres
def test_maintain_request_log_drops_an_old_day(
    key: ApiKey, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    maintain_request_log()
    settings.REQUEST_LOG_DAYS = 3
    use_on(key, ago(-1), ago(-3))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE a_century PARTITION OF {LOG_TABLE} FOR VALUES FROM ('2100-1-1') TO ('2200-1-1')"
        )
    now = timezone.now() + timedelta(days=4)
    monkeypatch.setattr(timezone, "now", lambda: now)
    maintain_request_log()
    assert partition_of(ago(3)) not in partitions()
    assert "a_century" in partitions(), "it was made by hand"
    assert logged_days() == [ago(1)]


def maintain_elsewhere() -> None:
    """Do the upkeep on a connection of this thread's own."""
    try:
        maintain_request_log()
    finally:
        connection.close()


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_maintain_request_log_twice_at_once_holds_up_no_writer(key: ApiKey) -> None:
    """Whatever locked writers out would wait for this transaction, and in vain."""
    maintain_request_log()
    later = timezone.now() + timedelta(days=1)
    try:
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as elsewhere:
            use_on(key, ago(-1))
            patch.setattr(timezone, "now", lambda: later)
            for making in [elsewhere.submit(maintain_elsewhere) for _ in range(2)]:
                making.result(timeout=60)
        assert partition_of(later.date() + timedelta(days=7)) in partitions()
    finally:
        with connection.cursor() as cursor:
            for name in partitions() - {f"{LOG_TABLE}_default"}:
                cursor.execute(f"DROP TABLE {name}")
