"""The benchmark compares like with like, and leaves what others read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import prepared
from tests.benchmarks import in_process
from tests.benchmarks.places import places
from tests.benchmarks.report import Report, Row
from tests.benchmarks.sides import Side


@pytest.fixture(scope="module")
def course() -> Iterator[in_process.Course]:
    with places(only_sqlite=True) as (place,):
        prepared.make_sqlite(place.database("shop").removeprefix("sqlite:///"))
        yield in_process.Course.prepared(place, **in_process.QUICK)


def test_the_peers_say_all_that_we_say(course: in_process.Course) -> None:
    url = course.database_url
    with Side.ours(url).worker() as ours, Side.peers(url).worker() as peers:
        for name in ("orders", "products"):
            our_rows = json.loads(to_the_second(ours.make(course.ours(name, key=name == "orders"), 1).body))
            their_rows = json.loads(to_the_second(peers.make(course.peer(name, key=False), 1).body))
            assert len(our_rows["data"]) == 20
            assert their_rows["results"] == our_rows["data"]


def to_the_second(text: str) -> str:
    """Cut times off where ours end."""
    return re.sub(r"(T\d\d:\d\d:\d\d)[.\d]*Z", r"\1Z", text)


def test_a_quick_run_leaves_rows(course: in_process.Course, tmp_path: Path) -> None:
    report = Report()
    report.add(in_process.measure(course))
    report.save(tmp_path)
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [row["target"] for row in rows] == ["≤ 0.5", "≤ 0.36", "≤ 0.22"]
    for row in rows:
        assert row["database"] == "SQLite"
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], abs=0.001)


def test_a_row_says_whether_its_ratio_is_within_the_bound() -> None:
    assert [Row("", "", "µs", ours, 100, 0.5).holds for ours in (50, 51)] == [True, False]
    assert [Row("", "", "", ours, 100, 1.8, is_least=True).holds for ours in (180, 179)] == [True, False]
