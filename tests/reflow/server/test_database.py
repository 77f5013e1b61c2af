"""Connections of a web process to PostgreSQL."""

import os
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from django.db import NotSupportedError, close_old_connections, connection
from django.test import Client

from reflow.server import request_deadline
from reflow.server.database import close_ended_connections, configure_connection
from tests.conftest import bearer

pytestmark = [
    pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="It is about PostgreSQL."),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _connection_of_its_own() -> Iterator[None]:
    connection.ensure_connection()
    yield
    connection.close()


@pytest.fixture
def prepared() -> Iterator[None]:
    """Connections that prepare every query, as PREPARE_THRESHOLD makes them."""
    options = connection.settings_dict["OPTIONS"]
    kept = dict(options)
    connection.close()
    options.update(server_side_binding=True, prepare_threshold=0)
    connection.ensure_connection()
    yield
    connection.close()
    options.clear()
    options.update(kept)


def read(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchone()[0])


def test_a_query_of_the_site_may_take_so_long_and_zero_is_no_limit(settings: Any) -> None:
    assert read("SHOW statement_timeout") == read("SHOW lock_timeout") == "0"
    for seconds, limit in ((0, "0"), (1.5, "1500ms")):
        settings.DATABASE_TIMEOUT_SECONDS = seconds
        configure_connection(connection)
        assert read("SHOW statement_timeout") == read("SHOW lock_timeout") == limit


@pytest.mark.parametrize(("threshold", "set_to"), [(0, None), (5, 5)])
def test_a_web_process_prepares_statements_and_nothing_else_does(
    settings: Any, threshold: int, set_to: int | None
) -> None:
    settings.PREPARE_THRESHOLD = threshold
    connection.ensure_connection()
    assert connection.connection.prepare_threshold is None
    configure_connection(connection)
    assert connection.connection.prepare_threshold == set_to


def test_a_connection_that_the_server_has_ended_costs_no_request(client: Client, plaintext: str) -> None:
    close_ended_connections()
    pid = connection.connection.info.backend_pid  # it was left open
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    close_ended_connections()
    assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200


@pytest.mark.parametrize("ended_by", ["the server", "the site"])
def test_a_query_that_takes_too_long_is_answered_503(
    settings: Any, client: Client, plaintext: str, ended_by: str
) -> None:
    settings.DATABASE_TIMEOUT_SECONDS = 0.3
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE apikeys_apikey")
            if ended_by == "the server":
                configure_connection(connection)
            else:
                Thread(target=request_deadline.watch, daemon=True).start()
            response = client.get("/v1/api-key/", headers=bearer(plaintext))
    finally:
        other.close()
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"]
    close_old_connections()  # as Django does after each request, the test client's aside
    assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200


@pytest.mark.usefixtures("prepared")
def test_a_column_that_changes_its_type_costs_one_503(client: Client, plaintext: str) -> None:
    for _ in range(3):
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    other = connection.copy()
    column = "ALTER TABLE apikeys_apikey ALTER COLUMN name TYPE"
    try:
        with other.cursor() as cursor:
            cursor.execute(f"{column} varchar(5000)")
        response = client.get("/v1/api-key/", headers=bearer(plaintext))
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert response["Retry-After"]
        assert client.get("/v1/api-key/", headers=bearer(plaintext)).status_code == 200
    finally:
        connection.close()
        with other.cursor() as cursor:
            cursor.execute(f"{column} varchar(100)")
        other.close()


def test_other_features_that_are_not_supported_stay_mistakes_of_ours() -> None:
    client = Client(raise_request_exception=False)

    def refuse(*_: Any) -> None:
        raise NotSupportedError("Not by Django")

    with connection.execute_wrapper(refuse):
        assert client.get("/v1/stores/267418190/").status_code == 500
