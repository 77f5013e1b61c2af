"""What must not grow with usage, which PostgreSQL has partitioned by month: a key's page, and a flush."""

from collections.abc import Iterator
from contextlib import ExitStack

from tests.benchmarks.in_process import Contender, race
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, Target, What
from tests.benchmarks.sides import Call, Side
from tests.benchmarks.sizes import FEW_USED, MANY_USED

ROUNDS = 40


def measure(place: Place) -> Iterator[Row]:
    """Fill two databases, with few rows and with very many, and compare them."""
    urls = {"few": place.database("few_used"), "many": place.database("many_used")}
    rows = {"few": FEW_USED, "many": MANY_USED}
    contenders, flushes = {}, {}
    with ExitStack() as stack:
        for name, url in urls.items():
            known = Side.ours(url).run("tests.benchmarks.ours.seed_usage", rows[name])
            worker = stack.enter_context(Side.ours(url).worker())
            contenders[name] = Contender(worker, Call(known["page"], [{"Cookie": known["cookie"]}]))
        page = race(contenders, rounds=ROUNDS, times=2)
    for name, url in urls.items():
        flushes[name] = Side.ours(url).run("tests.benchmarks.ours.flush_usage") * 1000
    yield Row(What.USAGE_PAGE, place.name, page["many"], page["few"], "µs", Target(1.3))
    yield Row(What.USAGE_FLUSH, place.name, flushes["many"], flushes["few"], "ms", Target(1.3))
