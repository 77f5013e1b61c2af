"""Several callers that begin together."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

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
