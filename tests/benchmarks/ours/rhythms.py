"""Look for silence in a simulated year of made-up rhythms.

    DJANGO_SETTINGS_MODULE=tests.settings python -m tests.benchmarks.ours.rhythms

It prints the table of the README: for each rhythm how long a key's gaps usually are, how many false alarms a
key has in a quarter, and how long after its last request a silence is found.
"""

import math
import random
import statistics
from collections.abc import Callable

import django

django.setup()

from apikeys.insight.rhythm import WEEK_HOURS, is_quiet  # noqa: E402

YEAR = 52 * WEEK_HOURS
KEPT = 5 * WEEK_HOURS
KEYS = 8

# Returns the requests of a key in an hour since the year began, which was a Monday.
Rhythm = Callable[[random.Random, int], int]


def call_by_chance(rate: float) -> Rhythm:
    """Let requests come whenever they come, so many an hour: by Poisson's distribution."""

    def requests(rng: random.Random, hour: int) -> int:
        count, product = 0, rng.random()
        while product > math.exp(-rate):
            count, product = count + 1, product * rng.random()
        return count

    return requests


def is_office_hour(hour: int) -> bool:
    return hour % WEEK_HOURS < 5 * 24 and 8 <= hour % 24 < 18


# The length of a usual gap, and the rhythm. Programs that run by the clock fail to once in a hundred times.
RHYTHMS: dict[str, tuple[str, Rhythm]] = {
    "every 5 minutes": ("5 minutes", lambda rng, hour: 12),
    "every 5 minutes, office hours": (
        "5 minutes", lambda rng, hour: 12 * is_office_hour(hour) * (rng.random() < 0.99),
    ),
    "every hour": ("1 hour", lambda rng, hour: int(rng.random() < 0.99)),
    "nightly": ("24 hours", lambda rng, hour: 20 * (hour % 24 == 2 and rng.random() < 0.99)),
    "weekly": ("168 hours", lambda rng, hour: 20 * (hour % WEEK_HOURS == 50 and rng.random() < 0.99)),
    "by chance, 3 an hour": ("20 minutes", call_by_chance(3)),
    "by chance, 1 an hour": ("1 hour", call_by_chance(1)),
    "by chance, 1 in 4 hours": ("4 hours", call_by_chance(0.25)),
}  # fmt: skip


def simulate(rhythm: Rhythm, seed: int) -> tuple[int, int | None]:
    """Return the false alarms of a year, and how many hours after its last request a silence is found."""
    rng = random.Random(seed)
    counts: dict[int, int] = {}
    false_alarms, is_told = 0, False

    def is_found(now: int) -> bool:
        kept = [hour for hour in counts if now - KEPT <= hour < now]
        return bool(kept) and is_quiet(kept, sum(counts[hour] for hour in kept), now)

    for hour in range(YEAR):
        # As look_for_silence(): a key that was called in the hour before is not looked at.
        if hour > KEPT and not is_told and hour - 1 not in counts and is_found(hour):
            false_alarms, is_told = false_alarms + 1, True
        if requests := rhythm(rng, hour):
            counts[hour] = requests
            is_told = False
            counts.pop(hour - KEPT, None)
    last = max(counts)
    found = next((hour for hour in range(YEAR, YEAR + 4 * WEEK_HOURS) if is_found(hour)), None)
    return false_alarms, found - last if found else None


def main() -> None:
    print("| rhythm | usual gap | false alarms a key and quarter | found after hours, median and most |")
    print("| --- | --- | --- | --- |")
    for name, (gap, rhythm) in RHYTHMS.items():
        runs = [simulate(rhythm, seed) for seed in range(KEYS)]
        found = [hours for _, hours in runs if hours is not None]
        after = f"{statistics.median(found):.0f}, {max(found)}" if len(found) == KEYS else "not always found"
        alarms = sum(alarms for alarms, _ in runs) / KEYS / 4
        print(f"| {name} | {gap} | {alarms:.2f} | {after} |", flush=True)


if __name__ == "__main__":
    main()
