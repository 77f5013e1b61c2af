"""Counting: nothing lost, nothing doubled, nothing written while a client waits."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import DataError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import (
    ApiKey,
    HourlyUsage,
    LastUse,
    LoggedRequest,
    StoreUsage,
    Usage,
    UsageWriter,
)
from apikeys.usage import batch, writer
from apikeys.usage import recorder as recording
from apikeys.usage.batch import Batch
from apikeys.usage.recorder import Recorder
from stores.models import Store
from tests.conftest import IssueKey, bearer
from tests.key_requests import NOON, make_request


@pytest.fixture
def patient(settings: Any) -> Iterator[None]:
    """Usage waits in memory until the test writes it."""
    settings.USAGE_FLUSH_SECONDS = 3600
    yield
    recording._restart()


def rows(key: ApiKey) -> list[tuple[str, str, str, int]]:
    counted = Usage.objects.filter(key=key).order_by("day", "resource", "access", "outcome")
    return list(counted.values_list("resource", "access", "outcome", "requests"))


@pytest.mark.usefixtures("patient")
def test_requests_are_counted_by_day_resource_access_and_outcome(issue: IssueKey) -> None:
    key, _ = issue()
    recorder = Recorder()
    for use in (
        make_request(key),
        make_request(key, at=NOON + timedelta(minutes=5)),
        make_request(key, status_code=401),
        make_request(key, status_code=429),
        make_request(key, status_code=404),
        make_request(key, status_code=500),
        make_request(key, access="write", method="PATCH"),
        make_request(key, resource="", access=""),
        make_request(key, at=NOON + timedelta(days=1)),
    ):
        recorder.record(use)
    recorder.flush()
    assert rows(key) == [
        ("", "", "succeeded", 1),
        ("orders", "read", "failed", 2),
        ("orders", "read", "refused", 2),
        ("orders", "read", "succeeded", 2),
        ("orders", "write", "succeeded", 1),
        ("orders", "read", "succeeded", 1),
    ]
    newest = Usage.objects.get(key=key, day=NOON.date(), access="read", outcome="succeeded")
    assert newest.last_at == NOON + timedelta(minutes=5)


@pytest.mark.usefixtures("patient")
def test_the_store_has_what_its_keys_add_up_to(issue: IssueKey, store: Store) -> None:
    recorder = Recorder()
    for _ in range(2):
        key, _plaintext = issue()
        recorder.record(make_request(key))
        recorder.record(make_request(key, resource="customers"))
        recorder.record(make_request(key, status_code=401))
    recorder.flush()
    totals = StoreUsage.objects.filter(store=store).values_list("day", "outcome", "requests")
    assert sorted(totals) == [(NOON.date(), "refused", 2), (NOON.date(), "succeeded", 4)]


@pytest.mark.usefixtures("patient")
def test_flushes_add_up(issue: IssueKey) -> None:
    key, _ = issue()
    recorder = Recorder()
    for _ in range(3):
        recorder.record(make_request(key))
        recorder.flush()
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 3)]
    assert StoreUsage.objects.get().requests == 3


@pytest.mark.usefixtures("patient")
def test_the_newest_request_is_kept_whoever_writes_last(issue: IssueKey) -> None:
    key, _ = issue()
    early, late = Recorder(), Recorder()
    early.record(make_request(key, client="early"))
    late.record(
        make_request(key, at=NOON + timedelta(seconds=1), status_code=401, method="PATCH", client="late")
    )
    late.flush()
    assert LastUse.objects.get(key=key).used_at is None
    early.flush()
    last = LastUse.objects.get(key=key)
    assert (last.at, last.client, str(last)) == (NOON + timedelta(seconds=1), "late", "PATCH orders, 401")
    assert last.used_at == NOON
    late.record(make_request(key, at=NOON + timedelta(seconds=2), status_code=401))
    late.flush()
    last.refresh_from_db()
    assert (last.used_at, last.at) == (NOON, NOON + timedelta(seconds=2))


@pytest.mark.usefixtures("patient")
def test_threads_lose_nothing(issue: IssueKey) -> None:
    key, _ = issue()
    recorder = Recorder()

    def work() -> None:
        for _ in range(500):
            recorder.record(make_request(key))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 4000)]


@pytest.mark.usefixtures("patient")
def test_what_a_deleted_key_did_stays_counted(issue: IssueKey, owner: User) -> None:
    key, _ = issue()
    recorder = Recorder()
    recorder.record(make_request(key))
    recorder.flush()
    recorder.record(make_request(key))
    key_id = key.pk
    lifecycle.delete_key(key, by=Actor(owner))
    recorder.flush()
    assert Usage.objects.get(key=key_id).requests == StoreUsage.objects.get().requests == 2


def away(*args: Any) -> None:
    raise OperationalError("the database is away")


def measured(name: str) -> float:
    """What operators are told on /metrics."""
    return REGISTRY.get_sample_value(name) or 0


@pytest.mark.usefixtures("patient")
def test_what_cannot_be_written_is_kept(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    failures = measured("reflow_usage_failures_total")
    recorder = Recorder()
    with monkeypatch.context() as outage:
        outage.setattr(writer, "write", away)
        for second in range(3):
            recorder.record(make_request(key, at=NOON + timedelta(seconds=second)))
            recorder.flush()
        assert measured("reflow_usage_waiting") == 1
        assert measured("reflow_usage_failures_total") == failures + 3
    recorder.flush()
    assert measured("reflow_usage_waiting") == 0
    assert rows(key) == [("orders", "read", "succeeded", 3)]
    assert LastUse.objects.get(key=key).at == NOON + timedelta(seconds=2)
    assert [record.message for record in caplog.records] == [
        "The usage of API keys cannot be written and is kept",
        "The usage of API keys is written again",
    ]


def test_an_answer_does_not_wait_for_a_database_that_is_away(
    client: Client, issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, plaintext = issue()
    with monkeypatch.context() as outage:
        outage.setattr(writer, "write", away)
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    assert rows(key) == []
    assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    assert rows(key) == [("", "", "succeeded", 2)]


@pytest.mark.usefixtures("patient")
def test_what_is_lost_at_the_end_is_said(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    recorder = Recorder()
    monkeypatch.setattr(writer, "write", away)
    recorder.record(make_request(key))
    recorder.flush()
    recorder.record(make_request(key))
    recorder.finish()
    assert "2 requests with API keys went uncounted: the process has ended" in caplog.text


def test_a_batch_that_is_handed_in_again_counts_once(issue: IssueKey) -> None:
    key, _ = issue()
    batch = Batch(uuid4(), 1)
    batch.add(make_request(key))
    writer.write(batch)
    writer.write(batch)
    assert rows(key) == [("orders", "read", "succeeded", 1)]
    following = batch.next_batch()
    following.add(make_request(key))
    writer.write(following)
    assert rows(key) == [("orders", "read", "succeeded", 2)]
    assert str(UsageWriter.objects.get()) == f"{batch.writer}, 2"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("flushed_between", [True, False])
def test_a_clock_that_is_set_back_loses_and_ages_nothing(issue: IssueKey, *, flushed_between: bool) -> None:
    key, _ = issue()
    recorder = Recorder()
    recorder.record(make_request(key, client="before"))
    if flushed_between:
        recorder.flush()
    recorder.record(make_request(key, at=NOON - timedelta(hours=1), client="after"))
    recorder.flush()
    counted = Usage.objects.get(key=key)
    assert (counted.requests, counted.last_at) == (2, NOON)
    last = LastUse.objects.get(key=key)
    assert (last.at, last.client) == (NOON, "before")


@pytest.mark.usefixtures("patient")
def test_what_can_never_be_written_holds_up_nothing(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
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


def test_asking_for_options_is_no_write(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue(access=["orders:write"])
    client.options("/v1/stores/267418190/orders/", headers=bearer(plaintext))
    assert rows(key) == [("orders", "read", "succeeded", 1)]


@pytest.mark.usefixtures("patient")
def test_memory_is_bounded_and_what_is_dropped_is_said(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    monkeypatch.setattr(batch, "MAX_COUNTERS", 1)
    recorder = Recorder()
    recorder.record(make_request(key))
    recorder.record(make_request(key, resource="customers"))
    recorder.record(make_request(key))
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 2)]
    assert "1 requests with API keys went uncounted" in caplog.text


@pytest.mark.usefixtures("patient")
def test_the_request_log_is_bounded_and_what_is_missing_is_said(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    unlogged = measured("reflow_requests_unlogged_total")
    monkeypatch.setattr(batch, "MAX_LOGGED_REQUESTS", 2)
    recorder = Recorder()
    for _ in range(3):
        recorder.record(make_request(key))
    recorder.flush()
    assert rows(key) == [("orders", "read", "succeeded", 3)]
    assert LoggedRequest.objects.count() == 2
    assert "1 requests are missing from the request log: too much is waiting" in caplog.text
    assert measured("reflow_requests_unlogged_total") == unlogged + 1


@pytest.mark.usefixtures("patient")
def test_the_request_log_is_kept_while_the_database_is_away_and_written_once(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = issue()
    recorder = Recorder()
    with monkeypatch.context() as outage:
        outage.setattr(writer, "write", away)
        for number in range(3):
            recorder.record(make_request(key, milliseconds=number))
            recorder.flush()
    recorder.flush()
    recorder.flush()
    assert sorted(LoggedRequest.objects.values_list("milliseconds", flat=True)) == [0, 1, 2]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("log", "logged"), [("all", [200, 401, 500]), ("errors", [401, 500]), ("off", [])])
def test_what_is_logged_is_set(issue: IssueKey, settings: Any, log: str, logged: list[int]) -> None:
    settings.REQUEST_LOG = log
    key, _ = issue()
    recorder = Recorder()
    for status, reason in ((200, None), (401, "api_key_expired"), (500, "server_error")):
        recorder.record(make_request(key, status_code=status, reason=reason))
    recorder.flush()
    assert sorted(LoggedRequest.objects.values_list("status", flat=True)) == logged
    assert sum(requests for *_, requests in rows(key)) == 3


@pytest.mark.usefixtures("patient")
def test_refused_requests_are_counted_by_day_access_and_reason(issue: IssueKey) -> None:
    key, _ = issue()
    recorder = Recorder()
    refused = {"status_code": 401, "reason": "resource_not_allowed"}
    for request in (
        make_request(key, **refused),
        make_request(key, **refused, at=NOON + timedelta(hours=3)),
        make_request(key, **refused, at=NOON + timedelta(days=1)),
        make_request(key, **refused, access="write"),
        make_request(key, status_code=429, reason="rate_limited", access=""),
        make_request(key, status_code=404, reason="not_found"),
        make_request(key),
    ):
        recorder.record(request)
    recorder.flush()
    recorder.record(make_request(key, status_code=429, reason="rate_limited", access=""))
    recorder.flush()
    counted = Usage.objects.filter(key=key, outcome="refused").order_by("day", "reason", "access")
    assert list(counted.values_list("day", "resource", "access", "reason", "requests")) == [
        (NOON.date(), "orders", "", "rate_limited", 2),
        (NOON.date(), "orders", "read", "resource_not_allowed", 2),
        (NOON.date(), "orders", "write", "resource_not_allowed", 1),
        (NOON.date() + timedelta(days=1), "orders", "read", "resource_not_allowed", 1),
    ]
    twice = counted.get(access="read", day=NOON.date())
    assert twice.last_at == NOON + timedelta(hours=3)
    assert set(Usage.objects.exclude(outcome="refused").values_list("reason", flat=True)) == {""}


@pytest.mark.usefixtures("patient")
def test_requests_are_counted_by_hour_for_their_store_too(issue: IssueKey, store: Store) -> None:
    key, _ = issue()
    recorder = Recorder()
    for minutes in (0, 59, 60):
        recorder.record(make_request(key, at=NOON + timedelta(minutes=minutes)))
    recorder.record(make_request(key, status_code=401, reason="api_key_expired"))
    recorder.flush()
    recorder.record(make_request(key))
    recorder.flush()
    counted = HourlyUsage.objects.filter(store=store).order_by("hour", "outcome")
    assert list(counted.values_list("key", "hour", "outcome", "requests")) == [
        (key.pk, NOON, "refused", 1),
        (key.pk, NOON, "succeeded", 3),
        (key.pk, NOON + timedelta(hours=1), "succeeded", 1),
    ]


@pytest.mark.usefixtures("patient")
def test_a_fork_starts_from_nothing(issue: IssueKey) -> None:
    key, _ = issue()
    recording.record(make_request(key))
    recording._restart()
    recording.flush()
    assert rows(key) == []


@pytest.mark.usefixtures("patient")
def test_nothing_is_written_while_the_client_waits(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    assert [query["sql"] for query in queries if not query["sql"].lstrip().startswith("SELECT")] == []
    assert rows(key) == []
    recording.flush()
    assert rows(key) == [("", "", "succeeded", 1)]


def test_with_an_interval_of_zero_the_count_is_there_before_the_answer(
    client: Client, issue: IssueKey
) -> None:
    key, plaintext = issue()
    client.get("/v1/api-key/", headers=bearer(plaintext) | {"User-Agent": "x" * 500})
    assert rows(key) == [("", "", "succeeded", 1)]
    last = LastUse.objects.get(key=key)
    assert (last.address, last.client) == ("127.0.0.1", "x" * 200)


@pytest.mark.parametrize("state", ["inactive", "expired"])
def test_a_dead_keys_requests_count_as_refused(
    client: Client, issue: IssueKey, owner: User, state: str
) -> None:
    key, plaintext = issue()
    field = "deactivated_at" if state == "inactive" else "expires_at"
    ApiKey.objects.filter(pk=key.pk).update(**{field: NOON - timedelta(days=999)})
    client.get("/v1/api-key/", headers=bearer(plaintext))
    assert rows(key) == [("", "", "refused", 1)]


def test_a_wrong_secret_counts_for_nobody(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    client.get("/v1/api-key/", headers=bearer(plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1")))
    assert rows(key) == []


def test_a_strange_method_is_counted_all_the_same(client: Client, issue: IssueKey) -> None:
    key, plaintext = issue()
    client.generic("PROPFINDANDMORE", "/v1/api-key/", headers=bearer(plaintext))
    assert LastUse.objects.get(key=key).method == "PROPFINDAN"
