"""PostgreSQL and Valkey that can be killed and started again at the same address."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import postgres, valkey

PATIENCE_SECONDS = 20


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

    def freeze(self, *, frozen: bool) -> None:
        """Stop every process of the server where it is, or let all go on. Connections stay open meanwhile."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True, check=True
        )
        for process in [self.pid, *map(int, listed.stdout.split())]:
            os.kill(process, signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self) -> None:
        """As an operator does in a hurry: everybody's connection ends at once."""
        postgres.call([self.pg_ctl, "stop", "--mode=immediate", "-D", self.folder / "data"])

    def start(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                postgres.call(
                    [self.pg_ctl, "start", "-w", "-D", self.folder / "data", "-l", self.folder / "log"]
                )
            except subprocess.CalledProcessError:
                # What a killed server leaves behind takes a moment to notice.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def refuse_writes(self, *, refuse: bool) -> None:
        """Be read-only, as a standby is, for those who are connected too."""
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {int(refuse)}")
            connection.execute("SELECT pg_reload_conf()")


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A server that is the caller's alone. Raises Unavailable."""
    # Not below TMPDIR: the path of a socket has room for about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="reflow-pg-", dir="/tmp"))
    try:
        server = Postgres(folder, postgres.start(folder))
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby(primary: Postgres) -> Iterator[Postgres]:
    """A streaming replica of the server, made as an operator makes one."""
    folder = Path(tempfile.mkdtemp(prefix="reflow-pg-", dir="/tmp"))
    if account := postgres.server_account():
        shutil.chown(folder, account.pw_uid, account.pw_gid)
    replica = Postgres(folder, primary.pg_ctl)
    try:
        postgres.call(
            [
                *(primary.pg_ctl.parent / "pg_basebackup", "-h", primary.folder, "-U", "postgres"),
                *("-D", folder / "data", "-R", "-X", "stream", "-C", "-S", folder.name.replace("-", "_")),
                *("-c", "fast", "--no-sync"),
            ]
        )
        with (folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.write(f"unix_socket_directories = '{folder}'\n")
        replica.start()
        try:
            yield replica
        finally:
            replica.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Valkey:
    socket: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def kill(self) -> None:
        self.processes[-1].kill()
        self.processes[-1].wait()
        self.socket.unlink(missing_ok=True)

    def start(self) -> None:
        self.processes.append(valkey.start(self.socket))


@contextmanager
def own_valkey() -> Iterator[Valkey]:
    """A server that is the caller's alone. Raises Unavailable."""
    with tempfile.TemporaryDirectory(prefix="reflow-vk-", dir="/tmp") as folder:
        server = Valkey(Path(folder) / "socket")
        server.start()
        try:
            yield server
        finally:
            server.kill()
