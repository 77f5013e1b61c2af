"""A throw-away Valkey Cluster: nodes on this machine that can be killed and started again."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis, RedisCluster
from redis.exceptions import RedisError

from tests import valkey
from tests.programs import wait_until
from tests.server import free_port

SLOTS = 16384
HOST = "127.0.0.1"
# As the guide sets a cluster up, but quicker to notice that a node is away.
OPTIONS = (
    "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "1000",
    "--bind", HOST, "--save", "",
)  # fmt: skip


@dataclass
class Node:
    folder: Path
    options: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    bus_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def name(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        ports = ["--port", str(self.port), "--cluster-port", str(self.bus_port), "--dir", str(self.folder)]
        command = [valkey.binary(), *OPTIONS, *ports, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self.answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> Redis:
        password = dict(zip(self.options, self.options[1:], strict=False)).get("--requirepass")
        return Redis(HOST, self.port, password=password, socket_timeout=30)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False

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
            node = Node(Path(folder), options)
            stack.callback(node.kill)
            node.start()
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
