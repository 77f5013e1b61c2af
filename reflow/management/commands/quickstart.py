"""From an empty database to a served site in one command: what ``make run`` and ``make dev`` come to."""

import errno
import os
import socket
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.models.suspension import StoreSuspended
from stores.demo.catalogue import NORTHWOOD
from stores.models import Store
from stores.resources import Access, Resource

KEY_NAME = "Quick start"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the site is served: the environment's HOST and PORT."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> "Address":
        port = os.environ.get("PORT", "8000")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise CommandError(f"PORT is a number from 1 to 65535, not {port!r}: try make run PORT=8000")
        return cls(os.environ.get("HOST", "127.0.0.1"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a browser on this machine takes it."""
        everywhere = self.host in {"0.0.0.0", "::", ""}  # noqa: S104
        return f"http://{Address('127.0.0.1', self.port) if everywhere else self}"

    def ensure_free(self) -> None:
        """Raise CommandError, with the remedy, when a server cannot listen here."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                # As servers do: a connection that has only just ended is no hindrance.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {self} ({error.strerror}): try {self.remedy(error)}"
            ) from error

    def remedy(self, error: OSError) -> str:
        """The command that is likely to work: on another port, or on this machine's own address."""
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            return "make run HOST=127.0.0.1"
        return f"make run PORT={self.port + 1 if 1024 <= self.port < 65535 else 8000}"


class Command(BaseCommand):
    help = "Migrate, seed the demo where there is nothing, and serve on HOST and PORT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reload", action="store_true", help="Serve for development: restart after each change."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = Address.from_environment()
        address.ensure_free()
        try:
            prepare()
            self.greet(address)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database cannot be used ({reason}): check DATABASE_URL.") from error
        self.stdout.flush()
        connections.close_all()
        become(runserver(address) if options["reload"] else gunicorn(address))

    def greet(self, address: Address) -> None:
        """Say where the site is, and for the demo shop how to get in."""
        say = self.stdout.write
        say(f"\nReflow is served at {address.url}/ until you press Ctrl-C.")
        if settings.HTTPS:
            say("HTTPS is on in its settings: people reach it through a proxy that ends TLS.")
        owner = User.objects.filter(email=NORTHWOOD.owner, stores=NORTHWOOD.id).first()
        if owner is not None:
            store = Store.objects.get(pk=NORTHWOOD.id)
            say(f"Sign in as {NORTHWOOD.owner} with {password_of(owner)}.")
            try:
                plaintext = fresh_key(store)
            except StoreSuspended as error:
                say(f"{error}\n")
                return
            say("Or read the shop's orders, with a key that works until this time tomorrow:\n")
            say(f"  curl --header 'Authorization: Bearer {plaintext}' \\")
            say(f"    '{address.url}/v1/stores/{store.pk}/orders/'\n")


def prepare() -> None:
    """Bring the tables and the static files up to date, and fill an empty database."""
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    if not Store.objects.exists():
        call_command("seed_demo")


def password_of(owner: User) -> str:
    """What to type, in words: the demo's password as long as it is the owner's."""
    password = os.environ.get("DEMO_OWNER_PASSWORD", "")
    return f"the password {password}" if owner.check_password(password) else "your password"


def fresh_key(store: Store) -> str:
    """The plaintext of a new key that lasts a day. Those of earlier runs go once they have expired."""
    now = timezone.now()
    ApiKey.objects.for_store(store).filter(name__startswith=f"{KEY_NAME} ", expires_at__lte=now).delete()
    # Drawn, not issued: the demo's owner needs no e-mail about it at every start.
    _, plaintext = ApiKey.objects.draw(
        store=store,
        name=f"{KEY_NAME} {now.replace(tzinfo=None).isoformat(sep=' ', timespec='milliseconds')}",
        access=[resource.scope(Access.READ) for resource in (Resource.ORDERS, Resource.PRODUCTS)],
        expires_at=now + timedelta(days=1),
    )
    return plaintext


def gunicorn(address: Address) -> list[str]:
    return ["gunicorn", "--config", "python:reflow.server.gunicorn", "--bind", str(address)]


def runserver(address: Address) -> list[str]:
    return ["django", "runserver", str(address)]


def become(module: list[str]) -> NoReturn:
    """Go on as another Python program: signals and exit status are then the server's own."""
    os.execv(sys.executable, [sys.executable, "-m", *module])  # noqa: S606
