"""Serve the database of the tests as in production, and see what usage has counted there."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db.models import Sum

from apikeys.models import Outcome, Usage
from tests import programs
from tests.postgres import Postgres, own_postgres
from tests.programs import wait_until
from tests.server import Served, database_of_the_tests, gunicorn

Serve = Callable[..., Served]

# What takes a while, or is promised of PostgreSQL only.
POSTGRESQL = pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="Runs on PostgreSQL.")


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    """A PostgreSQL to be broken; whoever serves the shop from it finds the tables made by the first."""
    with programs.needed(), own_postgres() as database:
        yield database


@pytest.fixture
def serve(transactional_db: None, tmp_path: Path) -> Iterator[Serve]:
    """Start a server: ``serve("--workers=4", USAGE_FLUSH_SECONDS="0")``. Each stops at the end."""
    with ExitStack() as stack:

        def start(*options: str, **settings: str) -> Served:
            variables = {"RATE_LIMIT_PER_KEY": "1000000", "DATABASE_URL": database_of_the_tests()} | settings
            return stack.enter_context(gunicorn(tmp_path, *options, **variables))

        yield start


def counted() -> int:
    """Return how many requests were served, by what is written of them."""
    served = Usage.objects.filter(outcome=Outcome.SUCCEEDED)
    return int(served.aggregate(total=Sum("requests", default=0))["total"])


def wait_until_counted(more_than: int) -> int:
    """Come back, with how many, when more requests than these are counted."""
    wait_until(lambda: counted() > more_than)
    return counted()
