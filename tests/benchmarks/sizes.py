"""Say how much is measured. What it grows to is set by the environment, too: BENCH_KEYS and so on."""

import os
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


FULL = Size(rounds=20, keys=1_000, orders=2_000)
QUICK = Size(rounds=2, keys=20, orders=40)

# What it grows to.
FEW_KEYS, MANY_KEYS = 1_000, number("BENCH_KEYS", 100_000)
LISTED_KEYS = number("BENCH_LISTED_KEYS", 2_000)
USAGE_DAYS = number("BENCH_USAGE_DAYS", 440)
ORDERS = number("BENCH_ORDERS", 20_000)
FEW_REQUESTS, MANY_REQUESTS = 50_000, number("BENCH_REQUESTS", 200_000)
