"""Periods: bars without gaps up to now, whatever they are of, and the same figures on every page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from apikeys.models import ApiKey, HourlyUsage, StoreUsage, Usage
from apikeys.usage import reports
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store
from tests.key_requests import count_usage

NOW = datetime(2026, 3, 31, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time_range", "bars", "first", "labels"),
    [
        ("24h", 24, datetime(2026, 3, 30, 15, tzinfo=UTC), ("15:00", "14:00")),
        ("7d", 7, datetime(2026, 3, 25, tzinfo=UTC), ("25 Mar", "31 Mar")),
        ("30d", 30, datetime(2026, 3, 2, tzinfo=UTC), ("2 Mar", "31 Mar")),
        ("90d", 90, datetime(2026, 1, 1, tzinfo=UTC), ("1 Jan", "31 Mar")),
        ("12m", 12, datetime(2025, 4, 1, tzinfo=UTC), ("Apr 2025", "Mar 2026")),
    ],
)
def test_period_has_bars_up_to_now_without_gaps(
    time_range: str, bars: int, first: datetime, labels: tuple[str, str]
) -> None:
    with time_machine.travel(NOW, tick=False):
        period = Period(TimeRange(time_range))
    assert len(period.bars) == bars
    assert period.start == first
    assert period.latest.start <= NOW < period.latest.end
    assert (period.bars[0].label, period.latest.label) == labels
    assert all(
        bar.end == following.start for bar, following in zip(period.bars, period.bars[1:], strict=False)
    )


@pytest.mark.parametrize("text", ["", "1d", "24H", "\0", "30", "x" * 500])
def test_what_is_no_range_is_thirty_days(text: str) -> None:
    assert TimeRange.parse(text) is TimeRange.MONTH


@pytest.mark.usefixtures("within_a_minute")
@pytest.mark.parametrize("time_range", TimeRange)
def test_of_store_and_of_keys_count_what_is_in_the_period(
    key: ApiKey, store: Store, time_range: TimeRange
) -> None:
    period = Period(time_range)
    counted = (
        (period.bars[0].start, {"outcome": "refused", "requests": 5}),
        (period.latest.start, {"outcome": "failed", "requests": 7}),
        (period.latest.start, {"outcome": "succeeded", "requests": 9}),
        (period.start - timedelta(hours=1), {"outcome": "refused", "requests": 100}),
    )
    for at, count in counted:
        if time_range.unit == "hour":
            HourlyUsage.objects.create(store=store, key=key, hour=at, **count)
        else:
            Usage.objects.create(store=store, key=key, day=at.date(), last_at=at, **count)
            StoreUsage.objects.create(store=store, day=at.date(), **count)
    for found in (reports.of_store(store, time_range), reports.of_keys([key], time_range)[key.pk]):
        assert (found.total, found.refused, found.failed, found.succeeded) == (21, 5, 7, 9)
        assert (found.bars[0].refused, found.latest.total) == (5, 16)


def test_list_and_key_show_the_range_that_is_asked_for(signed_in: Client, key: ApiKey) -> None:
    count_usage(key, 3)
    for path in ("", f"{key.prefix}/"):
        page = signed_in.get(f"/stores/267418190/settings/api-keys/{path}", {"range": "90d"}).text
        assert 'aria-current="true">90d</a>' in page
        assert "last 90 days" in page
