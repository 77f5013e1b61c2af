"""The command behind ``make run``. tests/test_end_to_end.py runs it up to the end."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey
from reflow.management.commands import quickstart
from reflow.management.commands.quickstart import Address
from stores.models import Store
from tests.conftest import PASSWORD

LOCAL = Address("127.0.0.1", 8000)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def greeting(address: Address = LOCAL) -> str:
    return "\n".join(quickstart.greet(address))


def test_a_taken_port_gets_one_line(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(taken_port))
    with pytest.raises(
        CommandError, match=rf"^Cannot listen on 127.0.0.1:{taken_port} .* make run PORT=\d+$"
    ):
        call_command("quickstart")


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "８０００"])
def test_a_wrong_port_gets_one_line(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match=r"^PORT is a number from 1 to 65535.*make run PORT=8000$"):
        call_command("quickstart")


def test_blank_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", " ")
    monkeypatch.setenv("PORT", "")
    assert Address.from_environment() == LOCAL


def test_an_address_of_another_machine_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "203.0.113.9")
    with pytest.raises(CommandError, match=r"^Cannot listen on 203.0.113.9:.* make run HOST=127.0.0.1$"):
        call_command("quickstart")


def test_for_development_it_becomes_a_server_that_reloads(
    store: Store, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    programs: list[list[str]] = []
    monkeypatch.setattr(quickstart, "become", programs.append)
    monkeypatch.setattr(quickstart.Command, "print_when_served", lambda *_: None)
    monkeypatch.setattr(quickstart, "start_worker", lambda: programs.append(["worker"]))
    monkeypatch.setattr(connections, "close_all", lambda: None)  # this connection is the test's own
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("SITE_URL", "http://127.0.0.1:8123")
    settings.DEBUG = True
    call_command("quickstart", reload=True)
    assert programs == [["worker"], ["django", "runserver", "127.0.0.1:8123"]]


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps its own files")
def test_only_the_user_can_read_the_database() -> None:
    file = Path(connection.settings_dict["NAME"])
    file.chmod(0o644)
    quickstart.make_database_private()
    assert [path.stat().st_mode & 0o077 for path in file.parent.glob(f"{file.name}*")] == [0, 0, 0]


def test_the_printed_key_reads_orders_and_products(store: Store) -> None:
    printed = re.search(r"Bearer (.+)'", greeting())
    assert printed is not None
    key = ApiKey.objects.usable().get()
    assert key_text.digest(printed[1]) == key.digest
    assert key.access == ["products:read", "orders:read"]


def test_keys_of_earlier_runs_are_deleted_once_they_have_expired(store: Store) -> None:
    greeting()
    first = ApiKey.objects.get()
    ApiKey.objects.filter(pk=first.pk).update(
        name=f"{quickstart.KEY_NAME} yesterday", expires_at=timezone.now() - timedelta(hours=1)
    )
    greeting()
    assert ApiKey.objects.get() != first


def test_the_demo_password_is_printed_while_it_is_the_owners(
    store: Store, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_OWNER_PASSWORD", PASSWORD)
    assert f"owner@example.com with the password {PASSWORD}." in greeting()
    owner.set_password("another one")
    owner.save()
    assert "owner@example.com with your password." in greeting()


@pytest.mark.django_db
def test_a_shop_that_is_not_the_demo_gets_no_key() -> None:
    Store.objects.create(name="Ours")
    assert "Bearer" not in greeting()
    assert not ApiKey.objects.exists()


def test_a_suspended_shop_gets_no_key(store: Store) -> None:
    lifecycle.suspend_store(store, by=Actor(), reason="Guessing at orders.")
    assert "Guessing at orders." in greeting()
    assert "curl" not in greeting()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("host", "allowed", "missing"),
    [
        ("127.0.0.1", ["localhost", "127.0.0.1"], None),
        ("192.0.2.7", ["localhost"], "localhost,192.0.2.7"),
        ("2001:db8::7", ["localhost"], "localhost,[2001:db8::7]"),
        ("192.0.2.7", ["localhost", "192.0.2.7"], None),
        ("0.0.0.0", ["localhost", "[::1]"], f"localhost,[::1],{socket.gethostname()}"),  # noqa: S104
        ("::", ["localhost", "shop.lan"], None),
    ],
)
def test_the_greeting_says_what_allowed_hosts_lacks(
    host: str, allowed: list[str], missing: str | None, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = allowed
    assert re.findall("ALLOWED_HOSTS=(.*)", greeting(Address(host, 8000))) == ([missing] if missing else [])
