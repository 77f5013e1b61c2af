"""Places of a chart's marks, as texts for an SVG; a table beside each chart carries the same figures."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from apikeys.formats import grouped
from apikeys.usage.periods import Bar, Period

OUTCOMES = ("succeeded", "refused", "failed")

# Of a bar chart, in its own units: the SVG stretches them over whatever room there is.
STEP = 20
BAR_WIDTH = 14
HEIGHT = 120
MIN_PART = 3

SPARK_STEP = 4
SPARK_HEIGHT = 24
# What fits under an axis at the width of a phone.
MAX_LABELS = 5


def stacked_bars(period: Period) -> dict[str, Any]:
    """Draw the period's bars, their outcomes stacked from the bottom: succeeded, refused, failed.

    ``view_box`` is that of their SVG; places on the axes are in percent of it. ``paths`` are pairs of an
    outcome and an SVG path, ``lines`` pairs of a place and the number of requests it stands for, ``labels``
    pairs of a place and a time, ``rows`` those of the table, which begin with the query of a bar's requests.
    A bar is a ``unit``, such as a day, and all of them are a ``span``, such as 30 days.
    """
    top = scale(max(bar.total for bar in period.bars))
    paths: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    for index, bar in enumerate(period.bars):
        x, y = index * STEP + (STEP - BAR_WIDTH) // 2, float(HEIGHT)
        for outcome, height in zip(OUTCOMES, heights(bar, top), strict=True):
            if height:
                y -= height
                paths[outcome].append(f"M{x} {y:.1f}h{BAR_WIDTH}v{height:.1f}h-{BAR_WIDTH}z")
    count = len(period.bars)
    return {
        "view_box": f"0 0 {count * STEP} {HEIGHT}",
        "paths": [(outcome, "".join(marks)) for outcome, marks in paths.items() if marks],
        "lines": [("100%", "0"), ("50%", short(top // 2)), ("0%", short(top))],
        "labels": [
            (f"{(index + 0.5) / count * 100:.1f}%", period.bars[index].label) for index in labelled(count)
        ],
        "rows": [
            (query_of(bar), bar.label, *(grouped(getattr(bar, name)) for name in OUTCOMES))
            for bar in period.bars
        ],
        "unit": period.time_range.unit,
        "span": period.time_range.label,
    }


def query_of(bar: Bar) -> str:
    """Return when a bar begins and ends, as the request log is asked for it: ISO 8601 without a zone."""
    begin, end = (at.replace(tzinfo=None).isoformat(timespec="minutes") for at in (bar.start, bar.end))
    return f"from={begin}&to={end}"


def scale(largest: int) -> int:
    """Return the even round number at the top of an axis that holds ``largest``."""
    power = 1
    while largest > 10 * power:
        power *= 10
    return next(step * power for step in (2, 4, 6, 8, 10) if step * power >= largest)


def heights(bar: Bar, top: int) -> list[float]:
    """Return the height of each outcome's part. What happened at all can be seen: the largest part yields."""
    counts = [getattr(bar, outcome) for outcome in OUTCOMES]
    exact = [count / top * HEIGHT for count in counts]
    parts = [max(MIN_PART, height) if height else 0 for height in exact]
    parts[parts.index(max(parts))] -= max(0, sum(parts) - HEIGHT)
    return parts


def labelled(count: int) -> Sequence[int]:
    """Return the bars whose date stands below them: the newest, and others at equal distances before it."""
    return range((count - 1) % (distance := -(-count // MAX_LABELS)), count, distance)


def short(number: int) -> str:
    """Write a number as an axis has room for: 800, 12k, 3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return str(number)


def sparkline(period: Period) -> dict[str, str]:
    """Draw a period as two paths of an SVG: requests as a ``line``, ``refused`` ones as ticks at its foot.

    Each point is told by its distance from the one before, which makes a light page.
    """
    totals = [bar.total for bar in period.bars]
    largest, room = max(1, *totals), SPARK_HEIGHT - 4
    heights = [2 + room - round(total / largest * room) for total in totals]
    steps = [f"{SPARK_STEP}{after - before:+}" for before, after in pairwise(heights)]
    refused = [index * SPARK_STEP for index, bar in enumerate(period.bars) if bar.refused]
    ticks = [f"M{refused[0]} {SPARK_HEIGHT}v-3"] if refused else []
    ticks += [f"m{after - before} 3v-3" for before, after in pairwise(refused)]
    return {
        "view_box": f"0 0 {(len(heights) - 1) * SPARK_STEP} {SPARK_HEIGHT}",
        "line": f"M0 {heights[0]}l{' '.join(steps)}",
        "refused": "".join(ticks),
    }
