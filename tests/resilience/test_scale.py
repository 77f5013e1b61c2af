"""Several machines behind nginx: what clients see when one is restarted, or a part is killed."""

from collections.abc import Iterator

import pytest

from tests import programs
from tests.resilience import scale, scenarios
from tests.resilience.machines import Machines, machines
from tests.resilience.scenarios import Seen


@pytest.fixture(scope="module")
def started() -> Iterator[Machines]:
    with programs.needed(), machines(web_processes=1) as started:
        yield started


def see(started: Machines, fault: str) -> Seen:
    """Let a fault of `make scale` happen. Nothing is torn by any of them."""
    if fault not in scale.faults(started, lasting=0):
        pytest.skip("The part cannot be had here.")
    seen = scale.measure(started, fault, lasting=0.5)
    assert (seen.complaints, seen.half_done) == ([], 0)
    return seen


@pytest.mark.parametrize(
    "fault",
    [scale.ROLLING_RESTART, "The worker killed", "PostgreSQL (replica) killed", "Valkey node 1 killed"],
)
def test_fault_costs_no_request_and_no_count(started: Machines, fault: str) -> None:
    seen = see(started, fault)
    assert seen.answers.keys() <= scale.GOOD
    assert seen.usage_lost == 0


def test_a_killed_web_server_costs_what_it_was_answering(started: Machines) -> None:
    seen = see(started, "A web server killed")
    assert seen.answers.keys() <= scale.GOOD | {"503", "cut off"}
    failed = sum(count for answer, count in seen.answers.items() if answer not in scale.GOOD)
    assert failed <= scenarios.CLIENTS


def test_a_killed_pooler_costs_503s_and_no_count(started: Machines) -> None:
    seen = see(started, "PgBouncer killed")
    assert seen.answers.keys() <= scale.GOOD | {"503"}
    assert seen.usage_lost == 0
