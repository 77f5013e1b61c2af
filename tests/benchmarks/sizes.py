"""How much is measured. What it grows to can be made smaller by the environment: BENCH_KEYS and so on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """``rounds`` is how often everybody has a turn; the rest is what there is while it is measured."""

    rounds: int
    keys: int
    orders: int


def number(name: str, default: int) -> int:
    """A whole number from the environment."""
    return int(os.environ.get(name, default))


FULL = Size(rounds=40, keys=1_000, orders=2_000)
QUICK = Size(rounds=2, keys=20, orders=40)

# Over HTTP.
LOAD_ROUNDS = 3
LOAD_SECONDS = 5
CONNECTIONS = (1, 8, 64)

# What it grows to.
FEW_KEYS, MANY_KEYS = 1_000, number("BENCH_KEYS", 1_000_000)
LISTED_KEYS = number("BENCH_LISTED_KEYS", 2_000)
USAGE_DAYS = number("BENCH_USAGE_DAYS", 440)
ORDERS = number("BENCH_ORDERS", 100_000)
MANY_REQUESTS = number("BENCH_REQUESTS", 1_000_000)
FEW_REQUESTS = MANY_REQUESTS // 100
FEW_LOGGED, MANY_LOGGED = 10_000, number("BENCH_LOGGED", 10_000_000)
FEW_USED, MANY_USED = 100_000, number("BENCH_USAGE_ROWS", 10_000_000)


def made_smaller() -> Iterator[str]:
    """A line that says what the environment has changed: the rows' words speak of the full size."""
    names = (
        *("BENCH_KEYS", "BENCH_LISTED_KEYS", "BENCH_USAGE_DAYS", "BENCH_ORDERS", "BENCH_REQUESTS"),
        *("BENCH_LOGGED", "BENCH_USAGE_ROWS"),
    )
    if changed := [f"{name}={os.environ[name]}" for name in names if name in os.environ]:
        yield f"Not at full size: {', '.join(changed)}"
