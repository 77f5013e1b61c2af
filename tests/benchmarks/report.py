"""Hold what was measured against its targets, on the terminal and as JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One comparison, and the bound of its ratio: the most that it may be, or the least.

    Where we are compared with ourselves, ``peer`` is the smaller us.
    """

    what: str
    database: str
    unit: str
    ours: float
    peer: float
    bound: float
    is_least: bool = False

    @property
    def ratio(self) -> float:
        """Not a number, and so never on target, where the peer came to nothing."""
        return self.ours / self.peer if self.peer else math.nan

    @property
    def target(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound}"

    @property
    def holds(self) -> bool:
        return self.ratio >= self.bound if self.is_least else self.ratio <= self.bound

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "database": self.database,
            "ours": round(self.ours, 3),
            "peer": round(self.peer, 3),
            "ratio": round(self.ratio, 3),
            "target": self.target,
            "holds": self.holds,
        }

    def __str__(self) -> str:
        figures = f"{rounded(self.ours):>10} {rounded(self.peer):>10} {self.unit:<10} {self.ratio:>6.2f}"
        verdict = "holds " if self.holds else "MISSED"
        return f"{figures} {self.target:>6} {verdict} {self.what} [{self.database}]"


@dataclass(frozen=True)
class Report:
    """Gathers what is measured, showing each race when it is over."""

    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows.append(row)
            print(row, flush=True)

    def save(self, folder: Path) -> None:
        """Write ``bench.json``."""
        folder.mkdir(exist_ok=True)
        rows = [row.as_json() for row in self.rows]
        (folder / "bench.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def show_figures(title: str, unit: str, by_name: Mapping[str, float]) -> None:
    """Print all who took part in one race, and what each came to: the medians of its rounds."""
    print(f"\n{title}")
    for name, figure in by_name.items():
        print(f"  {name:<40}{rounded(figure):>10} {unit}")


def rounded(figure: float) -> str:
    """Write a figure with as many digits behind the point as are worth showing."""
    return f"{figure:,.{0 if figure >= 100 else 1 if figure >= 10 else 2}f}"
