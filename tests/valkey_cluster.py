"""A throw-away Valkey Cluster: nodes on this machine that can be killed and started again."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis, RedisCluster

from tests import valkey
from tests.programs import wait_until
from tests.server import Program, free_port

SLOTS = 16384
HOST = "127.0.0.1"
# As the guide sets a cluster up, but quicker to notice that a node is away.
OPTIONS = (
    "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "1000",
    "--bind", HOST, "--save", "",
)  # fmt: skip


@dataclass
class Node(Program):
    """A server of the cluster, at ``port``; the others reach it at ``bus_port``."""

    bus_port: int = 0

    @property
    def name(self) -> str:
        return f"{HOST}:{self.port}"

    def client(self) -> Redis:
        password = dict(zip(self.command, self.command[1:], strict=False)).get("--requirepass")
        return Redis(HOST, self.port, password=password, socket_timeout=30)

    def is_joined(self, nodes: int) -> bool:
        """Whether it knows that every slot has a node, and so many nodes."""
        with self.client() as client:
            known = client.execute_command("CLUSTER INFO")
        return (known["cluster_state"], known["cluster_known_nodes"]) == ("ok", str(nodes))


@dataclass(frozen=True)
class Cluster:
    nodes: list[Node]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.name for node in self.nodes)}"

    def wait(self) -> None:
        """Come back when every node knows of every other one."""
        wait_until(lambda: all(node.is_joined(len(self.nodes)) for node in self.nodes))


@contextmanager
def nodes(count: int, *options: str) -> Iterator[list[Node]]:
    """Nodes that have no slots yet. Raises Unavailable."""
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="reflow-vk-"))
            port, bus_port = free_port(), free_port()
            ports = ["--port", str(port), "--cluster-port", str(bus_port), "--dir", folder]
            command = [valkey.binary(), *OPTIONS, *ports, *options]
            node = Node(command, Path(folder) / "output", port, bus_port=bus_port)
            stack.enter_context(node.running())
            started.append(node)
        yield started


@contextmanager
def cluster(count: int = 3) -> Iterator[Cluster]:
    """A cluster of so many nodes, each with its share of the slots. Raises Unavailable."""
    with nodes(count) as members:
        for number, node in enumerate(members):
            first, end = number * SLOTS // count, (number + 1) * SLOTS // count
            with node.client() as client:
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
                client.execute_command("CLUSTER MEET", HOST, members[0].port, members[0].bus_port)
        joined = Cluster(members)
        joined.wait()
        yield joined


def client(url: str) -> RedisCluster:
    host, _, port = url.removeprefix("redis+cluster://").partition(",")[0].partition(":")
    return RedisCluster(host, int(port))
