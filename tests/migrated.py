"""Databases that have their tables: copies of ones that are migrated once for each state of the code.

All migrations take six seconds of a core, and a run of the tests has some fifteen processes that need them.
"""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

from tests.kept import ROOT, kept

# Migrations import from beside them: columns, texts, commands.
PACKAGES = ("apikeys", "reflow", "stores")


def kept_tables(database: str, make: Callable[[Path], None]) -> AbstractContextManager[Path]:
    """Give the folder with the tables of a database. A package's new migrations are run on the copies."""
    return kept(database, (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")), make)


def migrate(database_url: str) -> None:
    """Make the tables of the site in a database. It is a process of its own: ours may have other settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "HTTPS": "false",
        "DATABASE_URL": database_url,
    }
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def make_sqlite(path: str | Path) -> None:
    """Make a database of the site's tables at the path."""
    with (
        kept_tables("sqlite", lambda folder: migrate(f"sqlite:///{folder}/tables")) as folder,
        closing(sqlite3.connect(folder / "tables")) as tables,
        closing(sqlite3.connect(path)) as copy,
    ):
        tables.backup(copy)
