"""Measure what must not grow with the data: key check, list of keys, flush, and the last page of orders."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from stores.demo import NORTHWOOD_ID
from tests.benchmarks.in_process import race
from tests.benchmarks.places import Place
from tests.benchmarks.report import Row, show_figures
from tests.benchmarks.sides import Call, Side

FEW_KEYS, MANY_KEYS = 1_000, 100_000
LISTED_KEYS, USAGE_DAYS, ORDERS = 2_000, 440, 20_000
ROUNDS = 20
# A race of a thousand requests a turn.
ROUNDS_OF_MANY = 5


@dataclass(frozen=True)
class Grown:
    """Three databases: one with few keys, one with very many, and a store that has seen years of use."""

    place: Place
    few: tuple[str, list[str]]
    many: tuple[str, list[str]]
    used: tuple[str, dict[str, str]]

    @classmethod
    def prepared(cls, place: Place) -> "Grown":
        few, many, used = (place.database(name) for name in ("few_keys", "many_keys", "used"))
        return cls(
            place,
            (few, Side.ours(few).run("ours.seed.seed_many_keys", FEW_KEYS)),
            (many, Side.ours(many).run("ours.seed.seed_many_keys", MANY_KEYS)),
            (used, Side.ours(used).run("ours.seed.seed_used_store", LISTED_KEYS, USAGE_DAYS, ORDERS)),
        )


def measure(grown: Grown) -> Iterator[Row]:
    yield key_check(grown)
    yield from pages(grown)
    yield flush(grown)


def key_check(grown: Grown) -> Row:
    """A thousand keys in turn, among a thousand and among very many, above no authentication."""
    contenders = {}
    with ExitStack() as stack:
        for name, (url, headers) in {"few": grown.few, "many": grown.many}.items():
            worker = stack.enter_context(Side.ours(url).worker())
            nothing = f"/v1/stores/{NORTHWOOD_ID}/nothing"
            contenders[name] = worker, Call.with_keys(f"{nothing}/", headers)
            contenders[f"{name}, open"] = worker, Call(f"{nothing}-for-all/")
        median = race(contenders, rounds=ROUNDS_OF_MANY, times=len(grown.few[1]))
    few, many = (median[name] - median[f"{name}, open"] for name in ("few", "many"))
    return Row("key check with 100,000 keys against 1,000", grown.place.name, "µs", many, few, 1.15)


def pages(grown: Grown) -> Iterator[Row]:
    """The page of keys and the list of orders, each with much of it against little."""
    url, known = grown.used
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
    name = grown.place.name
    what = "list page with 2,000 keys and 2,000,000 usage rows against 20 keys"
    yield Row(what, name, "µs", median["many"], median["few"], 1.15)
    yield Row("orders by cursor, last page against first", name, "µs", median["last"], median["first"], 1.5)


def flush(grown: Grown) -> Row:
    """Write the same requests to a database that has seen years of use, and to one that has seen none."""
    name = grown.place.name
    many, few = (Side.ours(url).run("ours.flush.measure") for url in (grown.used[0], grown.few[0]))
    show_figures(f"Flush of 10,000 requests [{name}]", "", few)
    what = "flush of 10,000 requests of 100 keys, with 2,000,000 usage rows against none"
    return Row(what, name, "ms", many["ms on the clock"], few["ms on the clock"], 1.15)
