"""Writing what was counted, among others who write: never twice, and in nobody's way."""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from apikeys.models import ApiKeyUsage, StoreUsage
from apikeys.usage.recorder import Recorder
from stores.models import Store
from tests.backends import wait_until
from tests.conftest import IssueKey
from tests.key_requests import make_request

pytestmark = [
    pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="It is about PostgreSQL."),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Where others do something at the same time, each on a connection of its own."""
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


def test_a_connection_that_breaks_while_it_commits_makes_nothing_count_twice(
    issue: IssueKey, elsewhere: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
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
    assert ApiKeyUsage.objects.get().requests == StoreUsage.objects.get().requests == 2


def test_a_store_is_deleted_while_its_requests_are_counted(
    issue: IssueKey, elsewhere: ThreadPoolExecutor, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    key, _ = issue()
    recorder = Recorder()
    recorder.record(make_request(key))
    with transaction.atomic(), connection.cursor() as cursor:
        # Holds up the deletion half-way, when the usage is gone and the key is not.
        cursor.execute("SELECT id FROM apikeys_apikey FOR KEY SHARE")
        deleting = elsewhere.submit(alone, store.delete)
        wait_until(1, "wait_event_type = 'Lock'")
        counting = elsewhere.submit(alone, lambda: recorder.record(make_request(key)))
        wait_until(2, "wait_event_type = 'Lock'")
    deleting.result()
    counting.result()
    assert caplog.text == ""
    assert not Store.objects.exists()
    assert not ApiKeyUsage.objects.exists()
