"""Measure what must not grow with the data: key check, list of keys, flush, and the last page of orders."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from stores.demo import NORTHWOOD_ID
from tests.benchmarks.in_process import Contender, race
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Figures, Row, Target, What
from tests.benchmarks.sides import Call, Side
from tests.benchmarks.sizes import FEW_KEYS, LISTED_KEYS, MANY_KEYS, ORDERS, USAGE_DAYS

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
        seed_many = "tests.benchmarks.ours.seed_many"
        return cls(
            place,
            (few, Side.ours(few).run(seed_many, FEW_KEYS)),
            (many, Side.ours(many).run(seed_many, MANY_KEYS)),
            (used, Side.ours(used).run("tests.benchmarks.ours.seed_used", LISTED_KEYS, USAGE_DAYS, ORDERS)),
        )


def measure(grown: Grown) -> Iterator[Row | Figures]:
    yield key_check(grown)
    yield from pages(grown)
    yield from flush(grown)


def key_check(grown: Grown) -> Row:
    """A thousand keys in turn, among a thousand and among very many, above no authentication."""
    contenders = {}
    with ExitStack() as stack:
        for name, (url, headers) in {"few": grown.few, "many": grown.many}.items():
            worker = stack.enter_context(Side.ours(url).worker())
            nothing = f"/v1/stores/{NORTHWOOD_ID}/nothing"
            contenders[name] = Contender(worker, Call.with_keys(f"{nothing}/", headers))
            contenders[f"{name}, open"] = Contender(worker, Call(f"{nothing}-for-all/"))
        median = race(contenders, rounds=ROUNDS_OF_MANY, times=len(grown.few[1]))
    few, many = (median[name] - median[f"{name}, open"] for name in ("few", "many"))
    return Row(What.MANY_KEYS, grown.place.name, many, few, "µs", Target(1.15))


def pages(grown: Grown) -> Iterator[Row]:
    """The page of keys and the list of orders, each with much of it against little."""
    url, known = grown.used
    browser = [{"Cookie": known["cookie"]}]
    list_of = "/stores/{}/settings/api-keys/"
    orders = f"/v1/stores/{NORTHWOOD_ID}/orders/?cursor="
    key = [known["header"]]
    with Side.ours(url).worker() as worker:
        few = Contender(worker, Call(list_of.format(known["few"]), browser))
        many = Contender(worker, Call(list_of.format(NORTHWOOD_ID), browser))
        first = Contender(worker, Call.with_keys(orders, key))
        last = Contender(worker, Call.with_keys(f"{orders}{known['end']}", key))
        contenders = {"few": few, "many": many, "first": first, "last": last}
        median = race(contenders, rounds=ROUNDS, times=2)
    name = grown.place.name
    yield Row(What.LIST_PAGE, name, median["many"], median["few"], "µs", Target(1.15))
    yield Row(What.CURSOR, name, median["last"], median["first"], "µs", Target(1.5))


def flush(grown: Grown) -> Iterator[Row | Figures]:
    """Write the same requests to a database that has seen years of use, and to one that has seen none."""
    module, name = "tests.benchmarks.ours.flush", grown.place.name
    many, few = (Side.ours(url).run(module) for url in (grown.used[0], grown.few[0]))
    yield Figures(
        "Flush of 10,000 requests",
        name,
        "",
        {
            "ms on the clock": few["seconds"] * 1000,
            "ms of our own process": few["cpu_seconds"] * 1000,
            "statements": few["statements"],
        },
    )
    yield Row(What.FLUSH, name, many["seconds"] * 1000, few["seconds"] * 1000, "ms", Target(1.15))
