"""Measure requests without a network: a key's check, and whole lists, ours and the peers' in turn."""

import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from stores.demo import NORTHWOOD_ID
from tests.benchmarks.places import Place
from tests.benchmarks.report import Row, show_figures
from tests.benchmarks.sides import Call, Side, Worker

# How much there is of what Course.prepared() makes, where a minute has to do.
QUICK = {"rounds": 2, "keys": 20, "orders": 40}
PEER = "djangorestframework-api-key"

# One that takes its turn: a process, and what it is asked.
Contender = tuple[Worker, Call]


def race(contenders: Mapping[str, Contender], *, rounds: int, times: int) -> dict[str, float]:
    """Let all make their request ``times`` times, then all again; returns the median of each, in µs.

    The first time only warms up. In turn, so that a machine whose speed drifts slows all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds + 1):
        for name, (worker, call) in contenders.items():
            taken = worker.make(call, times).seconds
            if round_:
                seconds[name] += taken
    return {name: statistics.median(taken) * 1_000_000 for name, taken in seconds.items()}


@dataclass(frozen=True)
class Course:
    """One database with the shop and everybody's keys, and how often everybody has a turn there."""

    place: Place
    database_url: str
    our_headers: list[str]
    peer_headers: list[str]
    rounds: int

    @classmethod
    def prepared(cls, place: Place, *, rounds: int = 20, keys: int = 1_000, orders: int = 2_000) -> "Course":
        """On a new database, with orders and keys of every kind."""
        url = place.database("shop")
        ours = Side.ours(url).run("ours.seed.seed_shop", keys, orders)
        peers = Side.peers(url).run("peers.seed.seed", keys)
        return cls(place, url, ours, peers, rounds)

    def ours(self, path: str, *, key: bool = True) -> Call:
        url = f"/v1/stores/{NORTHWOOD_ID}/{path}/"
        return Call.with_keys(url, self.our_headers) if key else Call(url)

    def peer(self, path: str, *, key: bool = True) -> Call:
        """The same view, behind the package's key check or open to all."""
        url = f"/{'api-key' if key else 'none'}/stores/{NORTHWOOD_ID}/{path}/"
        return Call.with_keys(url, self.peer_headers) if key else Call(url)


def measure(course: Course) -> Iterator[Row]:
    """The rows of one database. On PostgreSQL ours is set up as it is deployed, with prepared statements."""
    url, place, deployed = course.database_url, course.place, course.place.deployed
    # Each with the most that its key check may cost, as a share of what the peer's costs.
    variants = {"": (deployed, 0.5)}
    if place.is_postgres:
        variants[" without prepared statements"] = ({}, 0.7)
    if place.redis_url:
        variants[" with Valkey"] = ({"REDIS_URL": place.redis_url, **deployed}, 0.75)
    with ExitStack() as stack:
        workers = {
            variant: stack.enter_context(Side.ours(url, **environment).worker())
            for variant, (environment, _) in variants.items()
        }
        peers = stack.enter_context(Side.peers(url).worker())
        bounds = {variant: bound for variant, (_, bound) in variants.items()}
        yield from checks(course, workers, peers, bounds)
        yield orders(course, workers[""], peers)
        yield products(course, workers[""], peers)


def checks(
    course: Course, workers: Mapping[str, Worker], peers: Worker, bounds: Mapping[str, float]
) -> Iterator[Row]:
    """Measure what a key costs, on a view that does nothing, above the same view open to all."""
    contenders = {variant: (worker, course.ours("nothing")) for variant, worker in workers.items()}
    contenders["open"] = workers[""], course.ours("nothing-for-all", key=False)
    contenders[PEER] = peers, course.peer("nothing")
    contenders["the peer's, open"] = peers, course.peer("nothing", key=False)
    median = race(contenders, rounds=course.rounds, times=100)
    theirs = median[PEER] - median["the peer's, open"]
    what = f"key check with scope, limit and usage, above no authentication, against {PEER}'s bare check"
    for variant, bound in bounds.items():
        ours = median[variant] - median["open"]
        yield Row(what, f"{course.place.name}{variant}", "µs", ours, theirs, bound)


def orders(course: Course, ours: Worker, peers: Worker) -> Row:
    contenders = {"ours": (ours, course.ours("orders")), PEER: (peers, course.peer("orders"))}
    median = race(contenders, rounds=course.rounds, times=10)
    what = f"`GET orders` (20 with lines), whole request, against ModelSerializers and {PEER}"
    return Row(what, course.place.name, "µs", median["ours"], median[PEER], 0.36)


def products(course: Course, ours: Worker, peers: Worker) -> Row:
    contenders = {
        "ours": (ours, course.ours("products", key=False)),
        "peer": (peers, course.peer("products", key=False)),
    }
    median = race(contenders, rounds=course.rounds, times=10)
    what = "`GET products` without a key, whole request, against ModelSerializers"
    bound = 0.25 if course.place.is_postgres else 0.22
    return Row(what, course.place.name, "µs", median["ours"], median["peer"], bound)


def programs(course: Course) -> Iterator[Row]:
    """Measure what it costs to make keys by program. It adds rows, so it comes last."""
    took = Side.ours(course.database_url, **course.place.deployed).run("ours.programs.measure")
    name, check = course.place.name, took["check"]
    show_figures(f"keys by program [{name}]", "µs", took)
    what = "creating a key by the API against creating a product"
    yield Row(what, name, "µs", took["key"], took["product"], 1.5)
    what = "check of a key that has renewed itself against that of any"
    yield Row(what, name, "µs", took["check of a renewed key"], check, 1.05)
    what = "token exchange against three requests with a key and a signature"
    yield Row(what, name, "µs", took["exchange"], 3 * check + took["signature"], 1)
