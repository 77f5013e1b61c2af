"""Hold what was measured against its target: rows for ``build/bench.json``, and the figures behind them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """A comparison, in words."""

    CHECK = (
        "key check with scope, limit and usage, above no authentication, "
        "against djangorestframework-api-key's bare check"
    )
    ORDERS = "`GET orders` (20 with lines), whole request, against the stack (d)"
    PRODUCTS = "`GET products` without a key, whole request, against plain ModelSerializers"
    THROUGHPUT = "requests a second over HTTP on two cores, `GET orders`, against (d)"
    TAIL = "p99 over p50 at 8 connections, with usage recording on against off"
    MANY_KEYS = "key check with 100,000 keys against 1,000"
    LIST_PAGE = "list page with 2,000 keys and 2,000,000 usage rows against 20 keys"
    FLUSH = "flush of 10,000 requests of 100 keys, with 2,000,000 usage rows against none"
    MEMORY = "memory of a worker after 200,000 requests against after 50,000"
    KEY = "creating a key by the API against creating a product"
    RENEWED = "check of a key that has renewed itself against that of any"
    EXCHANGE = "token exchange against three requests with a key and a signature"
    CURSOR = "orders by cursor, last page against first"


@dataclass(frozen=True)
class Target:
    """The bound of a ratio: the most that it may be, or the least."""

    bound: float
    is_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound}"

    def is_met_by(self, ratio: float) -> bool:
        return ratio >= self.bound if self.is_least else ratio <= self.bound


@dataclass(frozen=True)
class Row:
    """One comparison and its target. Where we are compared with ourselves, ``peer`` is the smaller us."""

    what: What
    database: str
    ours: float
    peer: float
    unit: str
    target: Target

    @property
    def ratio(self) -> float:
        """Not a number, and so never on target, where the peer came to nothing."""
        return self.ours / self.peer if self.peer else math.nan

    @property
    def holds(self) -> bool:
        return self.target.is_met_by(self.ratio)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what.value,
            "database": self.database,
            "ours": round(self.ours, 3),
            "peer": round(self.peer, 3),
            "ratio": round(self.ratio, 3),
            "target": str(self.target),
            "holds": self.holds,
        }

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "missed"
        figures = f"{self.ours:,.{digits(self.ours)}f} / {self.peer:,.{digits(self.peer)}f} {self.unit}"
        return f"{figures.rstrip()} = {self.ratio:.2f} ({self.target}: {verdict})"


@dataclass(frozen=True)
class Figures:
    """All who took part in one race, and what each came to: the medians of its rounds."""

    title: str
    database: str
    unit: str
    by_name: Mapping[str, float]


def digits(figure: float) -> int:
    """Return how many digits behind the point are worth showing."""
    return 0 if figure >= 100 else 1 if figure >= 10 else 2
