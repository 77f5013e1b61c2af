"""Counting: nothing lost, nothing doubled, nothing written while a client waits."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, HourlyUsage, LastUse, LoggedRequest, StoreUsage, Usage, UsageWriter
from apikeys.usage import batch, writer
from apikeys.usage import recorder as recording
from apikeys.usage.recorder import Recorder
from stores.models import Store
from tests.conftest import bearer, with_wrong_secret
from tests.key_requests import NOON, make_request, write_usage


def rows(key: ApiKey) -> list[tuple[str, str, str, int]]:
    counted = Usage.objects.filter(key=key).order_by("day", "resource", "access", "outcome")
    return list(counted.values_list("resource", "access", "outcome", "requests"))


def test_write_counts_by_day_resource_access_outcome_and_reason(key: ApiKey) -> None:
    refused = {"status_code": 401, "reason": "resource_not_allowed"}
    limited = make_request(key, status_code=429, reason="rate_limited", access="")
    write_usage(
        make_request(key),
        make_request(key, at=NOON + timedelta(minutes=5)),
        make_request(key, status_code=404, reason="not_found"),
        make_request(key, status_code=500, reason="server_error"),
        make_request(key, access="write", method="PATCH"),
        make_request(key, resource="", access=""),
        make_request(key, **refused),
        make_request(key, **refused, at=NOON + timedelta(hours=3)),
        make_request(key, **refused, access="write"),
        make_request(key, at=NOON + timedelta(days=1)),
        limited,
    )
    write_usage(limited)
    counted = Usage.objects.order_by("day", "resource", "access", "outcome")
    assert list(counted.values_list("resource", "access", "outcome", "reason", "requests")) == [
        ("", "", "succeeded", "", 1),
        ("orders", "", "refused", "rate_limited", 2),
        ("orders", "read", "failed", "", 2),
        ("orders", "read", "refused", "resource_not_allowed", 2),
        ("orders", "read", "succeeded", "", 2),
        ("orders", "write", "refused", "resource_not_allowed", 1),
        ("orders", "write", "succeeded", "", 1),
        ("orders", "read", "succeeded", "", 1),
    ]
    totals = StoreUsage.objects.order_by("day", "outcome").values_list("outcome", "requests")
    assert list(totals) == [("failed", 2), ("refused", 5), ("succeeded", 4), ("succeeded", 1)]
    assert counted[3].last_at == NOON + timedelta(hours=3)


def test_write_keeps_the_newest_request_whoever_writes_last(key: ApiKey) -> None:
    late = {"status_code": 401, "method": "PATCH", "client": "late"}
    write_usage(make_request(key, at=NOON + timedelta(seconds=1), **late))
    assert LastUse.objects.get(key=key).used_at is None
    # The clock may have been set back in the middle of a batch.
    write_usage(make_request(key, client="early"), make_request(key, at=NOON - timedelta(minutes=9)))
    assert Usage.objects.get(key=key, outcome="succeeded").last_at == NOON
    last = LastUse.objects.get(key=key)
    assert (last.at, last.client, str(last)) == (NOON + timedelta(seconds=1), "late", "PATCH orders, 401")
    assert last.used_at == NOON
    write_usage(make_request(key, at=NOON + timedelta(seconds=2), status_code=401))
    last.refresh_from_db()
    assert (last.used_at, last.at) == (NOON, NOON + timedelta(seconds=2))


class Interrupted(str):
    """A name that lets another thread go on whenever a counter is looked up by it."""

    def __hash__(self) -> int:
        time.sleep(0)
        return super().__hash__()


@pytest.mark.usefixtures("patient")
def test_record_loses_nothing_among_threads(key: ApiKey) -> None:
    recorder = Recorder()
    orders, hour = Interrupted("orders"), timedelta(hours=1)
    requests = [make_request(key, resource=orders, at=NOON - number // 8 * hour) for number in range(80)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(recorder.record, requests))
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 80)]


def test_write_counts_for_a_deleted_key(key: ApiKey, owner: User) -> None:
    write_usage(make_request(key))
    after = make_request(key)
    lifecycle.delete_key(key, by=Actor(owner))
    write_usage(after)
    assert Usage.objects.get(key=after.key_id).requests == StoreUsage.objects.get().requests == 2


def away(*args: Any) -> None:
    raise OperationalError("the database is away")


def measured(name: str) -> float:
    """A figure that operators read on /metrics."""
    return REGISTRY.get_sample_value(name) or 0


@pytest.mark.usefixtures("patient")
def test_flush_keeps_what_cannot_be_written(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = measured("reflow_usage_failures_total")
    recorder = Recorder()
    with monkeypatch.context() as outage:
        outage.setattr(writer, "write", away)
        for second in range(3):
            recorder.record(make_request(key, at=NOON + timedelta(seconds=second), milliseconds=second))
            recorder.flush()
        assert measured("reflow_usage_waiting") == 1
        assert measured("reflow_usage_failures_total") == failures + 3
    recorder.flush()
    assert measured("reflow_usage_waiting") == 0
    assert rows(key) == [("orders", "read", "succeeded", 3)]
    assert LastUse.objects.get(key=key).at == NOON + timedelta(seconds=2)
    recorder.flush()
    assert sorted(LoggedRequest.objects.values_list("milliseconds", flat=True)) == [0, 1, 2]
    assert [record.message for record in caplog.records] == [
        "The usage of API keys cannot be written and is kept",
        "The usage of API keys is written again",
    ]


@pytest.mark.usefixtures("patient")
def test_finish_writes_what_has_gathered(key: ApiKey) -> None:
    recorder = Recorder()
    recorder.record(make_request(key))
    recorder.finish()
    assert rows(key) == [("orders", "read", "succeeded", 1)]


@pytest.mark.usefixtures("patient")
def test_finish_logs_what_is_lost(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(writer, "write", away)
    recorder.record(make_request(key))
    recorder.flush()
    recorder.record(make_request(key))
    recorder.finish()
    assert "2 requests with API keys went uncounted: the process has ended" in caplog.text


def test_write_counts_a_batch_once(key: ApiKey) -> None:
    batch = write_usage(make_request(key))
    writer.write(batch)
    assert rows(key) == [("orders", "read", "succeeded", 1)]
    following = batch.next_batch()
    following.add(make_request(key))
    writer.write(following)
    assert rows(key) == [("orders", "read", "succeeded", 2)]
    assert str(UsageWriter.objects.get()) == f"{batch.writer}, 2"


@pytest.mark.usefixtures("patient")
def test_flush_drops_a_batch_that_the_database_refuses(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost = measured("reflow_usage_lost_total")
    recorder = Recorder()
    recorder.record(make_request(key))

    def refuse(*args: Any) -> None:
        raise DataError("no such value")

    with monkeypatch.context() as strict:
        strict.setattr(writer, "write", refuse)
        recorder.flush()
    assert "1 requests with API keys went uncounted: they were refused" in caplog.text
    assert measured("reflow_usage_lost_total") == lost + 1
    recorder.record(make_request(key))
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 1)]


@pytest.mark.usefixtures("patient")
def test_recorder_bounds_counters_and_log_and_says_what_is_missing(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost, unlogged = (measured(f"reflow_{name}_total") for name in ("usage_lost", "requests_unlogged"))
    monkeypatch.setattr(batch, "MAX_COUNTERS", 1)
    monkeypatch.setattr(batch, "MAX_LOGGED_REQUESTS", 2)
    recorder = Recorder()
    for resource in ("orders", "customers", "orders"):
        recorder.record(make_request(key, resource=resource))
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 2)]
    assert LoggedRequest.objects.count() == 2
    assert "1 requests with API keys went uncounted: too much is waiting" in caplog.text
    assert "1 requests are missing from the request log: too much is waiting" in caplog.text
    assert measured("reflow_usage_lost_total") == lost + 1
    assert measured("reflow_requests_unlogged_total") == unlogged + 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("log", "logged"), [("all", [200, 401, 500]), ("errors", [401, 500]), ("off", [])])
def test_request_log_setting_says_what_is_logged(
    key: ApiKey, settings: Any, log: str, logged: list[int]
) -> None:
    settings.REQUEST_LOG = log
    recorder = Recorder()
    for status, reason in ((200, None), (401, "api_key_expired"), (500, "server_error")):
        recorder.record(make_request(key, status_code=status, reason=reason))
    recorder.flush()
    assert sorted(LoggedRequest.objects.values_list("status", flat=True)) == logged
    assert sum(requests for *_, requests in rows(key)) == 3


def test_write_counts_by_hour(key: ApiKey, store: Store) -> None:
    served = [make_request(key, at=NOON + timedelta(minutes=minutes)) for minutes in (0, 59, 60)]
    write_usage(*served, make_request(key, status_code=401, reason="api_key_expired"))
    write_usage(make_request(key))
    counted = HourlyUsage.objects.filter(store=store).order_by("hour", "outcome")
    assert list(counted.values_list("key", "hour", "outcome", "requests")) == [
        (key.pk, NOON, "refused", 1),
        (key.pk, NOON, "succeeded", 3),
        (key.pk, NOON + timedelta(hours=1), "succeeded", 1),
    ]


@pytest.mark.usefixtures("patient")
def test_restart_begins_from_nothing(key: ApiKey) -> None:
    recording.record(make_request(key))
    recording._restart()
    recording.flush()
    assert rows(key) == []


@pytest.mark.usefixtures("patient")
def test_api_key_writes_nothing_before_its_answer(client: Client, key: ApiKey, plaintext: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    assert [query["sql"] for query in queries if not query["sql"].lstrip().startswith("SELECT")] == []
    assert rows(key) == []
    recording.flush()
    assert rows(key) == [("", "", "succeeded", 1)]


def test_api_key_counts_before_its_answer_with_an_interval_of_zero(
    client: Client, key: ApiKey, plaintext: str
) -> None:
    client.get("/v1/api-key/", headers=bearer(plaintext) | {"User-Agent": "x" * 500})
    assert rows(key) == [("", "", "succeeded", 1)]
    last = LastUse.objects.get(key=key)
    assert (last.address, last.client) == ("127.0.0.1", "x" * 200)


def test_api_key_counts_a_wrong_secret_for_nobody(client: Client, key: ApiKey, plaintext: str) -> None:
    client.get("/v1/api-key/", headers=bearer(with_wrong_secret(plaintext)))
    assert rows(key) == []


def test_api_key_counts_an_unknown_method(client: Client, key: ApiKey, plaintext: str) -> None:
    client.generic("PROPFINDANDMORE", "/v1/api-key/", headers=bearer(plaintext))
    assert LastUse.objects.get(key=key).method == "PROPFINDAN"
