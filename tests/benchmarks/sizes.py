"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """``rounds`` is how often everybody has a turn."""

    rounds: int
    keys: int
    orders: int
    only_sqlite: bool = False


FULL = Size(rounds=40, keys=1000, orders=2000)
QUICK = Size(rounds=3, keys=20, orders=60, only_sqlite=True)
