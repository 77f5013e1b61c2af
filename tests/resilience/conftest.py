"""Servers as they run in production, several processes of them, beside the tests and on their database."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server import Served, database_of_the_tests, gunicorn

Serve = Callable[..., Served]

# What takes a while, or is promised of PostgreSQL only.
POSTGRESQL = pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="Runs on PostgreSQL.")


@pytest.fixture
def serve(transactional_db: None, tmp_path: Path) -> Iterator[Serve]:
    """Starts a server: ``serve("--workers=4", USAGE_FLUSH_SECONDS="0")``. Each stops at the end."""
    with ExitStack() as stack:

        def start(*options: str, database_url: str = "", **environment: str) -> Served:
            limits = {"RATE_LIMIT_PER_KEY": "1000000"}
            url = database_url or database_of_the_tests()
            return stack.enter_context(gunicorn(tmp_path, url, *options, **limits, **environment))

        yield start
