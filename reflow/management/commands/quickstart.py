"""``manage.py quickstart``: what ``make run`` and ``make dev`` start. Migrate, seed, print, serve."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.utils import timezone

from apikeys.lifecycle import insert_key
from apikeys.models import ApiKey
from reflow import env
from stores.demo import NORTHWOOD_ID
from stores.models import Store

KEY_NAME = "Quick start"


class Command(BaseCommand):
    help = "Migrate, seed the demo where the database is empty, and serve on HOST and PORT."

    def handle(self, **options: Any) -> None:
        host, port = read_address()
        bind = f"{host}:{port}"
        url = f"http://{bind}".replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        if not settings.HTTPS:
            os.environ.setdefault("SITE_URL", url)
        prepare()
        # Links in e-mail can be followed from here, too.
        os.environ.setdefault("EMAIL_URL", "consolemail://")
        # DEBUG wants a server that restarts after each change.
        production = ("gunicorn", "--config", "python:reflow.server.gunicorn", "--bind", bind)
        programs = ("django", "runserver", bind) if settings.DEBUG else production, ("django", "db_worker")
        server, worker = (subprocess.Popen([sys.executable, "-m", *program]) for program in programs)  # noqa: S603
        # Ctrl-C reaches both by itself.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        if is_served(server, host, port):
            self.stdout.write(greet(url))
            self.stdout.flush()
        connections.close_all()
        status = server.wait()
        worker.terminate()
        worker.wait()
        raise SystemExit(status)


def read_address() -> tuple[str, int]:
    """Return where to serve, by HOST and PORT, once nobody else listens there."""
    host = env.text("HOST", bool, "an address of this machine", "127.0.0.1")
    port = env.read("PORT", int, "from 1 to 65535, as in make run PORT=8000", range(1, 65536).count, 8000)
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        tried = "try make run HOST=127.0.0.1 PORT=8001"
        raise CommandError(f"Cannot listen on {host}, port {port} ({error.strerror}): {tried}") from error
    return host, port


def is_served(server: "subprocess.Popen[bytes]", host: str, port: int) -> bool:
    """Wait until the server takes connections: what is printed then can be used at once. False if it ends."""
    while server.poll() is None:
        with suppress(OSError), socket.create_connection((host, port)):
            return True
        time.sleep(0.1)
    return False


def prepare() -> None:
    """Bring the tables and the static files up to date, and fill an empty database."""
    if connection.vendor == "sqlite":
        # It holds sessions and customers' addresses. SQLite gives the files beside it the same mode.
        database = Path(connection.settings_dict["NAME"])
        database.touch()
        database.chmod(0o600)
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    if not Store.objects.exists():
        call_command("seed_demo")


def greet(url: str) -> str:
    """Return where the site is, and for the demo shop a login, and a request with a new key."""
    greeting = f"\nReflow is served at {url}/ until you press Ctrl-C.\n"
    demo = Store.objects.filter(pk=NORTHWOOD_ID, key_suspension=None)
    store = demo.filter(owners__email="owner@example.com").first()
    if store is None:
        return greeting
    owner = store.owners.get(email="owner@example.com")
    password = os.environ.get("DEMO_OWNER_PASSWORD", "")
    known = f"the password {password}" if owner.check_password(password) else "your password"
    ApiKey.objects.for_store(store).filter(name=KEY_NAME).delete()
    # The demo's owner needs no e-mail about it at every start.
    _, plaintext = insert_key(
        store=store,
        name=KEY_NAME,
        access=["products:read", "orders:read"],
        expires_at=timezone.now() + timedelta(days=1),
        revealed_at=timezone.now(),
    )
    return (
        f"{greeting}Sign in as {owner.email} with {known}.\n"
        "Or read the shop's orders, with a key that works for a day, or until the next start:\n\n"
        f"  curl --header 'Authorization: Bearer {plaintext}' \\\n"
        f"    '{url}/v1/stores/{store.pk}/orders/'\n"
    )
