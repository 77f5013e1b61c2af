"""Servers that several processes can count requests in, for all tests of rate limits."""

from collections.abc import Iterator

import pytest

from tests import programs, valkey, valkey_cluster
from tests.valkey_cluster import Cluster


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a server as long as a busy machine takes: what it answers is what matters."""
    monkeypatch.setattr("apikeys.api.counters.TIMEOUT_SECONDS", 60)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with programs.needed(), valkey.server() as url:
        yield url


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with programs.needed(), valkey_cluster.cluster() as cluster:
        yield cluster
