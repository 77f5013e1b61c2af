"""The site's tables and static files: made once for each state of what they come from, then copied or shared.

All migrations take six seconds of a core, static files two, and a run of the tests has some fifteen processes
that need them.
"""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from urllib.parse import quote

from tests.kept import ROOT, kept

# Migrations import from beside them: columns, texts, commands.
OURS = ("apikeys", "reflow", "stores")
# It says which migrations, static files and database servers come with packages.
LOCK = ROOT / "requirements-dev.lock"


def make_sqlite(path: str | Path) -> None:
    """Make a database of the site's tables at the path."""
    with (
        kept_tables("sqlite", lambda folder: migrate(f"sqlite:///{quote(str(folder))}/tables")) as folder,
        closing(sqlite3.connect(folder / "tables")) as tables,
        closing(sqlite3.connect(path)) as copy,
    ):
        tables.backup(copy)


def kept_tables(database: str, make: Callable[[Path], None]) -> AbstractContextManager[Path]:
    """Give the folder with the tables of a database."""
    return kept(database, (LOCK, *(path for ours in OURS for path in (ROOT / ours).rglob("*.py"))), make)


def migrate(database_url: str) -> None:
    """Make the tables of the site in a database."""
    manage("migrate", DATABASE_URL=database_url)


def static_folder() -> Path:
    """Return the folder with the static files, hashed and compressed as in production."""
    files = (path for path in (ROOT / "static").rglob("*") if path.is_file())
    with kept("static", (LOCK, ROOT / "reflow" / "server" / "static_files.py", *files), collect) as folder:
        return folder


def collect(folder: Path) -> None:
    manage("collectstatic", DJANGO_SETTINGS_MODULE="tests.resilience.settings", STATIC_FOLDER=str(folder))


def manage(command: str, **environment: str) -> None:
    """Run a command of manage.py in a process of its own: ours may have other settings."""
    clean = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "HTTPS": "false",
    }
    command_line = [sys.executable, "manage.py", command, "--no-input", "--verbosity=0"]
    subprocess.run(command_line, cwd=ROOT, env=clean | environment, check=True)
