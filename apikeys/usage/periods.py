"""The periods that owners look at: a row of bars, each an hour, a day or a month (UTC), up to now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.db import models
from django.utils import timezone

MONTHS = 12


class TimeRange(models.TextChoices):
    DAY = "24h", "24 hours"
    WEEK = "7d", "7 days"
    MONTH = "30d", "30 days"
    QUARTER = "90d", "90 days"
    YEAR = "12m", "12 months"

    @classmethod
    def parse(cls, text: str) -> "TimeRange":
        """Return the range with this name, or the default for any other text."""
        return cls(text) if text in cls.values else cls.MONTH

    @property
    def is_hourly(self) -> bool:
        return self is TimeRange.DAY

    @property
    def is_monthly(self) -> bool:
        return self is TimeRange.YEAR


@dataclass(slots=True)
class Bar:
    """The requests between two moments by outcome."""

    start: datetime
    end: datetime
    label: str
    succeeded: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.succeeded + self.refused + self.failed

    def add(self, outcome: str, requests: int) -> None:
        setattr(self, outcome, getattr(self, outcome) + requests)


class Period:
    """Bars without gaps, oldest first."""

    choices = TimeRange.choices

    @property
    def unit(self) -> str:
        """The unit of a bar: hour, day or month."""
        return "hour" if self.time_range.is_hourly else "month" if self.time_range.is_monthly else "day"

    def __init__(self, time_range: TimeRange = TimeRange.MONTH) -> None:
        self.time_range = time_range
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        self.bars = [Bar(*frame) for frame in frames_of(time_range, hour)]
        self._by_start = {bar.start: bar for bar in self.bars}

    def add(self, start: date, outcome: str, requests: int) -> None:
        """Add requests to the bar of an hour, or of a day or a month that begins on this date.

        What lies outside of the period is left out.
        """
        moment = start if isinstance(start, datetime) else datetime.combine(start, time.min, UTC)
        if bar := self._by_start.get(moment):
            bar.add(outcome, requests)

    @property
    def latest(self) -> Bar:
        return self.bars[-1]

    @property
    def start(self) -> datetime:
        return self.bars[0].start

    @property
    def total(self) -> int:
        return sum(bar.total for bar in self.bars)

    @property
    def succeeded(self) -> int:
        return sum(bar.succeeded for bar in self.bars)

    @property
    def refused(self) -> int:
        return sum(bar.refused for bar in self.bars)

    @property
    def failed(self) -> int:
        return sum(bar.failed for bar in self.bars)


@lru_cache
def frames_of(time_range: TimeRange, hour: datetime) -> list[tuple[datetime, datetime, str]]:
    """Return the start, end and label of each bar; the last one holds this hour."""
    starts = first_moments(time_range, hour)
    label = "%H:%M" if time_range.is_hourly else "%b %Y" if time_range.is_monthly else "%-d %b"
    return [
        (start, end, f"{start:{label}}")
        for start, end in zip(starts, [*starts[1:], end_of(time_range, starts[-1])], strict=True)
    ]


def first_moments(time_range: TimeRange, hour: datetime) -> list[datetime]:
    """Return when each of the range's hours, days or months begins, that of this hour last."""
    if time_range.is_hourly:
        return [hour - timedelta(hours=ago) for ago in reversed(range(24))]
    today = hour.replace(hour=0)
    if time_range.is_monthly:
        month = today.replace(day=1)
        months = [month]
        while len(months) < MONTHS:
            month = (month - timedelta(days=1)).replace(day=1)
            months.append(month)
        return months[::-1]
    days = int(time_range.removesuffix("d"))
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


def end_of(time_range: TimeRange, start: datetime) -> datetime:
    """Return when the hour, day or month that begins at this moment is over."""
    if time_range.is_hourly:
        return start + timedelta(hours=1)
    if time_range.is_monthly:
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=1)
