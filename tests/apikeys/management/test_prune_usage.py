"""Daily figures go when they are old enough, and no sooner."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.management.commands import prune_usage
from apikeys.models import ApiKeyUsage, LastUse, RefusalUsage, StoreUsage, UsageWriter
from apikeys.models.usage import first_day
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from tests.conftest import IssueKey
from tests.key_requests import make_request

DAYS_AGO = (0, 29, 30, 399, 400, 1000)


@pytest.fixture
def days(issue: IssueKey) -> list[date]:
    """Days on each of which a key was used, the newest first."""
    key, _ = issue()
    now = timezone.now()
    days = [now.date() - timedelta(days=ago) for ago in DAYS_AGO]
    batch = Batch(uuid4(), 1)
    for day in days:
        at = datetime.combine(day, time(12), UTC)
        batch.add(make_request(key, at=at, status_code=401, reason="api_key_expired"))
    writer.write(batch)
    return days


def kept() -> list[date]:
    """The days that are left of the key, and as many of the store and of refusals."""
    left = list(ApiKeyUsage.objects.order_by("-date").values_list("date", flat=True))
    assert list(StoreUsage.objects.order_by("-date").values_list("date", flat=True)) == left
    assert list(RefusalUsage.objects.order_by("-date").values_list("date", flat=True)) == left
    return left


def first_kept(days: int) -> date:
    """On PostgreSQL a month is kept as long as one of its days is."""
    first = first_day(days=days)
    return first.replace(day=1) if connection.vendor == "postgresql" else first


def test_days_are_kept_for_as_long_as_is_set(
    days: list[date], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.USAGE_KEPT_DAYS = 400
    before = first_kept(400)
    old = [day for day in days if day < before]
    call_command("prune_usage")
    assert kept() == [day for day in days if day >= before]
    assert LastUse.objects.count() == 1
    assert [line for line in capsys.readouterr().out.splitlines() if "rows" in line] == [
        f"Usage of {what}: {len(old)} rows from before {before} are deleted."
        for what in ("keys", "stores", "refusals")
    ]
    call_command("prune_usage")
    assert "Usage of keys: 0 rows" in capsys.readouterr().out


def test_days_can_be_named(days: list[date]) -> None:
    call_command("prune_usage", days=30)
    assert kept() == [day for day in days if day >= first_kept(30)]


def test_what_the_pages_show_is_kept(days: list[date]) -> None:
    with pytest.raises(CommandError, match=r"^The pages show 30 days: keep as many, or more\.$"):
        call_command("prune_usage", "--days=29")
    assert kept() == days


def test_rows_go_in_portions(days: list[date], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune_usage, "ROWS_PER_TRANSACTION", 2)
    with CaptureQueriesContext(connection) as queries:
        call_command("prune_usage", days=30)
    assert kept() == [day for day in days if day >= first_kept(30)]
    deletions = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    assert len(deletions) == 6


@pytest.mark.django_db
def test_writers_are_forgotten_a_day_after_their_last_batch() -> None:
    now = timezone.now()
    for hours in (23, 25):
        UsageWriter.objects.create(id=uuid4(), batch=1, at=now - timedelta(hours=hours))
    call_command("prune_usage")
    assert UsageWriter.objects.get().at == now - timedelta(hours=23)
