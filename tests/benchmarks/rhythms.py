"""Look for silence in a simulated year of made-up rhythms: ``python -m tests.benchmarks.rhythms``.

It prints a table: for each rhythm how many false alarms a key has in a quarter, and after how many of its
usual gaps, in hours that it is expected in, a silence is found.
"""

import random
import statistics
from collections.abc import Callable

from apikeys.insight.rhythm import WEEK_HOURS, is_quiet

YEAR = 52 * WEEK_HOURS
KEPT = 5 * WEEK_HOURS
KEYS = 8

Rhythm = Callable[[random.Random, int], bool]


def calls_by_chance(rate: float) -> Rhythm:
    """Calls come whenever they come, so many an hour."""
    return lambda rng, hour: rng.random() < 1 - 2.718281828**-rate


RHYTHMS: dict[str, Rhythm] = {
    "every 5 minutes": lambda rng, hour: True,
    "office hours": lambda rng, hour: hour % WEEK_HOURS < 120 and 8 <= hour % 24 < 18 and rng.random() < 0.98,
    "nightly": lambda rng, hour: hour % 24 == 2 and rng.random() < 0.99,
    "weekly": lambda rng, hour: hour % WEEK_HOURS == 50 and rng.random() < 0.99,
    "by chance, 3 an hour": calls_by_chance(3),
    "by chance, 1 an hour": calls_by_chance(1),
    "by chance, 1 in 4 hours": calls_by_chance(0.25),
}


def simulate(rhythm: Rhythm, seed: int) -> tuple[int, int | None]:
    """Return the false alarms of a year, and how many hours after its end a silence is found."""
    rng = random.Random(seed)
    active: list[int] = []
    false_alarms, is_told = 0, False
    for hour in range(YEAR):
        active = [one for one in active if one >= hour - KEPT] if hour % 24 == 0 else active
        if active and hour > KEPT and active[-1] < hour - 1 and not is_told and is_quiet(active, hour):
            false_alarms, is_told = false_alarms + 1, True
        if rhythm(rng, hour):
            active.append(hour)
            is_told = False
    for hour in range(YEAR, YEAR + 4 * WEEK_HOURS):
        kept = [one for one in active if one >= hour - KEPT]
        if kept and is_quiet(kept, hour):
            return false_alarms, hour - active[-1]
    return false_alarms, None


def main() -> None:
    print(f"{'Rhythm':<26}{'False alarms a key and quarter':>32}{'Found after, hours':>20}")
    for name, rhythm in RHYTHMS.items():
        runs = [simulate(rhythm, seed) for seed in range(KEYS)]
        found = [hours for _, hours in runs if hours is not None]
        after = f"{statistics.median(found):.0f}" if found else "never"
        print(f"{name:<26}{sum(alarms for alarms, _ in runs) / KEYS / 4:>32.2f}{after:>20}")


if __name__ == "__main__":
    main()
