"""Measure what must not grow with the data: list of keys, flush, and the last page of orders."""

from collections.abc import Iterator

from stores.demo import NORTHWOOD_ID
from tests.benchmarks.in_process import Course, race
from tests.benchmarks.report import Row, show_figures
from tests.benchmarks.sides import Call, Side

LISTED_KEYS, USAGE_DAYS, ORDERS = 2_000, 440, 20_000
ROUNDS = 20


def measure(course: Course) -> Iterator[Row]:
    """Compare the course's store with one that has seen years of use, on the same database server."""
    used = course.place.database("used")
    known = Side.ours(used).run("ours.seed.seed_used_store", LISTED_KEYS, USAGE_DAYS, ORDERS)
    yield from pages(course.place.name, used, known)
    yield flush(course, used)


def pages(name: str, url: str, known: dict[str, str]) -> Iterator[Row]:
    """The page of keys and the list of orders, each with much of it against little."""
    browser = [{"Cookie": known["cookie"]}]
    list_of = "/stores/{}/settings/api-keys/"
    orders = f"/v1/stores/{NORTHWOOD_ID}/orders/?cursor="
    key = [known["header"]]
    with Side.ours(url).worker() as worker:
        contenders = {
            "few": (worker, Call(list_of.format(known["few"]), browser)),
            "many": (worker, Call(list_of.format(NORTHWOOD_ID), browser)),
            "first": (worker, Call.with_keys(orders, key)),
            "last": (worker, Call.with_keys(f"{orders}{known['end']}", key)),
        }
        median = race(contenders, rounds=ROUNDS, times=2)
    what = "list page with 2,000 keys and 2,000,000 usage rows against 20 keys"
    yield Row(what, name, "µs", median["many"], median["few"], 1.15)
    yield Row("orders by cursor, last page against first", name, "µs", median["last"], median["first"], 1.5)


def flush(course: Course, used: str) -> Row:
    """Write the same requests to a database that has seen years of use, and to one that has seen a month."""
    many, few = (Side.ours(url).run("ours.flush.measure") for url in (used, course.database_url))
    show_figures(f"Flush of 10,000 requests [{course.place.name}]", "", few)
    what = "flush of 10,000 requests of 100 keys, with 2,000,000 usage rows against a month's"
    return Row(what, course.place.name, "ms", many["ms on the clock"], few["ms on the clock"], 1.15)
