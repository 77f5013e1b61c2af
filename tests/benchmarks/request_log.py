"""What the request log costs as it grows, on PostgreSQL: a page of it, its CSV file, and dropping a day."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.in_process import Contender, race
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Figures, Row, Target, What
from tests.benchmarks.sides import Call, Side
from tests.benchmarks.sizes import FEW_LOGGED, MANY_LOGGED

ROUNDS = 40
SEED = "tests.benchmarks.ours.seed_log"


@dataclass(frozen=True)
class Logged:
    """Two databases, with few requests in the log and with very many."""

    place: Place
    few: tuple[str, dict[str, str]]
    many: tuple[str, dict[str, str]]

    @classmethod
    def prepared(cls, place: Place) -> "Logged":
        few, many = (place.database(name) for name in ("few_logged", "many_logged"))
        return cls(
            place, (few, Side.ours(few).run(SEED, FEW_LOGGED)), (many, Side.ours(many).run(SEED, MANY_LOGGED))
        )


def measure(logged: Logged) -> Iterator[Row | Figures]:
    yield from pages(logged)
    yield from work(logged)


def pages(logged: Logged) -> Iterator[Row]:
    """The first page of a key's requests, all of them and those that were refused for one reason."""
    contenders = {}
    with ExitStack() as stack:
        for name, (url, known) in {"few": logged.few, "many": logged.many}.items():
            worker = stack.enter_context(Side.ours(url).worker())
            path = f"/stores/{known['store']}/settings/api-keys/requests/?key={known['prefix']}"
            for query in ("", "&reason=api_key_expired"):
                call = Call(path + query, [{"Cookie": known["cookie"]}])
                contenders[f"{name}{query}"] = Contender(worker, call)
        median = race(contenders, rounds=ROUNDS, times=2)
    for what, query, bound in ((What.LOG_PAGE, "", 1.2), (What.LOG_REASON, "&reason=api_key_expired", 1.5)):
        few, many = median[f"few{query}"], median[f"many{query}"]
        yield Row(what, logged.place.name, many, few, "µs", Target(bound))


def work(logged: Logged) -> Iterator[Row | Figures]:
    done: dict[str, Any] = Side.ours(logged.many[0]).run("tests.benchmarks.ours.log_work")
    name = logged.place.name
    with_log, without = (done[f"flush_{which}"] * 1000 for which in ("with", "without"))
    yield Row(What.LOG_FLUSH, name, with_log, without, "ms", Target(3.0))
    yield Row(What.LOG_CSV, name, done["csv_growth"] / 1024**2, 64, "MiB", Target(1.0))
    yield Row(What.LOG_DROP, name, done["drop_seconds"], 1, "s", Target(1.0))
    yield Figures(
        "Of the request log",
        name,
        "",
        {
            "bytes a row, with indexes": done["row_bytes"],
            "rows in the CSV file": done["csv_rows"],
            "rows of the day that was dropped": done["dropped_rows"],
        },
    )
