"""Writing what was counted, among others who write: never twice, and in nobody's way."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import pytest
from django.db import connection, transaction

from apikeys.models import ApiKey, StoreUsage, Usage
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from apikeys.usage.recorder import Recorder
from stores.models import Store
from tests.concurrency import wait_until
from tests.conftest import IssueKey
from tests.key_requests import make_request

pytestmark = [
    pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="It is about PostgreSQL."),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Threads that do something at the same time, each on a connection of its own."""
    with ThreadPoolExecutor() as pool:
        yield pool


def alone(work: Callable[[], object]) -> None:
    """Do it, and leave no connection behind."""
    try:
        work()
    finally:
        connection.close()


@contextmanager
def slow_commits() -> Iterator[None]:
    """Whoever notes a key's first use takes half a second to commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION take_your_time() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON apikeys_lastuse
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_your_time()
            """
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION take_your_time() CASCADE")


def test_write_counts_once_when_a_commit_breaks(
    key: ApiKey, elsewhere: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    handles: list[int] = []

    def write() -> None:
        connection.ensure_connection()
        handles.append(connection.connection.pgconn.socket)
        recorder.record(make_request(key))
        assert "cannot be written and is kept" in caplog.text
        connection.close()
        recorder.record(make_request(key))

    with slow_commits():
        writing = elsewhere.submit(alone, write)
        wait_until(1, "query = 'COMMIT' AND state = 'active'")
        with socket.socket(fileno=os.dup(handles[0])) as line:
            line.shutdown(socket.SHUT_RDWR)
        writing.result()
    assert Usage.objects.get().requests == StoreUsage.objects.get().requests == 2


def test_write_holds_up_no_deletion_of_key_or_store(
    issue: IssueKey, elsewhere: ThreadPoolExecutor, store: Store
) -> None:
    """Whatever a flush locks would hold the deletion up for as long as this transaction takes."""
    key, other = issue()[0], issue()[0]
    batch = Batch(uuid4(), 1)
    for one in (key, other):
        batch.add(make_request(one))
        batch.add(make_request(one, status_code=401, reason="api_key_expired"))
    with transaction.atomic():
        writer.write(batch)
        elsewhere.submit(alone, key.delete).result(timeout=60)
        elsewhere.submit(alone, store.delete).result(timeout=60)
    assert not ApiKey.objects.exists()
    assert sum(Usage.objects.values_list("requests", flat=True)) == 4


def test_write_by_two_at_once_does_not_deadlock(issue: IssueKey, elsewhere: ThreadPoolExecutor) -> None:
    keys = [issue()[0] for _ in range(20)]

    def write(order: list[ApiKey]) -> None:
        batch = Batch(uuid4(), 0)
        for _ in range(10):
            batch = batch.next_batch()
            for key in order:
                batch.add(make_request(key))
                batch.add(make_request(key, status_code=401, reason="api_key_expired"))
            writer.write(batch)

    writing = [elsewhere.submit(alone, partial(write, order)) for order in (keys, keys[::-1])]
    for future in writing:
        future.result()
    assert StoreUsage.objects.get(outcome="succeeded").requests == 400
