"""The periods that owners look at: a row of bars, each an hour, a day or a month (UTC), up to now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from django.db import models
from django.utils import timezone

LABELS = {"hour": "%H:%M", "day": "%-d %b", "month": "%b %Y"}


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
    def unit(self) -> str:
        """The unit of a bar: hour, day or month."""
        return {"h": "hour", "d": "day", "m": "month"}[self.value[-1]]


@dataclass(slots=True, kw_only=True)
class Counts:
    """Requests by outcome."""

    succeeded: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.succeeded + self.refused + self.failed

    @property
    def let_in(self) -> int:
        return self.succeeded + self.failed

    def count(self, outcome: str, requests: int) -> None:
        setattr(self, outcome, getattr(self, outcome) + requests)


@dataclass(slots=True)
class Bar(Counts):
    """The requests between two moments."""

    start: datetime
    end: datetime
    label: str


class Period(Counts):
    """Bars without gaps, oldest first, and the requests in all of them."""

    choices = TimeRange.choices

    def __init__(self, time_range: TimeRange = TimeRange.MONTH) -> None:
        super().__init__()
        self.time_range = time_range
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        self.bars = [Bar(*frame) for frame in frames_of(time_range, hour)]
        self._by_start = {bar.start: bar for bar in self.bars}

    def add(self, start: date, outcome: str, requests: int) -> None:
        """Add requests to the bar that begins at this hour, or on this date; others are left out."""
        moment = start if isinstance(start, datetime) else datetime.combine(start, time.min, UTC)
        if bar := self._by_start.get(moment):
            bar.count(outcome, requests)
            self.count(outcome, requests)

    @property
    def latest(self) -> Bar:
        return self.bars[-1]

    @property
    def start(self) -> datetime:
        return self.bars[0].start


@lru_cache
def frames_of(time_range: TimeRange, hour: datetime) -> list[tuple[datetime, datetime, str]]:
    """Return the start, end and label of each hour, day or month of a range; the last has this hour."""
    steps, today = range(1 - int(time_range.value[:-1]), 2), hour.replace(hour=0)
    match time_range.unit:
        case "hour":
            bounds = [hour + timedelta(hours=step) for step in steps]
        case "day":
            bounds = [today + timedelta(days=step) for step in steps]
        case _:
            months = [today.year * 12 + today.month - 1 + step for step in steps]
            bounds = [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]
    return [(start, end, f"{start:{LABELS[time_range.unit]}}") for start, end in pairwise(bounds)]
