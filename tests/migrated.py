"""Databases that have their tables: copies of ones that are made once for each state of the code.

All migrations take six seconds of a core, and a run of the tests has some fifteen processes that need them.
"""

import fcntl
import hashlib
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "migrated"
# Migrations import from beside them: columns, texts, commands.
PACKAGES = ("apikeys", "reflow", "stores")


@contextmanager
def kept(name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Give the file that ``make`` writes to a path, made anew where the code is another than the last time.

    Meanwhile no other process gets or makes this one.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = FOLDER / f"{name}-{digest_of_code()}"
        if not file.exists():
            for older in FOLDER.glob(f"{name}-*"):
                older.unlink()
            unfinished = FOLDER / f"{name}-unfinished"
            make(unfinished)
            unfinished.rename(file)
        yield file


def digest_of_code() -> str:
    """Return what changes with the site's code; a package's new migrations are run on the copies."""
    code = hashlib.sha256(sys.version.encode())
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        code.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return code.hexdigest()


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
        kept("sqlite", lambda file: migrate(f"sqlite:///{file}")) as file,
        closing(sqlite3.connect(file)) as made,
        closing(sqlite3.connect(path)) as copy,
    ):
        made.backup(copy)
