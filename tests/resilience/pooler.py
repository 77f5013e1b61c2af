"""PgBouncer in front of a PostgreSQL, sharing its connections by transaction."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres, programs
from tests.postgres import Postgres
from tests.server import Program, free_port

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
class PgBouncer(Program):
    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[PgBouncer]:
    """PgBouncer in front of the server. Raises Unavailable."""
    program = programs.get("pgbouncer", package="pgbouncer")
    with tempfile.TemporaryDirectory(prefix="reflow-pool-", dir="/tmp") as name:
        folder, port, options = Path(name), free_port(), {}
        if account := postgres.server_account():
            # It refuses to run as root, too.
            options = {"user": account.pw_uid, "group": account.pw_gid}
            folder.chmod(0o755)
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(server=server.folder, port=port))
        bouncer = PgBouncer([program, str(configuration)], folder / "output", port, options)
        with bouncer.running():
            yield bouncer
