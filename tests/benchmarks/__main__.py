"""Measures this product against its peers, and against itself as it grows: ``python -m tests.benchmarks``."""

import json
import os
import sys
from pathlib import Path

from tests.benchmarks import in_process
from tests.benchmarks.places import places
from tests.benchmarks.rows import Row
from tests.benchmarks.sizes import FULL, QUICK

BUILD = Path("build")


def main() -> int:
    rows: list[Row] = []
    size = QUICK if os.environ.get("BENCH") == "quick" else FULL
    with places(only_sqlite=size.only_sqlite) as found:
        for place in found:
            course = in_process.Course.prepared(place, size)
            for row in in_process.measure(course):
                rows.append(row)
                print(
                    f"{row.what} [{row.database}]: {row.ours:.0f} / {row.peer:.0f} {row.unit}"
                    f" = {row.ratio:.2f} ({row.target}: {'holds' if row.holds else 'missed'})",
                    flush=True,
                )
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
