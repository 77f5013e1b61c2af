"""The benchmark compares like with like, and leaves what others read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import arithmetic, in_process
from tests.benchmarks.places import places
from tests.benchmarks.report import Report
from tests.benchmarks.rows import Row, Target, What
from tests.benchmarks.sides import Side
from tests.benchmarks.sizes import QUICK


@pytest.fixture(scope="module")
def course() -> Iterator[in_process.Course]:
    with places(only_sqlite=True) as (place,):
        yield in_process.Course.prepared(place, QUICK)


def test_the_peers_say_all_that_we_say(course: in_process.Course) -> None:
    url = course.database_url
    with Side.ours(url).worker() as ours, Side.peers(url).worker() as peers:
        for name in ("orders", "products"):
            our_rows = json.loads(to_the_second(ours.make(course.ours(name, key=name == "orders"), 1).body))
            their_rows = json.loads(to_the_second(peers.make(course.peer("none", name), 1).body))
            assert len(our_rows["data"]) == 20
            assert their_rows["results"] == our_rows["data"]


def to_the_second(text: str) -> str:
    """Cut times off where ours end."""
    return re.sub(r"(T\d\d:\d\d:\d\d)[.\d]*Z", r"\1Z", text)


def test_a_quick_run_leaves_rows(course: in_process.Course, tmp_path: Path) -> None:
    report = Report()
    report.add(in_process.measure(course))
    report.show()
    report.save(tmp_path)
    rows = json.loads((tmp_path / "bench.json").read_text())
    names = [What.CHECK, What.ORDERS, What.PRODUCTS]
    assert [row["what"] for row in rows] == names
    assert [row["target"] for row in rows] == ["≤ 0.5", "≤ 0.36", "≤ 0.22"]
    for row in rows:
        assert set(row) == {"what", "database", "ours", "peer", "ratio", "target", "holds"}
        assert row["database"] == "SQLite"
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], abs=0.001)


@pytest.mark.parametrize(
    ("target", "ours", "holds"),
    [
        (Target(0.5), 50, True),
        (Target(0.5), 51, False),
        (Target(1.8, is_least=True), 180, True),
        (Target(1.8, is_least=True), 179, False),
    ],
)
def test_a_row_says_whether_its_target_is_met(target: Target, ours: float, *, holds: bool) -> None:
    row = Row(What.ORDERS, "SQLite", ours, 100, "µs", target)
    assert row.as_json()["holds"] is holds


def test_the_arithmetic_reckons_with_a_busy_hour_and_idle_cores() -> None:
    # 34,722 requests a second of 6 ms each keep 208 cores busy, which are 60 % of 348.
    assert "| web servers | 6.00 | 348 | 22 |" in list(arithmetic.lines({"web servers": 6.0}))
