"""Where the marks of a chart go. Templates draw them as SVG; a table beside it carries the same figures."""

from dataclasses import dataclass

from apikeys.usage.reports import Day, Period

BAR_WIDTH = 16
BAR_GAP = 6
BARS_HEIGHT = 120
SPARK_STEP = 4
SPARK_HEIGHT = 24


@dataclass(frozen=True, slots=True)
class Segment:
    outcome: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    day: Day
    x: int
    segments: list[Segment]


@dataclass(frozen=True, slots=True)
class BarChart:
    """``most`` is the number of requests that the full height stands for."""

    bars: list[Bar]
    most: int
    width: int
    height: int = BARS_HEIGHT
    bar_width: int = BAR_WIDTH


def stacked_bars(period: Period) -> BarChart:
    """A bar per day, its outcomes stacked from the bottom: succeeded, refused, failed."""
    most = max(day.total for day in period.days)
    step = BAR_WIDTH + BAR_GAP
    bars = [Bar(day, index * step, segments(day, most)) for index, day in enumerate(period.days)]
    return BarChart(bars, most, width=len(bars) * step - BAR_GAP)


def segments(day: Day, most: int) -> list[Segment]:
    """The parts of one bar. What happened at all is at least a pixel and a half high."""
    parts, top = [], float(BARS_HEIGHT)
    for outcome in ("succeeded", "refused", "failed"):
        if requests := getattr(day, outcome):
            height = max(1.5, round(requests / most * BARS_HEIGHT, 1))
            top -= height
            parts.append(Segment(outcome, max(0, round(top, 1)), height))
    return parts


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Two SVG paths over the same days: all requests as a line, the refused ones as ticks at its foot."""

    line: str
    refused: str
    width: int
    height: int = SPARK_HEIGHT


def sparkline(period: Period) -> Sparkline:
    most = max(1, *(day.total for day in period.days))
    room = SPARK_HEIGHT - 4
    points = [
        f"{index * SPARK_STEP} {round(2 + room - day.total / most * room, 1):g}"
        for index, day in enumerate(period.days)
    ]
    refused = [
        f"M{index * SPARK_STEP} {SPARK_HEIGHT}v-3" for index, day in enumerate(period.days) if day.refused
    ]
    return Sparkline(f"M{'L'.join(points)}", "".join(refused), width=(len(points) - 1) * SPARK_STEP)
