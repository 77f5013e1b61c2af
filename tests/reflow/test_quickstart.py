"""The command behind ``make run``. tests/test_end_to_end.py runs it up to the end."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from reflow.management.commands import quickstart
from stores.models import Store
from tests.conftest import PASSWORD

URL = "http://127.0.0.1:8000"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_gets_one_line(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(taken_port))
    with pytest.raises(CommandError, match=rf"^Cannot listen on 127.0.0.1, port {taken_port} .*make run .*$"):
        call_command("quickstart")


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_wrong_port_gets_one_line(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SystemExit, match=r"^PORT is .* from 1 to 65535.*make run PORT=8000.$"):
        call_command("quickstart")


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps its own files")
def test_only_the_user_can_read_the_database(store: Store) -> None:
    file = Path(connection.settings_dict["NAME"])
    file.chmod(0o644)
    quickstart.prepare()
    assert file.stat().st_mode & 0o077 == 0


def test_the_greeting_waits_until_the_server_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for program, is_up in (
        (["-m", "http.server", "--bind", "127.0.0.1", str(port)], True),
        (["-c", ""], False),
    ):
        with subprocess.Popen([sys.executable, *program]) as process:
            assert quickstart.is_served(process, "127.0.0.1", port) == is_up
            process.terminate()


def test_the_printed_key_reads_orders_and_replaces_that_of_the_last_start(store: Store) -> None:
    quickstart.greet(URL)
    printed = re.search(r"Bearer (.+)'", quickstart.greet(URL))
    assert printed is not None
    key = ApiKey.objects.get()
    assert key_text.digest(printed[1]) == key.digest
    assert key.access == ["products:read", "orders:read"]


def test_the_demo_password_is_printed_while_it_is_the_owners(
    store: Store, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_OWNER_PASSWORD", PASSWORD)
    assert f"owner@example.com with the password {PASSWORD}." in quickstart.greet(URL)
    owner.set_password("another one")
    owner.save()
    assert "owner@example.com with your password." in quickstart.greet(URL)


@pytest.mark.django_db
def test_a_shop_that_is_not_the_demo_gets_no_key() -> None:
    Store.objects.create(name="Ours")
    assert "Bearer" not in quickstart.greet(URL)
    assert not ApiKey.objects.exists()


def test_a_suspended_shop_gets_no_key(store: Store) -> None:
    lifecycle.suspend_store(store, by=Actor(), reason="Guessing at orders.")
    assert "Bearer" not in quickstart.greet(URL)
