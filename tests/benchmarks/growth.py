"""What must not grow with the data, as ratios in one run: ``python -m tests.benchmarks.growth``.

- The list of 2,000 keys with 2,000,000 rows of usage against one of 20 keys: at most 1.5.
- By cursor, the last page of 1,000,000 orders against the first: at most 1.5.

BENCH_KEYS, BENCH_USAGE_DAYS and BENCH_ORDERS make it smaller.

Requests go through all of Django in this process, in turn, A B A B …, so that a machine whose speed drifts
slows both. It prints medians (milliseconds) and ratios, and never fails on speed.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 60
WARM_UP = 5
KEYS = int(os.environ.get("BENCH_KEYS", "2000"))
FEW_KEYS = 20
USAGE_DAYS = int(os.environ.get("BENCH_USAGE_DAYS", "440"))
ORDERS = int(os.environ.get("BENCH_ORDERS", "1000000"))


@dataclass(frozen=True)
class Comparison:
    """Two timings of one run, in seconds, and the most that their ratio should be."""

    what: str
    grown: list[float]
    base: list[float]
    target: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.grown) / statistics.median(self.base)

    def __str__(self) -> str:
        grown, base = (statistics.median(times) * 1000 for times in (self.grown, self.base))
        verdict = "holds" if self.ratio <= self.target else "missed"
        return f"{self.what}: {grown:.1f} ms / {base:.1f} ms = {self.ratio:.2f} ({verdict}: ≤ {self.target})"


def compare(what: str, grown: Callable[[], object], base: Callable[[], object], target: float) -> Comparison:
    """Time two actions in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM_UP + ROUNDS):
        for action, measured in zip((grown, base), times, strict=True):
            start = time.perf_counter()
            action()
            if turn >= WARM_UP:
                measured.append(time.perf_counter() - start)
    return Comparison(what, *times, target)


@contextmanager
def site() -> Iterator[None]:
    """Django on a database of its own: SUITE_DATABASE_URL (see tests.postgres), or SQLite in a file."""
    with tempfile.TemporaryDirectory(prefix="reflow-bench-") as folder:
        url = os.environ.get("SUITE_DATABASE_URL", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        os.environ |= {"SUITE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def measure() -> Iterator[Comparison]:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from apikeys.demo import seed_keys
    from apikeys.models import ApiKey, ApiKeyUsage
    from reflow.pagination import Cursor, sort_keys
    from stores.models import Order, Store

    call_command("seed_demo", orders=ORDERS, keys=KEYS, usage_days=USAGE_DAYS)
    grown = Store.objects.get(pk=267418190)
    few = Store.objects.create(id=518203747, name="Few keys")
    owner = User.objects.get(email="owner@example.com")
    few.owners.add(owner)
    seed_keys(few, count=FEW_KEYS, days=USAGE_DAYS)
    counts = [
        f"{model.objects.count():,} {model._meta.verbose_name}" for model in (Order, ApiKey, ApiKeyUsage)
    ]
    print("Rows:", ", ".join(counts), flush=True)

    page = Client(headers={"Host": "localhost"})
    page.force_login(owner)

    def list_of(store: Store) -> None:
        assert page.get(f"/stores/{store.pk}/settings/api-keys/").status_code == 200

    yield compare("list page, many keys against few", lambda: list_of(grown), lambda: list_of(few), 1.5)

    _, plaintext = ApiKey.objects.draw(
        store=grown, name="Benchmark", access=["orders:read"], rate_limit=10**9
    )
    api = Client(headers={"Host": "localhost", "Authorization": f"Bearer {plaintext}"})
    orders = f"/v1/stores/{grown.pk}/orders/?cursor="
    before_last_page = Order.objects.for_store(grown).order_by("created_at", "id")[20]
    end = Cursor.beside(before_last_page, sort_keys(Order.objects.all()), backwards=False)

    def orders_at(cursor: object) -> None:
        assert len(api.get(f"{orders}{cursor}").json()["data"]) == 20

    yield compare(
        "orders by cursor, last page against first", lambda: orders_at(end), lambda: orders_at(""), 1.5
    )


def main() -> int:
    with site():
        for comparison in measure():
            print(comparison, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
