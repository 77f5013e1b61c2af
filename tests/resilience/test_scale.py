"""Several machines behind nginx: what clients see when one is restarted, or a part is killed."""

from collections.abc import Iterator

import pytest

from tests import programs
from tests.postgres import Postgres
from tests.resilience import scenarios
from tests.resilience.load import GOOD
from tests.resilience.machines import ROLLING_RESTART, Machines, machines


@pytest.fixture(scope="module")
def started(database: Postgres) -> Iterator[Machines]:
    with programs.needed(), machines(database, web_processes=1) as started:
        yield started


@pytest.mark.parametrize(
    ("fault", "allowed", "most", "may_lose"),
    [
        (ROLLING_RESTART, set(), 0, False),
        ("Valkey node 1 killed", set(), 0, False),
        ("A web server killed", {"503", "cut off"}, scenarios.CLIENTS, True),
        ("PgBouncer killed", {"503"}, None, False),
    ],
)
def test_fault_costs_no_more_requests_and_counts_than_it_has_to(
    started: Machines, fault: str, allowed: set[str], most: int | None, *, may_lose: bool
) -> None:
    faults = started.faults()
    if fault not in faults:
        pytest.skip("The part cannot be had here.")
    seen = scenarios.measure(started.site, faults[fault], lasting=0.5)
    assert (seen.complaints, seen.half_done) == ([], 0)
    assert seen.answers.keys() <= GOOD | allowed
    failed = sum(count for answer, count in seen.answers.items() if answer not in GOOD)
    assert most is None or failed <= most
    assert may_lose or seen.usage_lost == 0
