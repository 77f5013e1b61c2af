"""What happens between the command and the server."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from apikeys import keys
from apikeys.models import ApiKey
from apikeys.models.suspension import Suspension
from reflow.management.commands import quickstart
from stores.models import Store
from tests.conftest import PASSWORD


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[list[str]]:
    """The programs that the command would have become."""
    programs: list[list[str]] = []
    monkeypatch.setattr(quickstart, "become", programs.append)
    # The connection is the test's own.
    monkeypatch.setattr(connections, "close_all", lambda: None)
    monkeypatch.setenv("DEMO_OWNER_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", str(free_port()))
    settings.STATIC_ROOT = tmp_path
    return programs


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_taken_port_stops_before_the_database_is_touched(
    taken: int, programs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", str(taken))
    with pytest.raises(CommandError, match=rf"^Cannot listen on 127.0.0.1:{taken} .* make run PORT=\d+$"):
        call_command("quickstart")
    assert programs == []


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1", "８０００"])
def test_a_port_that_is_none_gets_one_line(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match=r"^PORT is a number from 1 to 65535.*make run PORT=8000$"):
        call_command("quickstart")


def test_an_address_of_another_machine_gets_one_line(
    programs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "203.0.113.9")
    with pytest.raises(CommandError, match=r"^Cannot listen on 203.0.113.9:.* make run HOST=127.0.0.1$"):
        call_command("quickstart")
    assert programs == []


def test_it_becomes_a_production_server(programs: list[list[str]], store: Store) -> None:
    call_command("quickstart")
    assert [program[0] for program in programs] == ["gunicorn"]


def test_for_development_it_becomes_one_that_reloads(programs: list[list[str]], store: Store) -> None:
    call_command("quickstart", reload=True)
    assert [program[:2] for program in programs] == [["django", "runserver"]]


def test_it_prints_a_key_that_works(
    programs: list[list[str]], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("quickstart")
    key = ApiKey.objects.usable().get()
    printed = re.search(r"Bearer (.+)'", capsys.readouterr().out)
    assert printed is not None
    assert keys.digest(printed[1]) == key.digest
    assert key.access == ["products:read", "orders:read"]


def test_keys_of_earlier_runs_go_once_they_have_expired(programs: list[list[str]], store: Store) -> None:
    call_command("quickstart")
    first = ApiKey.objects.get()
    ApiKey.objects.filter(pk=first.pk).update(
        name=f"{quickstart.KEY_NAME} yesterday", expires_at=timezone.now() - timedelta(hours=1)
    )
    call_command("quickstart")
    assert ApiKey.objects.get() != first


def test_the_demo_password_is_printed_while_it_is_the_owners(
    programs: list[list[str]], store: Store, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("quickstart")
    assert f"owner@example.com with the password {PASSWORD}." in capsys.readouterr().out

    owner.set_password("another one")
    owner.save()
    call_command("quickstart")
    printed = capsys.readouterr().out
    assert "owner@example.com with your password." in printed
    assert PASSWORD not in printed


@pytest.mark.django_db
def test_a_shop_that_is_not_the_demo_gets_no_key(
    programs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    Store.objects.create(name="Ours")
    call_command("quickstart")
    assert "Bearer" not in capsys.readouterr().out
    assert not ApiKey.objects.exists()


def test_a_shop_whose_keys_are_suspended_gets_no_key_and_is_served(
    programs: list[list[str]], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    Suspension.objects.begin(store=store, by=None, reason="Guessing at orders.")
    call_command("quickstart")
    printed = capsys.readouterr().out
    assert "Guessing at orders." in printed
    assert "curl" not in printed
    assert programs
