"""PgBouncer in front of a PostgreSQL, sharing its connections by transaction."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres, programs
from tests.postgres import Postgres
from tests.server import free_port, wait_for

CONFIGURATION = """
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_login_retry = 1
"""


@dataclass
class PgBouncer:
    """Listens at a port for clients, with a configuration in its folder."""

    program: str
    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = {}
        if account := postgres.server_account():
            # It refuses to run as root, too.
            options = {"user": account.pw_uid, "group": account.pw_gid}
            self.folder.chmod(0o755)
        output = self.folder / "output"
        with output.open("a") as log:
            command = [self.program, str(self.folder / "pgbouncer.ini")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **options)  # type: ignore[call-overload]
        wait_for(self.process, self.port, output)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[PgBouncer]:
    """PgBouncer in front of the server. Raises Unavailable."""
    program = programs.get("pgbouncer", package="pgbouncer")
    with tempfile.TemporaryDirectory(prefix="reflow-pool-", dir="/tmp") as name:
        bouncer = PgBouncer(program, Path(name), free_port())
        configuration = CONFIGURATION.format(server=server.folder, port=bouncer.port)
        (bouncer.folder / "pgbouncer.ini").write_text(configuration)
        try:
            bouncer.start()
            yield bouncer
        finally:
            bouncer.kill()


@contextmanager
def pooled(server: Postgres) -> Iterator[str]:
    """The address of the server's database through PgBouncer. Raises Unavailable."""
    with pgbouncer(server) as bouncer:
        yield bouncer.url
