"""Counters of requests for rate limits: in this process, in one Redis or Valkey, or in a cluster."""

from abc import ABC, abstractmethod
from contextlib import suppress
from threading import Lock
from time import time
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from limits.errors import StorageError
from limits.storage import RedisClusterStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

# In a process's memory there are at most twice as many, of some 200 bytes each.
MAX_COUNTERS = 50_000
TIMEOUT_SECONDS = 0.25
# What redis-py raises when a cluster cannot be used. Only the first of them is turned into a StorageError by
# `limits`. An IndexError is that no node has a slot yet.
CLUSTER_FAILURES = (RedisError, RedisClusterException, IndexError)
CONNECT_RETRIES = 3


class Counters(ABC):
    """A place where requests are counted."""

    @abstractmethod
    def incr(self, key: str, expiry: int) -> int:
        """Add one to a counter that lasts ``expiry`` seconds, and return it. Raises StorageError."""

    def servers(self) -> dict[str, bool]:
        """Return the names of the servers that count, each with whether it answers."""
        return {}

    def server_of(self, key: str) -> str:
        """Return the name of the server that holds a counter; blank where one holds all."""
        return ""


class MemoryCounters(Counters):
    """Counters of this process. When there are too many, those that have not counted for longest go."""

    def __init__(self) -> None:
        self._counting = Lock()
        self._newer: dict[str, int] = {}
        self._older: dict[str, int] = {}
        self._older_at = 0.0

    def incr(self, key: str, expiry: int) -> int:
        now = time()
        with self._counting:
            # All grow older together: each is there for ``expiry`` seconds at least.
            if now >= self._older_at or len(self._newer) >= MAX_COUNTERS:
                self._older, self._newer = self._newer, {}
                self._older_at = now + expiry
            used = self._newer.get(key) or self._older.get(key, 0)
            self._newer[key] = used + 1
        return used + 1


class RedisCounters(Counters):
    """Counters in one Redis or Valkey."""

    def __init__(self, url: str) -> None:
        self._name = name_of(url)
        self._storage = RedisStorage(
            url,
            wrap_exceptions=True,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )

    def incr(self, key: str, expiry: int) -> int:
        return self._storage.incr(key, expiry)

    def servers(self) -> dict[str, bool]:
        return {self._name: self._storage.check()}


class ClusterCounters(Counters):
    """Counters in a Redis or Valkey Cluster, each on the node that has its slot.

    The first request connects, so that every command of the site runs while the cluster is away.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connecting = Lock()
        self._storage: RedisClusterStorage | None = None

    def incr(self, key: str, expiry: int) -> int:
        try:
            return self._connect().incr(key, expiry)
        except CLUSTER_FAILURES as error:
            # Connect again next time: what is known of the cluster is out of date.
            self._storage = None
            raise StorageError(error) from error

    def servers(self) -> dict[str, bool]:
        try:
            client = client_of(self._connect())
            return {node.name: answers(client, node) for node in client.get_primaries()}
        except (StorageError, *CLUSTER_FAILURES):
            return {name_of(self._url): False}

    def server_of(self, key: str) -> str:
        if (storage := self._storage) is None:
            return ""
        try:
            return str(client_of(storage).get_node_from_key(storage.prefixed_key(key)).name)
        except CLUSTER_FAILURES:
            return ""

    def _connect(self) -> RedisClusterStorage:
        """Return the storage, connected. Raises StorageError, and what is among CLUSTER_FAILURES.

        While one thread connects, others wait for it as long as for an answer, and no longer.
        """
        if (storage := self._storage) is not None:
            return storage
        if not self._connecting.acquire(timeout=TIMEOUT_SECONDS):
            raise StorageError(TimeoutError("another thread is connecting"))
        try:
            if self._storage is None:
                self._storage = connect(self._url)
            return self._storage
        finally:
            self._connecting.release()


def connect(url: str) -> RedisClusterStorage:
    """Connect to the cluster that the first node to answer belongs to."""
    parts = urlsplit(url)
    login = {"username": parts.username, "password": parts.password}
    storage = RedisClusterStorage(
        url,
        wrap_exceptions=True,
        ssl=parts.scheme == "rediss+cluster",
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # The slots of a node that is away are missing: counters on the others go on.
        require_full_coverage=False,
        # The first node that is asked may be the one that is away.
        retry=Retry(NoBackoff(), CONNECT_RETRIES),  # type: ignore[arg-type]  # passed on to RedisCluster
        **{name: unquote(value) for name, value in login.items() if value},
    )
    # From here on a request waits for one attempt: the limiter is who tries again.
    client_of(storage).set_retry(Retry(NoBackoff(), 0))
    load_script(storage)
    return storage


def answers(client: Any, node: Any) -> bool:
    """Return whether a node of the cluster answers."""
    try:
        return bool(client.ping(target_nodes=node))
    except CLUSTER_FAILURES:
        return False


def name_of(url: str) -> str:
    """Return the host of a URL, of a cluster the first one, or the path of a socket."""
    parts = urlsplit(url)
    return parts.hostname or parts.path


def load_script(storage: RedisClusterStorage) -> None:
    """Load the script that counts into each node.

    Where one does not know it, ``limits`` loads it into all of them, which fails while another one is away.
    """
    client = client_of(storage)
    for node in client.get_primaries():
        with suppress(*CLUSTER_FAILURES):
            client.get_redis_connection(node).script_load(storage.SCRIPT_INCR_EXPIRE)


def client_of(storage: RedisClusterStorage) -> Any:
    """Return the RedisCluster that counts, most of which has no types."""
    return storage.get_connection()


def make_counters() -> Counters:
    """Return the counters that REDIS_URL names, or those of this process."""
    if not settings.REDIS_URL:
        return MemoryCounters()
    is_cluster = urlsplit(settings.REDIS_URL).scheme.endswith("+cluster")
    return (ClusterCounters if is_cluster else RedisCounters)(settings.REDIS_URL)
