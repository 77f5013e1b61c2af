"""Answers to load balancers: by address, over HTTP, at once, even where nobody else answers."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings

from tests.conftest import new_rate_limiter
from tests.reflow.api.test_unavailable import away

# As a load balancer asks of a site that people reach over HTTPS by its name.
BY_ADDRESS = {"Host": "10.1.2.3:8000"}


@pytest.fixture
def client(settings: Any) -> Client:
    settings.SECURE_SSL_REDIRECT = True
    return Client(headers=BY_ADDRESS)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on which connections are accepted, by the system, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_alive_is_said_without_the_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_ready_is_whoever_reaches_database_and_limiter(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "limiter": "ok"})
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_named(client: Client) -> None:
    with away():
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "failed", "limiter": "ok"})


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server that could fall silent.")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_never_answers_holds_up_nobody(client: Client, silent: int) -> None:
    with away(HOST="127.0.0.1", PORT=str(silent), OPTIONS={"connect_timeout": 2}):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "failed", "limiter": "ok"})


@pytest.mark.django_db(transaction=True)
def test_counters_that_never_answer_hold_up_nobody(client: Client, silent: int) -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{silent}/0"):
        new_rate_limiter()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "limiter": "failed"})


@pytest.mark.django_db(transaction=True)
def test_readyz_says_that_there_is_no_mail_server(client: Client, settings: Any) -> None:
    settings.MAIL_SERVER = {}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["email"]) == (200, "EMAIL_URL is not set")
