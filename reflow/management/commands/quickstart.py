"""Set up a database and serve it in one command: what ``make run`` and ``make dev`` start."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections
from django.utils import timezone

from apikeys.lifecycle import StoreSuspended, insert_key
from apikeys.models import ApiKey
from stores.demo import NORTHWOOD_ID
from stores.models import Store
from stores.resources import Access, Resource

KEY_NAME = "Quick start"
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the site is served: HOST and PORT of the environment. Blank is the same as not set."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> "Address":
        port = os.environ.get("PORT", "").strip() or "8000"
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise CommandError(f"PORT is a number from 1 to 65535, not {port!r}: try make run PORT=8000")
        return cls(os.environ.get("HOST", "").strip() or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def local(self) -> "Address":
        """The address as programs on this machine reach it."""
        return Address("127.0.0.1", self.port) if self.host in EVERYWHERE else self

    @property
    def url(self) -> str:
        return f"http://{self.local}"

    def missing_host(self) -> str:
        """Return the name that ALLOWED_HOSTS lacks for other machines to be served, or nothing."""
        if self.host in EVERYWHERE:
            return socket.gethostname() if LOOPBACK.issuperset(settings.ALLOWED_HOSTS) else ""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return "" if name in settings.ALLOWED_HOSTS else name

    def answers(self) -> bool:
        """Return whether an HTTP server answers here, whatever it answers."""
        http = HTTPConnection(self.local.host, self.port, timeout=5)
        try:
            http.request("GET", "/healthz")
            http.getresponse()
        except (OSError, HTTPException):
            return False
        finally:
            http.close()
        return True

    def ensure_free(self) -> None:
        """Raise CommandError, with the remedy, when a server cannot listen here."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                # Like servers, which may listen again right after the last one has ended.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {self} ({error.strerror}): try {self.remedy(error)}"
            ) from error

    def remedy(self, error: OSError) -> str:
        """Return the command that is likely to work: on another port, or on this machine's own address."""
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            return "make run HOST=127.0.0.1"
        return f"make run PORT={self.port + 1 if 1024 <= self.port < 65535 else 8000}"


class Command(BaseCommand):
    help = "Migrate, seed the demo where the database is empty, and serve on HOST and PORT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reload", action="store_true", help="Serve for development: restart after each change."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = Address.from_environment()
        address.ensure_free()
        try:
            prepare()
            greeting = "\n".join(greet(address))
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database cannot be used ({reason}): check DATABASE_URL.") from error
        self.stdout.flush()
        connections.close_all()
        self.print_when_served(greeting, address)
        if not settings.HTTPS:
            os.environ.setdefault("SITE_URL", address.url)
        start_worker()
        become(runserver(address) if options["reload"] else gunicorn(address))

    def print_when_served(self, greeting: str, address: Address) -> None:
        """Print the greeting once the server that this process is about to become answers.

        That is left to a child process, which gives up when the server ends.
        """
        server = os.getpid()
        if os.fork():
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            while os.getppid() == server:
                if address.answers():
                    self.stdout.write(greeting)
                    self.stdout.flush()
                    break
                time.sleep(0.1)
        finally:
            os._exit(0)


def prepare() -> None:
    """Bring the tables and the static files up to date, and fill an empty database."""
    make_database_private()
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    if not Store.objects.exists():
        call_command("seed_demo")


def make_database_private() -> None:
    """Let only this user read SQLite's files: they hold sessions and customers' addresses."""
    if connection.vendor == "sqlite":
        # SQLite gives the files beside the database the mode of the database.
        file = Path(connection.settings_dict["NAME"])
        file.touch(mode=0o600)
        for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            if path.exists():
                path.chmod(0o600)


def greet(address: Address) -> Iterator[str]:
    """Yield the lines that say where the site is, and for the demo shop how to get in."""
    yield f"\nReflow is served at {address.url}/ until you press Ctrl-C."
    if settings.HTTPS:
        yield "HTTPS is on in its settings: people reach it through a proxy that ends TLS."
    if name := address.missing_host():
        hosts = ",".join([*settings.ALLOWED_HOSTS, name])
        yield f"Other machines get a 400 until .env names the host that they ask for: ALLOWED_HOSTS={hosts}"
    owner = User.objects.filter(email="owner@example.com", stores=NORTHWOOD_ID).first()
    if owner is None:
        return
    store = Store.objects.get(pk=NORTHWOOD_ID)
    yield f"Sign in as owner@example.com with {password_of(owner)}."
    try:
        plaintext = fresh_key(store)
    except StoreSuspended as error:
        yield f"{error}\n"
        return
    yield "Or read the shop's orders, with a key that works until this time tomorrow:\n"
    yield f"  curl --header 'Authorization: Bearer {plaintext}' \\"
    yield f"    '{address.url}/v1/stores/{store.pk}/orders/'\n"


def password_of(owner: User) -> str:
    """Return in words what to type: the demo's password while it is the owner's."""
    password = os.environ.get("DEMO_OWNER_PASSWORD", "")
    return f"the password {password}" if owner.check_password(password) else "your password"


def fresh_key(store: Store) -> str:
    """Return the plaintext of a new key that lasts a day, and delete expired ones of earlier runs."""
    now = timezone.now()
    ApiKey.objects.for_store(store).filter(name__startswith=f"{KEY_NAME} ", expires_at__lte=now).delete()
    # The demo's owner needs no e-mail about it at every start.
    _, plaintext = insert_key(
        store=store,
        name=f"{KEY_NAME} {now.replace(tzinfo=None).isoformat(sep=' ', timespec='milliseconds')}",
        access=[resource.scope(Access.READ) for resource in (Resource.ORDERS, Resource.PRODUCTS)],
        expires_at=now + timedelta(days=1),
        revealed_at=now,
    )
    return plaintext


def gunicorn(address: Address) -> list[str]:
    return ["gunicorn", "--config", "python:reflow.server.gunicorn", "--bind", str(address)]


def runserver(address: Address) -> list[str]:
    return ["django", "runserver", str(address)]


def start_worker() -> None:
    """Let a worker run beside the server that this process is about to become, and end with it."""
    keeper = [sys.executable, "-m", "reflow.management.keep_worker", str(os.getpid())]
    subprocess.Popen(keeper)  # noqa: S603


def become(module: list[str]) -> NoReturn:
    """Replace this process by another Python program, which then gets its signals and exit status."""
    os.execv(sys.executable, [sys.executable, "-m", *module])  # noqa: S606
