"""What the time of a refusal tells somebody who guesses keys: ``python -m tests.benchmarks.guessing``.

Two guesses, a prefix that nobody has and a real prefix before a wrong secret, go through all of Django in
this process, in random order, GUESSES (3,000) times each; a warm-up is not counted. Of the time on the clock,
and of the processor's alone, which a busy machine does not blur, it prints both medians, by how much they
differ with the interval that holds the true difference in 95 of 100 runs (bootstrap), and how often the
slower of a pair is the one with the real prefix: who cannot tell is right in 50 % (Mann-Whitney).

It never fails on what it finds. For PostgreSQL, put ``python -m tests.postgres`` in front.
"""

import logging
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import erf, sqrt
from pathlib import Path

from apikeys import lifecycle

GUESSES = int(os.environ.get("GUESSES", "3000"))
WARM_UP = 200
RESAMPLES = 300
CLOCKS: dict[str, Callable[[], float]] = {"clock": time.perf_counter, "processor": time.thread_time}


@dataclass
class Samples:
    """How long each refusal took by one clock, in microseconds."""

    unknown: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)

    def interval(self) -> tuple[float, float]:
        """Where the difference of the medians lies, with 95 % confidence."""
        differences = sorted(
            resampled_median(self.known) - resampled_median(self.unknown) for _ in range(RESAMPLES)
        )
        return differences[int(0.025 * RESAMPLES)], differences[int(0.975 * RESAMPLES)]

    def told_apart(self) -> tuple[float, float]:
        """The share of pairs in which the real prefix took longer, and how often chance alone does that."""
        ordered = sorted(self.unknown)
        wins = sum(bisect_left(ordered, took) + bisect_right(ordered, took) for took in self.known) / 2
        pairs = len(self.unknown) * len(self.known)
        spread = sqrt(pairs * (len(self.unknown) + len(self.known) + 1) / 12)
        return wins / pairs, 1 - erf(abs(wins - pairs / 2) / spread / sqrt(2))

    def lines(self) -> Iterator[str]:
        unknown, known = statistics.median(self.unknown), statistics.median(self.known)
        low, high = self.interval()
        share, chance = self.told_apart()
        yield f"medians: unknown prefix {unknown:.1f} µs, wrong secret {known:.1f} µs"
        yield f"difference {known - unknown:+.2f} µs, 95 % interval {low:+.2f} to {high:+.2f} µs"
        yield f"told apart by one measurement: {share:.1%} (p = {chance:.2f})"


def resampled_median(times: list[float]) -> float:
    return statistics.median(random.choices(times, k=len(times)))


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


def measure() -> dict[str, Samples]:
    """Refuse guesses of both kinds, and time them by every clock."""
    from django.conf import settings
    from django.test import Client

    from apikeys import key_text
    from stores.models import Store

    settings.RATE_LIMIT_FAILED_KEYS = 10**9
    store = Store.objects.create(name="Northwood")
    drawn = [
        lifecycle.insert_key(store=store, name=f"Key {number}", access=["orders:read"])[0]
        for number in range(1000)
    ]
    client = Client(headers={"Host": "localhost"})
    samples = {name: Samples() for name in CLOCKS}
    for turn in range(WARM_UP + GUESSES):
        prefixes = [("known", random.choice(drawn).prefix), ("unknown", key_text.generate()[0])]
        random.shuffle(prefixes)
        for kind, prefix in prefixes:
            guess = prefix + key_text.generate()[1][key_text.PREFIX_LENGTH :]
            headers = {"Authorization": f"Bearer {guess}"}
            starts = [clock() for clock in CLOCKS.values()]
            answer = client.get("/v1/api-key/", headers=headers)
            took = [clock() - start for clock, start in zip(CLOCKS.values(), starts, strict=True)]
            assert answer.status_code == 401
            if turn >= WARM_UP:
                for name, seconds in zip(CLOCKS, took, strict=True):
                    getattr(samples[name], kind).append(seconds * 1e6)
    return samples


def main() -> int:
    with site():
        logging.disable(logging.WARNING)
        print(f"{GUESSES:,} guesses of each kind")
        for name, samples in measure().items():
            for line in samples.lines():
                print(f"{name}: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
