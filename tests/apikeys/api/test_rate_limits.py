"""Limits, in memory and on a real Valkey. The clock stands still where a test counts."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import redis
import time_machine
from django.test import Client, RequestFactory
from django.urls import resolve
from prometheus_client import REGISTRY

from apikeys.api import counters as counters_module
from apikeys.api import rate_limits
from apikeys.api.call import ApiCall, get_call
from apikeys.api.counters import MemoryCounters, make_counters
from apikeys.api.rate_limits import RateLimiter
from tests import programs, valkey, valkey_cluster
from tests.conftest import IssueKey, bearer, new_rate_limiter
from tests.programs import wait_until

URL = "/v1/api-key/"
QUARTER_PAST = datetime(2026, 11, 23, 12, 0, 15, tzinfo=UTC)


def empty_server(request: pytest.FixtureRequest, name: str) -> str:
    """Return the address of a place that several processes can count in: ``valkey`` or ``cluster``."""
    if name == "valkey":
        url = str(request.getfixturevalue("valkey_url"))
        redis.Redis.from_url(url).flushall()
    else:
        url = request.getfixturevalue("cluster").url
        valkey_cluster.client(url).flushall()
    return url


@pytest.fixture(params=["valkey", "cluster"])
def limiters(request: pytest.FixtureRequest, settings: Any, patience: None) -> list[RateLimiter]:
    """Limiters of two processes, which count in one place."""
    settings.REDIS_URL = empty_server(request, request.param)
    return [RateLimiter(make_counters()) for _ in range(2)]


@pytest.fixture(params=["memory", "valkey", "cluster"])
def counters(request: pytest.FixtureRequest, settings: Any, patience: None) -> None:
    """Each place that requests can be counted in, empty."""
    settings.REDIS_URL = "" if request.param == "memory" else empty_server(request, request.param)
    new_rate_limiter()


def call(client: Client, plaintext: str) -> Any:
    return client.get(URL, headers=bearer(plaintext))


@pytest.mark.usefixtures("counters")
@time_machine.travel(QUARTER_PAST, tick=False)
def test_count_key_lets_in_as_many_requests_as_the_limit(
    client: Client, issue: IssueKey, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_KEY = 3
    _, plaintext = issue()
    answers = [call(client, plaintext) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit"] for answer in answers] == [f'"key";r={r};t=45' for r in (2, 1, 0, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"key";q=3;w=60'}
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert (refused["Retry-After"], refused["Cache-Control"]) == ("45", "no-store")


@time_machine.travel(QUARTER_PAST, tick=False)
@pytest.mark.django_db
def test_count_address_limits_requests_without_a_key(client: Client, settings: Any) -> None:
    settings.RATE_LIMIT_PER_ADDRESS = 2
    here = [client.get(URL).json()["code"] for _ in range(3)]
    assert here == ["api_key_missing", "api_key_missing", "rate_limited"]
    assert client.get(URL, REMOTE_ADDR="198.51.100.1").json()["code"] == "api_key_missing"


def test_count_failure_limits_wrong_keys_and_not_a_good_one_beside_them(
    client: Client, plaintext: str, settings: Any
) -> None:
    settings.RATE_LIMIT_FAILED_KEYS = 3
    wrong = f"0000000.{'0' * 27}"
    with time_machine.travel(QUARTER_PAST, tick=False) as clock:
        assert [call(client, wrong).json()["code"] for _ in range(3)] == ["api_key_invalid"] * 3
        refused = call(client, wrong)
        assert (refused.json()["code"], refused["Retry-After"]) == ("rate_limited", "45")
        assert call(client, plaintext).status_code == 200
        elsewhere = client.get(URL, headers=bearer(wrong), REMOTE_ADDR="198.51.100.1")
        assert elsewhere.json()["code"] == "api_key_invalid"
        clock.shift(60)
        assert call(client, wrong).json()["code"] == "api_key_invalid"


def test_count_lets_all_in_without_its_server_and_counts_again_later(
    client: Client, issue: IssueKey, settings: Any, valkey_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    new_rate_limiter()
    unlimited = REGISTRY.get_sample_value("reflow_unlimited_total") or 0
    _, plaintext = issue()
    answers = [call(client, plaintext) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json()["limits"] is None
    assert "RateLimit" not in answers[0]
    assert caplog.text.count("Rate limits are off") == 1
    assert (REGISTRY.get_sample_value("reflow_unlimited_total") or 0) == unlimited + 3
    settings.REDIS_URL = valkey_url
    rate_limits.limiter().counters = make_counters()
    wait_until(lambda: "RateLimit" in call(client, plaintext))
    assert caplog.text.count("Rate limits are on again") == 1


def test_count_waits_once_for_a_server_that_hangs(
    client: Client, issue: IssueKey, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "RETRY_SECONDS", 3600)
    _, plaintext = issue()
    with socket.create_server(("127.0.0.1", 0)) as hung:
        settings.REDIS_URL = f"redis://127.0.0.1:{hung.getsockname()[1]}/0"
        new_rate_limiter()
        assert [call(client, plaintext).status_code for _ in range(3)] == [200] * 3
        hung.accept()[0].close()
        hung.settimeout(0)
        with pytest.raises(BlockingIOError):
            hung.accept()


def test_a_full_disk_under_valkey_ends_limits_and_the_guides_configuration_brings_them_back(
    client: Client,
    issue: IssueKey,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    patience: None,
) -> None:
    guide = (Path(settings.BASE_DIR) / "reflow" / "deploy" / "README.md").read_text()
    shipped = re.search(r"printf '(.+)' >> /etc/valkey/valkey.conf", guide)
    assert shipped
    _, plaintext = issue()
    with (
        programs.needed(),
        # No file may have a byte, as on a full disk.
        valkey.own_valkey("3600 1", ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]) as full,
        redis.Redis.from_url(full.url) as server,
    ):
        settings.REDIS_URL = full.url
        new_rate_limiter()
        assert "RateLimit" in call(client, plaintext)
        server.bgsave()
        wait_until(lambda: server.info("persistence")["rdb_last_bgsave_status"] == "err")
        answer = call(client, plaintext)
        assert (answer.status_code, "RateLimit" in answer) == (200, False)
        assert not all(rate_limits.limiter().counters.servers().values())
        assert "Rate limits are off: their counters cannot be reached (MISCONF" in caplog.text
        for line in shipped[1].split(r"\n")[:-1]:
            name, value = line.split()
            server.config_set(name, value.strip('"'))
        wait_until(lambda: "RateLimit" in call(client, plaintext))
        assert caplog.text.count("Rate limits are on again") == 1
        server.shutdown()  # raises if it would not


@time_machine.travel(QUARTER_PAST, tick=False)
def test_count_shares_one_limit_among_processes(limiters: list[RateLimiter]) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = threads.map(lambda number: limiters[number % 2].count("key", "shared", 200), range(300))
        assert sum(not allowance.is_exceeded for allowance in taken if allowance) == 200


def test_servers_asked_by_many_threads_at_once_are_found(limiters: list[RateLimiter]) -> None:
    together = Barrier(8)

    def ask(limiter: RateLimiter) -> bool:
        together.wait()
        return all(limiter.counters.servers().values())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, limiters[:1] * 8))


def test_incr_keeps_a_counter_while_it_counts_and_not_for_ever() -> None:
    counters = MemoryCounters()
    with time_machine.travel(QUARTER_PAST, tick=False) as clock:
        for used in (1, 2, 3, 4):
            assert counters.incr("reflow/key/1", 60) == used
            clock.shift(59)
        for other in ("reflow/key/2", "reflow/key/3"):
            clock.shift(60)
            assert counters.incr(other, 60) == 1
        assert counters.incr("reflow/key/1", 60) == 1


def test_incr_forgets_the_oldest_of_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters_module, "MAX_COUNTERS", 10)
    counters = MemoryCounters()
    used = [(counters.incr("busy", 60), counters.incr(f"reflow/key/{number}", 60)) for number in range(50)]
    assert used == [(number, 1) for number in range(1, 51)]
    assert counters.incr("reflow/key/0", 60) == 1
    assert counters.incr("reflow/key/49", 60) == 2


@time_machine.travel(QUARTER_PAST, tick=False)
def test_a_foreign_address_uses_up_its_own_limit_not_the_keys(
    client: Client, issue: IssueKey, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_KEY, settings.RATE_LIMIT_PER_ADDRESS = 2, 3
    key, plaintext = issue(allowed_addresses=["192.0.2.1"])
    thief = [client.get(URL, headers=bearer(plaintext), REMOTE_ADDR="203.0.113.9") for _ in range(4)]
    assert [answer.json()["code"] for answer in thief] == ["address_not_allowed"] * 3 + ["rate_limited"]
    owner = [client.get(URL, headers=bearer(plaintext), REMOTE_ADDR="192.0.2.1") for _ in range(3)]
    assert [answer.status_code for answer in owner] == [200, 200, 429]
    # Beyond its address's limit, a request is no more the key's than one without a key.
    refused = key.usage.filter(outcome="refused").values_list("reason", "requests")
    assert dict(refused) == {"address_not_allowed": 3, "rate_limited": 1}


@time_machine.travel(QUARTER_PAST, tick=False)
@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic Zm9v"])
def test_count_failure_limits_headers_without_a_key(client: Client, settings: Any, header: str) -> None:
    settings.RATE_LIMIT_FAILED_KEYS = 2
    answers = [client.get(URL, headers={"Authorization": header}).status_code for _ in range(3)]
    assert answers == [401, 401, 429]


@time_machine.travel(QUARTER_PAST, tick=False)
def test_a_view_that_runs_again_counts_once(rf: RequestFactory, issue: IssueKey, settings: Any) -> None:
    settings.RATE_LIMIT_PER_KEY = 1
    _, plaintext = issue()
    request = rf.get(URL, headers=bearer(plaintext))
    request.api_call = ApiCall()  # type: ignore[attr-defined]
    assert [resolve(URL).func(request).status_code for _ in range(2)] == [200, 200]
    allowance = get_call(request).allowance
    assert allowance is not None
    assert allowance.used == 1
