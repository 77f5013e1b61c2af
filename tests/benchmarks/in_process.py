"""What requests cost without a network: a key's check, and whole lists, ours and the peers' in turn."""

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, Target, What
from tests.benchmarks.sides import Call, Side, Worker
from tests.benchmarks.sizes import Size

STORE = 267418190
WARM_UP = 40


@dataclass(frozen=True)
class Contender:
    """One that takes its turn: a process, and what it is asked. ``seconds`` gathers over the rounds."""

    worker: Worker
    call: Call
    seconds: list[float] = field(default_factory=list)

    def take_turn(self, times: int) -> None:
        self.seconds.extend(self.worker.make(self.call, times).seconds)

    @property
    def median(self) -> float:
        """Microseconds a request."""
        return statistics.median(self.seconds) * 1_000_000


def race(contenders: Mapping[str, Contender], *, rounds: int, times: int) -> dict[str, float]:
    """Let all make their request ``times`` times, then all again; returns the median of each, in µs."""
    for contender in contenders.values():
        contender.worker.make(contender.call, WARM_UP)
    for _ in range(rounds):
        for contender in contenders.values():
            contender.take_turn(times)
    return {name: contender.median for name, contender in contenders.items()}


@dataclass(frozen=True)
class Course:
    """One database with the shop and everybody's keys, and how long to measure on it."""

    place: Place
    database_url: str
    our_header: str
    peer_headers: Mapping[str, str]
    rounds: int

    @classmethod
    def prepared(cls, place: Place, size: Size) -> "Course":
        """On a new database, with orders and keys of every kind."""
        url = place.database("shop")
        ours = Side.ours(url).run("tests.benchmarks.ours.seed", size.keys, size.orders)
        peers = Side.peers(url).run("tests.benchmarks.peers.seed", size.keys)
        return cls(place, url, ours, peers, size.rounds)

    def ours(self, path: str, *, key: bool = True) -> Call:
        return Call(f"/v1/stores/{STORE}/{path}/", [self.our_header] if key else [])

    def peer(self, door: str, path: str) -> Call:
        header = self.peer_headers.get(door)
        return Call(f"/{door}/stores/{STORE}/{path}/", [header] if header else [])


def measure(course: Course) -> Iterator[Row]:
    """The rows of one database. Where it has a Valkey, our check is measured with limits there as well."""
    place, url = course.place, course.database_url
    with ExitStack() as stack:
        ours = stack.enter_context(Side.ours(url).worker())
        peers = stack.enter_context(Side.peers(url).worker())
        checks = {
            "ours, nobody asks": Contender(ours, course.ours("nothing-for-all", key=False)),
            "ours": Contender(ours, course.ours("nothing")),
            **{
                door: Contender(peers, course.peer(door, "nothing"))
                for door in ("none", *course.peer_headers)
            },
        }
        if place.redis_url:
            shared = stack.enter_context(Side.ours(url, REDIS_URL=place.redis_url).worker())
            checks["ours, Valkey"] = Contender(shared, course.ours("nothing"))
        cost = race(checks, rounds=course.rounds, times=50)
        print(cost, flush=True)
        theirs = cost["api-key"] - cost["none"]
        bound = Target(0.6 if place.is_postgres else 0.5)
        yield Row(What.CHECK, place.name, cost["ours"] - cost["ours, nobody asks"], theirs, "µs", bound)
        if place.redis_url:
            ours_shared = cost["ours, Valkey"] - cost["ours, nobody asks"]
            yield Row(What.CHECK, f"{place.name} with Valkey", ours_shared, theirs, "µs", Target(1.0))

        orders = {
            "ours": Contender(ours, course.ours("orders")),
            **{
                door: Contender(peers, course.peer(door, "orders")) for door in ("none", *course.peer_headers)
            },
        }
        cost = race(orders, rounds=course.rounds, times=10)
        print(cost, flush=True)
        yield Row(What.ORDERS, place.name, cost["ours"], cost["api-key"], "µs", Target(0.5))

        products = {
            "ours": Contender(ours, course.ours("products", key=False)),
            "none": Contender(peers, course.peer("none", "products")),
        }
        cost = race(products, rounds=course.rounds, times=10)
        print(cost, flush=True)
        yield Row(What.PRODUCTS, place.name, cost["ours"], cost["none"], "µs", Target(0.5))
