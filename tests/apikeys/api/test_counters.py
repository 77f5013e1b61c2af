"""Counters in a Valkey Cluster of three nodes, any of which may be away."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from limits.errors import StorageError

from apikeys.api import rate_limits
from apikeys.api.counters import ClusterCounters, Counters, RedisCounters
from apikeys.api.rate_limits import RateLimiter
from tests import programs, valkey_cluster
from tests.issuer import make_certificate
from tests.programs import wait_until
from tests.valkey_cluster import HOST, Cluster, Node

# So many that each node counts for some of them.
CLIENTS = [str(number) for number in range(60)]


@pytest.fixture(autouse=True)
def _one_minute() -> Iterator[None]:
    """Each counter stays on its node: the clock stands still."""
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, 15, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def limiter(cluster: Cluster, patience: None) -> RateLimiter:
    return RateLimiter(ClusterCounters(cluster.url))


@contextmanager
def away(cluster: Cluster, *nodes: Node) -> Iterator[None]:
    """Kill nodes, and start them again at the end."""
    for node in nodes:
        node.kill()
    try:
        yield
    finally:
        for node in nodes:
            node.start()
        cluster.wait()


def counted(limiter: RateLimiter) -> dict[str, bool]:
    """Return the clients that a request of each was counted for."""
    return {client: limiter.count("key", client, 100) is not None for client in CLIENTS}


def await_all_counted(limiter: RateLimiter) -> None:
    wait_until(lambda: all(counted(limiter).values()))


def clients_of(node: Node, limiter: RateLimiter) -> set[str]:
    """The clients that the node counts at this minute."""
    window = int(time.time()) // rate_limits.WINDOW_SECONDS
    server_of = limiter.counters.server_of
    return {client for client in CLIENTS if server_of(f"reflow/key/{client}/{window}") == node.name}


def test_incr_counts_on_one_node_each(cluster: Cluster, limiter: RateLimiter) -> None:
    valkey_cluster.client(cluster.url).flushall()
    used = [limiter.count("key", client, 100) for client in CLIENTS for _ in range(3)]
    assert [allowance.used for allowance in used if allowance] == [1, 2, 3] * len(CLIENTS)
    held = [clients_of(node, limiter) for node in cluster.nodes]
    assert all(held)
    assert sorted(client for clients in held for client in clients) == sorted(CLIENTS)


def test_count_without_a_node_misses_its_counters_only(cluster: Cluster, limiter: RateLimiter) -> None:
    assert all(counted(limiter).values())
    node = cluster.nodes[0]
    lost = clients_of(node, limiter)
    with away(cluster, node):
        for _ in range(2):
            uncounted = {client for client, is_counted in counted(limiter).items() if not is_counted}
            assert uncounted == lost
        assert limiter.counters.servers() == {each.name: each is not node for each in cluster.nodes}
    await_all_counted(limiter)
    assert limiter.counters.servers() == {each.name: True for each in cluster.nodes}


def test_count_waits_once_for_a_node_that_hangs(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RateLimiter(ClusterCounters(cluster.url))
    await_all_counted(limiter)
    monkeypatch.setattr(rate_limits, "RETRY_SECONDS", 3600)
    node = cluster.nodes[1]
    with away(cluster, node), socket.create_server((HOST, node.port)) as hung:
        assert not all(counted(limiter).values())
        assert not all(counted(limiter).values())
        hung.accept()[0].close()
        hung.settimeout(0)
        with pytest.raises(BlockingIOError):
            hung.accept()


def test_a_cluster_that_comes_node_by_node_after_the_site_counts(
    cluster: Cluster, limiter: RateLimiter
) -> None:
    """No node knows the script that counts, and it cannot be loaded into the one that is away."""
    with away(cluster, *cluster.nodes):
        assert not any(counted(limiter).values())
        cluster.nodes[1].start()
        cluster.nodes[2].start()
        wait_until(lambda: set(counted(limiter).values()) == {True, False})
        cluster.nodes[1].kill()
        cluster.nodes[2].kill()
    await_all_counted(limiter)


def why_uncounted(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Requests go on with counters that cannot be used, and one line says why."""
    limiter = RateLimiter(ClusterCounters(url))
    caplog.clear()
    assert not any(counted(limiter).values())
    assert not all(limiter.counters.servers().values())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Rate limits are off: ")
    assert "hush" not in line
    assert "\n" not in line
    return line


@pytest.mark.usefixtures("patience")
def test_count_logs_in_a_line_why_a_cluster_cannot_be_used(caplog: pytest.LogCaptureFixture) -> None:
    with programs.needed(), valkey_cluster.nodes(1, "--requirepass", "hush@:/%") as (node,):
        assert "already authenticated" in why_uncounted(f"redis+cluster://{node.name}", caplog)
        assert "invalid" in why_uncounted(f"redis+cluster://:hush@{node.name}", caplog)
        url = f"redis+cluster://:hush%40%3A%2F%25@{node.name}"
        why_uncounted(url, caplog)  # no node has a slot yet
        with node.client() as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, valkey_cluster.SLOTS - 1)
        wait_until(lambda: node.is_joined(1))
        counters = ClusterCounters(url)
        assert counters.incr("reflow/key/1/1", 60) == 1
        assert all(counters.servers().values())
    with programs.needed(), valkey_cluster.nodes(1, "--cluster-enabled", "no") as (node,):
        assert "Cluster mode is not enabled" in why_uncounted(f"redis+cluster://{node.name}", caplog)


@pytest.mark.parametrize(
    ("counters", "scheme"), [(RedisCounters, "rediss"), (ClusterCounters, "rediss+cluster")]
)
def test_incr_counts_nowhere_but_on_a_server_whose_certificate_is_known(
    tmp_path: Path, counters: Callable[[str], Counters], scheme: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path))

    def refusal() -> str:
        """Return what the client says of the certificate, blank where it takes it."""
        while True:
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True):
                    return ""
            except (ssl.SSLEOFError, ConnectionError):
                pass  # on a busy machine that took too long, and the client tries again
            except ssl.SSLError as error:
                return str(error.reason)

    with socket.create_server((HOST, 0)) as listener, ThreadPoolExecutor() as pool:
        listener.settimeout(30)
        client = counters(f"{scheme}://{HOST}:{listener.getsockname()[1]}")
        told = pool.submit(refusal)
        while not told.done():
            with suppress(StorageError):
                client.incr("reflow/key/1/1", 60)
    assert told.result() == "TLSV1_ALERT_UNKNOWN_CA"
