"""What the site's own PostgreSQL backend promises of a connection that it keeps."""

import os

import pytest
from django.db import connection

pytestmark = [
    pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="it is about PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def test_a_connection_that_stands_is_used_without_a_question() -> None:
    connection.ensure_connection()
    with connection.execute_wrapper(refuse):
        assert connection.is_usable()


def test_a_connection_that_the_server_has_ended_is_found_out() -> None:
    connection.ensure_connection()
    server_process = connection.connection.info.backend_pid
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [server_process])
        assert not connection.is_usable()
    finally:
        other.close()
        connection.close()


def refuse(*_: object) -> None:
    raise AssertionError("The server was asked.")
