"""Show the results on the terminal and keep them as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.rows import Figures, Row, digits


@dataclass(frozen=True)
class Report:
    """Gathers what is measured, showing each race when it is over."""

    rows: list[Row] = field(default_factory=list)

    def add(self, results: Iterable[Row | Figures]) -> None:
        for result in results:
            if isinstance(result, Row):
                self.rows.append(result)
                print(f"  {result.what} [{result.database}]: {result}", flush=True)
            else:
                print(f"\n{result.title} [{result.database}]")
                for name, figure in result.by_name.items():
                    print(f"  {name:<40}{figure:>10,.{digits(figure)}f} {result.unit}")

    def show(self) -> None:
        """All rows in one table."""
        print(f"\n{'ours':>10} {'peer':>10} {'':<10} {'ratio':>6} {'target':>6}")
        for row in self.rows:
            figures = " ".join(f"{figure:>10,.{digits(figure)}f}" for figure in (row.ours, row.peer))
            verdict = "holds " if row.holds else "MISSED"
            print(
                f"{figures} {row.unit:<10} {row.ratio:>6.2f} {row.target!s:>6} {verdict} "
                f"{row.what} [{row.database}]"
            )

    def save(self, folder: Path) -> None:
        """Write ``bench.json``."""
        folder.mkdir(exist_ok=True)
        rows = [row.as_json() for row in self.rows]
        (folder / "bench.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
