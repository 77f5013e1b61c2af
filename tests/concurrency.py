"""Several callers that begin together, and what others are doing on the tests' PostgreSQL at this moment."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from tests import programs

MANY = 8


def at_once(action: Callable[[int], Any], count: int = MANY) -> list[Any]:
    """Run an action in threads that begin together, each with its own database connection."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            start.wait()
            return action(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def wait_until(count: int, condition: str) -> None:
    """Come back when so many other connections to this database are as the condition says."""

    def is_so() -> bool:
        with connection.cursor() as cursor:
            # Or this transaction would see for ever what it saw first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "  # noqa: S608
                f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
            )
            return bool(cursor.fetchone()[0] == count)

    programs.wait_until(is_so)


@contextmanager
def changed_before(number: int, change: Callable[[], Any]) -> Iterator[None]:
    """Make a change before the query with this number, counted from 1, as another request may."""
    queries = itertools.count(1)

    def run(execute: Callable[..., Any], *args: Any) -> Any:
        if next(queries) == number:
            change()
        return execute(*args)

    with connection.execute_wrapper(run):
        yield
