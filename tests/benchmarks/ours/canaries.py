"""``python -m tests.benchmarks.ours.canaries``: whether the time of an answer gives a canary away.

It asks with a canary and with keys that are off in turn, on a few routes, and prints the deciles of each in
microseconds of this thread, and how well the time tells them apart: 0.5 is a coin. A second key that is off
shows what chance makes of that. Settings and database are those of the environment, and USAGE_FLUSH_SECONDS
must not be 0.
"""

import random
import statistics
import time

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from apikeys import lifecycle  # noqa: E402
from apikeys.actors import Actor  # noqa: E402
from stores.models import Store  # noqa: E402

REQUESTS = 2_000
WARMING_UP = 200


def issue_keys() -> dict[str, str]:
    """Return a canary and two keys that are off, by what they are called here."""
    store = Store.objects.create(name="Northwood")
    by = Actor(User.objects.create_user("owner@example.com"))
    keys = {"canary": lifecycle.create_canary(store=store, name="Canary", place="README", by=by)[1]}
    for name in ("off", "off as well"):
        key, keys[name] = lifecycle.create_key(store=store, name=name, access=["products:read"], by=by)
        lifecycle.deactivate_key(key, by=by)
    return keys


def measure(keys: dict[str, str], path: str) -> dict[str, list[float]]:
    """Return the microseconds of each answer to each key, sorted; who comes first is left to chance."""
    client = Client(SERVER_NAME="localhost")
    times: dict[str, list[float]] = {name: [] for name in keys}
    for number in range(REQUESTS + WARMING_UP):
        for name in random.sample(sorted(keys), len(keys)):
            began = time.thread_time()
            client.get(path, headers={"Authorization": f"Bearer {keys[name]}"})
            if number >= WARMING_UP:
                times[name].append((time.thread_time() - began) * 1e6)
    return {name: sorted(of_key) for name, of_key in times.items()}


def tell_apart(one: list[float], other: list[float]) -> float:
    """Return how often a time of ``one`` is longer than one of ``other``: the area under the ROC curve."""
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    return (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))


def main() -> None:
    call_command("migrate", verbosity=0)
    keys = issue_keys()
    with override_settings(
        RATE_LIMIT_PER_KEY=10**9, RATE_LIMIT_FAILED_KEYS=10**9, ALLOWED_HOSTS=["localhost"], HTTPS=False
    ):
        if not settings.USAGE_FLUSH_SECONDS:
            raise SystemExit("USAGE_FLUSH_SECONDS is 0: then the alarm is written before the answer.")
        for path in ("/v1/api-key/", f"/v1/stores/{Store.objects.get().pk}/orders/", "/v1/nothing/"):
            times = measure(keys, path)
            for name, of_key in times.items():
                deciles = " ".join(f"{value:.0f}" for value in statistics.quantiles(of_key, n=10))
                print(f"{path}  {name:<12} {deciles}")
            for name in ("canary", "off as well"):
                print(
                    f"{path}  {name} told from off: {tell_apart(times[name], times['off']):.3f}", flush=True
                )


if __name__ == "__main__":
    main()
