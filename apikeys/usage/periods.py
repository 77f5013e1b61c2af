"""The periods that owners look at: a row of bars, each an hour, a day or a month (UTC), up to now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

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

    def __init__(self, time_range: TimeRange = TimeRange.MONTH) -> None:
        self.time_range = time_range
        starts = first_moments(time_range, timezone.now())
        if time_range.is_hourly:
            self.unit, label = "hour", "%H:%M"
        elif time_range.is_monthly:
            self.unit, label = "month", "%b %Y"
        else:
            self.unit, label = "day", "%-d %b"
        self.bars = [
            Bar(start, end, f"{start:{label}}")
            for start, end in zip(starts, [*starts[1:], end_of(time_range, starts[-1])], strict=True)
        ]
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


def first_moments(time_range: TimeRange, now: datetime) -> list[datetime]:
    """Return when each of the range's hours, days or months begins, that of now last."""
    if time_range.is_hourly:
        hour = now.replace(minute=0, second=0, microsecond=0)
        return [hour - timedelta(hours=ago) for ago in reversed(range(24))]
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
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
