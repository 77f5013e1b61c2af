"""Measure requests without a network: a key's check, and whole lists, ours and the peers' in turn."""

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from stores.demo import NORTHWOOD_ID
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Figures, Row, Target, What
from tests.benchmarks.sides import Call, Side, Worker
from tests.benchmarks.sizes import Size


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
    """Let all make their request ``times`` times, then all again; returns the median of each, in µs.

    The first time only warms up. In turn, so that a machine whose speed drifts slows all of them.
    """
    for contender in contenders.values():
        contender.worker.make(contender.call, times)
    for _ in range(rounds):
        for contender in contenders.values():
            contender.take_turn(times)
    return {name: contender.median for name, contender in contenders.items()}


@dataclass(frozen=True)
class Course:
    """One database with the shop and everybody's keys, and how often everybody has a turn there."""

    place: Place
    database_url: str
    our_headers: list[str]
    peer_headers: list[str]
    rounds: int

    @classmethod
    def prepared(cls, place: Place, size: Size) -> "Course":
        """On a new database, with orders and keys of every kind."""
        url = place.database("shop")
        ours = Side.ours(url).run("tests.benchmarks.ours.seed", size.keys, size.orders)
        peers = Side.peers(url).run("tests.benchmarks.peers.seed", size.keys)
        return cls(place, url, ours, peers, size.rounds)

    def ours(self, path: str, *, key: bool = True) -> Call:
        url = f"/v1/stores/{NORTHWOOD_ID}/{path}/"
        return Call.with_keys(url, self.our_headers) if key else Call(url)

    def peer(self, door: str, path: str) -> Call:
        url = f"/{door}/stores/{NORTHWOOD_ID}/{path}/"
        return Call(url) if door == "none" else Call.with_keys(url, self.peer_headers)

    def peers(self, worker: Worker, path: str) -> dict[str, Contender]:
        """The same view open to all, and behind the package's key check."""
        doors = {"no authentication": "none", PEER: "api-key"}
        return {name: Contender(worker, self.peer(door, path)) for name, door in doors.items()}


PEER = "djangorestframework-api-key"


def measure(course: Course) -> Iterator[Row | Figures]:
    """The rows of one database. On PostgreSQL ours is set up as it is deployed, with prepared statements."""
    url, place = course.database_url, course.place
    deployed = {"PREPARE_THRESHOLD": "5"} if place.is_postgres else {}
    with ExitStack() as stack:
        ours = stack.enter_context(Side.ours(url, **deployed).worker())
        peers = stack.enter_context(Side.peers(url).worker())
        variants = {}
        if place.is_postgres:
            variants["without prepared statements"] = stack.enter_context(Side.ours(url).worker())
        if place.redis_url:
            with_valkey = Side.ours(url, REDIS_URL=place.redis_url, **deployed)
            variants["with Valkey"] = stack.enter_context(with_valkey.worker())
        yield from checks(course, ours, peers, variants)
        yield from orders(course, ours, peers)
        yield from products(course, ours, peers)


def programs(course: Course) -> Iterator[Row | Figures]:
    """Measure what it costs to make keys by program. It adds rows, so it comes last."""
    took = Side.ours(course.database_url).run("tests.benchmarks.ours.programs")
    name, checks = course.place.name, 3 * took["check"] + took["signature"]
    yield Figures("keys by program", name, "µs", took)
    yield Row(What.KEY, name, took["key"], took["product"], "µs", Target(1.5))
    yield Row(What.RENEWED, name, took["check of a renewed key"], took["check"], "µs", Target(1.05))
    yield Row(What.EXCHANGE, name, took["exchange"], checks, "µs", Target(1))


# The most that our key check may cost, as a share of what the peer's costs.
CHECK_TARGETS = {"without prepared statements": Target(0.7), "with Valkey": Target(0.75)}


def checks(
    course: Course, ours: Worker, peers: Worker, variants: Mapping[str, Worker]
) -> Iterator[Row | Figures]:
    """Measure what a key costs, on a view that does nothing, above the same view open to all."""
    contenders = {
        "open to all": Contender(ours, course.ours("nothing-for-all", key=False)),
        "ours": Contender(ours, course.ours("nothing")),
    }
    for variant, worker in variants.items():
        contenders[f"ours, {variant}"] = Contender(worker, course.ours("nothing"))
    contenders |= course.peers(peers, "nothing")
    median = race(contenders, rounds=course.rounds, times=100)
    ours_open, peers_open = median.pop("open to all"), median.pop("no authentication")
    above = {
        name: cost - (ours_open if name.startswith("ours") else peers_open) for name, cost in median.items()
    }
    name, theirs = course.place.name, above[PEER]
    yield Figures("key check, above no authentication", name, "µs", above)
    yield Row(What.CHECK, name, above["ours"], theirs, "µs", Target(0.5))
    for variant in variants:
        yield Row(
            What.CHECK,
            f"{name} {variant}",
            above[f"ours, {variant}"],
            theirs,
            "µs",
            CHECK_TARGETS[variant],
        )


def orders(course: Course, ours: Worker, peers: Worker) -> Iterator[Row | Figures]:
    contenders = {"ours": Contender(ours, course.ours("orders")), **course.peers(peers, "orders")}
    median = race(contenders, rounds=course.rounds, times=10)
    name = course.place.name
    yield Figures("GET orders, 20 with lines", name, "µs", median)
    yield Row(What.ORDERS, name, median["ours"], median[PEER], "µs", Target(0.36))


def products(course: Course, ours: Worker, peers: Worker) -> Iterator[Row | Figures]:
    contenders = {
        "ours": Contender(ours, course.ours("products", key=False)),
        "plain ModelSerializers": Contender(peers, course.peer("none", "products")),
    }
    median = race(contenders, rounds=course.rounds, times=10)
    name = course.place.name
    yield Figures("GET products without a key", name, "µs", median)
    bound = Target(0.25 if course.place.is_postgres else 0.22)
    yield Row(What.PRODUCTS, name, median["ours"], median["plain ModelSerializers"], "µs", bound)
