"""Counters in a Valkey Cluster of three nodes, any of which may be away."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from apikeys.api import rate_limits
from apikeys.api.counters import ClusterCounters
from apikeys.api.rate_limits import RateLimiter
from tests import programs, valkey_cluster
from tests.server import free_port
from tests.valkey_cluster import HOST, Cluster, Node, wait_until

# So many that each node counts for some of them.
CLIENTS = [str(number) for number in range(60)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with programs.needed(), valkey_cluster.cluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _one_minute() -> Iterator[None]:
    """Each counter stays on its node: the clock stands still."""
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, 15, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def limiter(cluster: Cluster) -> RateLimiter:
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
    """Which clients a request of each was counted for."""
    return {client: limiter.count("key", client, 100) is not None for client in CLIENTS}


def await_all_counted(limiter: RateLimiter) -> None:
    wait_until(lambda: all(counted(limiter).values()))


def clients_of(node: Node, limiter: RateLimiter) -> set[str]:
    """The clients that the node counts at this minute."""
    window = int(time.time()) // rate_limits.WINDOW_SECONDS
    server_of = limiter.counters.server_of
    return {client for client in CLIENTS if server_of(f"reflow/key/{client}/{window}") == node.name}


def test_incr_counts_on_one_node_each(cluster: Cluster, limiter: RateLimiter) -> None:
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
    await_all_counted(limiter)


def test_count_waits_once_for_a_node_that_hangs(cluster: Cluster, limiter: RateLimiter) -> None:
    assert all(counted(limiter).values())
    node = cluster.nodes[1]
    with away(cluster, node), socket.create_server((HOST, node.port)) as hung:
        assert not all(counted(limiter).values())
        hung.accept()[0].close()
        hung.settimeout(0)
        with pytest.raises(BlockingIOError):
            hung.accept()
    await_all_counted(limiter)


def test_a_cluster_that_comes_after_the_site_counts(cluster: Cluster, limiter: RateLimiter) -> None:
    with away(cluster, *cluster.nodes):
        assert not any(counted(limiter).values())
    await_all_counted(limiter)


def test_the_counters_are_well_when_every_node_answers(cluster: Cluster) -> None:
    counters = ClusterCounters(cluster.url)
    assert counters.servers() == {node.name: True for node in cluster.nodes}
    with away(cluster, cluster.nodes[2]):
        assert counters.servers() == {node.name: node is not cluster.nodes[2] for node in cluster.nodes}
    wait_until(lambda: all(counters.servers().values()))


def test_a_new_process_counts_on_the_nodes_that_are_there_before_any_knows_the_script(
    cluster: Cluster, limiter: RateLimiter
) -> None:
    with away(cluster, *cluster.nodes):
        cluster.nodes[1].start()
        cluster.nodes[2].start()
        wait_until(lambda: set(counted(limiter).values()) == {True, False})
        cluster.nodes[1].kill()
        cluster.nodes[2].kill()
    await_all_counted(limiter)


def why_uncounted(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Requests go on with counters that cannot be used, and one line says why."""
    limiter = RateLimiter(ClusterCounters(url))
    assert not any(counted(limiter).values())
    assert not all(limiter.counters.servers().values())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Rate limits are off: ")
    assert "hush" not in line
    assert "\n" not in line
    return line


PASSWORD = "hush@:/%"


def test_count_logs_a_wrong_password_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with with_all_slots("--requirepass", PASSWORD) as node:
        assert "already authenticated" in why_uncounted(f"redis+cluster://{node.name}", caplog)
        caplog.clear()
        assert "invalid" in why_uncounted(f"redis+cluster://:hush@{node.name}", caplog)
        counters = ClusterCounters(f"redis+cluster://:hush%40%3A%2F%25@{node.name}")
        assert counters.incr("reflow/key/1/1", 60) == 1
        assert all(counters.servers().values())


def test_count_logs_a_server_without_cluster_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with with_all_slots("--cluster-enabled", "no") as node:
        assert "Cluster mode is not enabled" in why_uncounted(f"redis+cluster://{node.name}", caplog)


def test_count_logs_nodes_without_slots_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with valkey_cluster.nodes(1) as (node,):
        why_uncounted(f"redis+cluster://{node.name}", caplog)


def test_incr_counts_over_tls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with with_all_slots("--cluster-announce-port", str(port)) as node, tls(tmp_path, port, node.port):
        why_uncounted(f"redis+cluster://{HOST}:{port}", caplog)
        caplog.clear()
        assert "CERTIFICATE_VERIFY_FAILED" in why_uncounted(f"rediss+cluster://{HOST}:{port}", caplog)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        counters = ClusterCounters(f"rediss+cluster://{HOST}:{port}")
        assert counters.incr("reflow/key/1/1", 60) == 1
        assert all(counters.servers().values())


@contextmanager
def with_all_slots(*options: str) -> Iterator[Node]:
    """A cluster of one node."""
    with programs.needed(), valkey_cluster.nodes(1, *options) as (node,):
        if "--cluster-enabled" not in options:
            with node.client() as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", 0, valkey_cluster.SLOTS - 1)
            wait_until(lambda: node.is_joined(1))
        yield node


@contextmanager
def tls(folder: Path, port: int, plain_port: int) -> Iterator[None]:
    """Listen with TLS in front of a server that was built without it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=node",
         "-addext", f"subjectAltName=IP:{HOST}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            """Either side has gone."""
        finally:
            target.close()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                client = context.wrap_socket(listener.accept()[0], server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            server = socket.create_connection((HOST, plain_port))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((HOST, port)))
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
