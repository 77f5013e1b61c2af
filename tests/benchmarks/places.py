"""Databases of the benchmark's own: SQLite always, the others where they can be had."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import postgres, valkey
from tests.programs import Unavailable
from tests.server import connection_of


@dataclass(frozen=True)
class Place:
    """A database server, and beside it perhaps a Valkey. ``root`` is where databases of a name are made."""

    name: str
    root: str
    redis_url: str = ""

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        if not self.is_postgres:
            return f"{self.root}/{name}.sqlite3"
        with psycopg.connect(**connection_of(f"{self.root}/postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.root}/{name}"

    @property
    def is_postgres(self) -> bool:
        return self.root.startswith("postgres")

    @property
    def deployed(self) -> dict[str, str]:
        """Return what the shipped deployment sets: prepared statements."""
        return {"PREPARE_THRESHOLD": "5"} if self.is_postgres else {}


@contextmanager
def places(*, only_sqlite: bool) -> Iterator[list[Place]]:
    """SQLite in a temporary folder, and a PostgreSQL with a Valkey, each for as long as the context lasts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reflow-bench-")))
        found = [Place("SQLite", f"sqlite:///{folder}")]
        if not only_sqlite:
            try:
                url = stack.enter_context(postgres.server())
                redis_url = stack.enter_context(valkey.server())
            except Unavailable as reason:
                print(f"Not measured on PostgreSQL with Valkey: {reason}", file=sys.stderr)
            else:
                found.append(Place("PostgreSQL", url.rpartition("/")[0], redis_url))
        yield found
