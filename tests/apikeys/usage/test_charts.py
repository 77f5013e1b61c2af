"""Places of the marks of charts."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from apikeys.usage import charts
from apikeys.usage.periods import Period, TimeRange

BAR = re.compile(r"M(\d+) ([\d.]+)h14v([\d.]+)h-14z")


def bars(chart: dict[str, Any]) -> dict[str, list[tuple[int, float, float]]]:
    """The x, top and height of each part by its outcome."""
    return {
        outcome: [(int(x), float(y), float(height)) for x, y, height in BAR.findall(path)]
        for outcome, path in chart["paths"]
    }


def test_stacked_bars_are_as_high_as_their_requests() -> None:
    period = Period()
    period.bars[0].succeeded, period.bars[0].refused = 60, 40
    period.bars[29].failed = 50
    chart = charts.stacked_bars(period)
    assert bars(chart) == {
        "succeeded": [(3, 48, 72)],
        "refused": [(3, 0, 48)],
        "failed": [(583, 60, 60)],
    }
    assert chart["lines"] == [("100%", "0"), ("50%", "50"), ("0%", "100")]


@pytest.mark.parametrize("counts", [(9_998, 1, 1), (1, 9_998, 1), (1, 1, 9_998), (0, 1, 9_999)])
def test_stacked_bars_show_one_request_among_ten_thousand(counts: tuple[int, int, int]) -> None:
    period = Period()
    day = period.bars[3]
    day.succeeded, day.refused, day.failed = counts
    parts = [part for parts in bars(charts.stacked_bars(period)).values() for part in parts]
    assert len(parts) == sum(map(bool, counts))
    assert min(height for _, _, height in parts) >= charts.MIN_PART
    assert sum(height for _, _, height in parts) == pytest.approx(charts.HEIGHT)
    assert min(top for _, top, _ in parts) == pytest.approx(0)


@pytest.mark.parametrize(
    ("largest", "top"),
    [(0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (11, 20), (70, 80), (101, 200), (750, 800), (12_000, 20_000)],
)
def test_scale_ends_at_a_round_even_number(largest: int, top: int) -> None:
    assert charts.scale(largest) == top


def test_sparkline_without_requests_is_flat() -> None:
    line = charts.sparkline(Period())
    assert line["refused"] == ""
    assert line["line"].startswith("M0 22l4+0 4+0")


def test_sparkline_marks_refusals_by_ticks() -> None:
    period = Period()
    period.bars[2].refused = period.bars[5].refused = 1
    assert charts.sparkline(period)["refused"] == "M8 24v-3m12 3v-3"


@pytest.mark.parametrize(
    ("time_range", "labelled", "first"),
    [
        ("24h", range(3, 24, 5), ("from=2026-03-30T15:00&to=2026-03-30T16:00", "15:00")),
        ("30d", range(5, 30, 6), ("from=2026-03-02T00:00&to=2026-03-03T00:00", "2 Mar")),
        ("12m", range(2, 12, 3), ("from=2025-04-01T00:00&to=2025-05-01T00:00", "Apr 2025")),
    ],
)
def test_stacked_bars_have_a_few_labels_and_a_table_of_the_figures(
    time_range: str, labelled: range, first: tuple[str, ...]
) -> None:
    with time_machine.travel(datetime(2026, 3, 31, 14, 5, tzinfo=UTC), tick=False):
        period = Period(TimeRange(time_range))
        period.bars[0].succeeded, period.bars[0].refused = 1_234, 5
        chart = charts.stacked_bars(period)
        assert chart["rows"][0] == (*first, "1,234", "5", "0")
        assert [label for _, label in chart["labels"]] == [period.bars[index].label for index in labelled]
