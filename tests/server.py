"""The site as ``make run`` serves it, in a process and a database of its own, and somebody who visits it."""

import html
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import randrange
from typing import Any

import environ
import psycopg
import requests
from django.db import connection

ROOT = Path(__file__).parent.parent
PASSWORD = "correct horse battery staple"
PATIENCE = 180
FIRST_PORT = 20000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw"))
PORTS = iter(range(FIRST_PORT + randrange(500), FIRST_PORT + 1000))


@dataclass(frozen=True)
class Served:
    """A site that is up. ``printed`` is all that its process has written, logs included."""

    url: str
    database_url: str
    output: Path
    process: "subprocess.Popen[bytes]"

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def dump(self) -> str:
        """Every value of every table of its SQLite database."""
        with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as database:
            return "\n".join(database.iterdump())


@contextmanager
def served(folder: Path, database_url: str) -> Iterator[Served]:
    """The site that quickstart sets up, once it has printed its greeting. A folder may be used again."""
    port = free_port()
    program = ["manage.py", "quickstart"]
    with started(program, folder, port, PORT=str(port), DATABASE_URL=database_url) as site:
        while "Reflow is served" not in site.printed and site.process.poll() is None:
            time.sleep(0.05)
        yield site


def gunicorn(
    folder: Path, *options: str, config: str = "reflow.server.gunicorn", **environment: str
) -> AbstractContextManager[Served]:
    """The production server, on a database that has its tables: DATABASE_URL."""
    port = free_port()
    arguments = ("-m", "gunicorn", "--config", f"python:{config}", "--bind", f"127.0.0.1:{port}")
    return started([*arguments, *options], folder, port, **environment)


@contextmanager
def started(program: Sequence[str], folder: Path, port: int, **environment: str) -> Iterator[Served]:
    """Start a program of the site, and stop it as an operator would unless it has ended by then."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "the same in both runs, or nobody would stay signed in",
        "HTTPS": "false",
        "DEMO_OWNER_PASSWORD": PASSWORD,
        **environment,
    }
    site = Program([sys.executable, *program], folder / "output", port, {"env": environment})
    with site.running() as process:
        yield Served(f"http://127.0.0.1:{port}", environment["DATABASE_URL"], site.output, process)
        site.stop()


@dataclass
class Program:
    """A program of which this process has one at a time; it is up when it listens at ``port``, if it has one.

    ``options`` are those of Popen.
    """

    command: Sequence[str]
    output: Path
    port: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "subprocess.Popen[bytes]":
        with self.output.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Of its own group, so that a test can kill all of it at once.
                start_new_session=True,
                **self.options,
            )
        if self.port:
            wait_for(self.process, self.port, self.output)
        return self.process

    def stop(self) -> None:
        """As an operator does: what is begun is finished."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def kill(self) -> None:
        """As the kernel does, with all its processes."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        try:
            yield self.start()
        finally:
            self.kill()


def free_port() -> int:
    """A port that nobody listens on, and that nothing else takes before its server is up.

    A connection to elsewhere leaves from a port above these, and each process of the suite has a part of
    them: gw0, the first, begins at 20000.
    """
    for port in PORTS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("Every port is taken.")


def wait_for(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    """Come back when the process listens; fail with what it printed when it ends or never does."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"The site did not come up:\n{output.read_text()}")


@contextmanager
def empty_database() -> Iterator[str]:
    """The name of a new database on the PostgreSQL that the suite runs on."""
    name = f"served_{secrets.token_hex(4)}"
    with psycopg.connect(**connection_of(os.environ["SUITE_DATABASE_URL"]), autocommit=True) as postgres:
        postgres.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def database_of_the_tests() -> str:
    """The address of the very database that a test is in, for a server beside it."""
    name = connection.settings_dict["NAME"]
    suite = os.environ.get("SUITE_DATABASE_URL")
    return f"{suite.rpartition('/')[0]}/{name}" if suite else f"sqlite:///{name}"


def connection_of(database_url: str) -> dict[str, Any]:
    """Return psycopg's arguments, from an address as Django takes it."""
    database = environ.Env.db_url_config(database_url)
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    return {name: database[theirs] for theirs, name in names.items() if database[theirs]}


@dataclass
class Visitor:
    """A browser without a screen or scripts: keeps cookies, follows redirects, sends forms."""

    site: Served
    seen: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        """A page, after any redirects. Its text is kept in ``seen``."""
        return self._open("GET", path)

    def send(self, path: str, **fields: str | list[str]) -> requests.Response:
        """Open a page, fill in the form on it, send it, and follow where it leads."""
        return self._open("POST", path, self.hidden_fields(path) | fields)

    def hidden_fields(self, path: str) -> dict[str, str]:
        """Return the hidden fields of the form on a page."""
        page = self.get(path).text
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
        return {name: html.unescape(value) for name, value in fields}

    def sign_in(self, email: str) -> None:
        answer = self.send("/accounts/login/", login=email, password=PASSWORD)
        assert answer.status_code == 200
        assert "/accounts/logout/" in answer.text

    def _open(self, method: str, path: str, data: Any = None) -> requests.Response:
        answer = self.session.request(method, f"{self.site.url}{path}", data=data, timeout=PATIENCE)
        self.seen.append(answer.text)
        return answer


def call_api(site: Served, path: str, key: str | None = None) -> requests.Response:
    """Make one request as a program does, with the key it has, if any."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.get(f"{site.url}{path}", headers=headers, timeout=PATIENCE, allow_redirects=False)
