"""PgBouncer in front of a PostgreSQL, sharing its connections by transaction."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres, programs
from tests.resilience.servers import Postgres
from tests.server import free_port, wait_for

REMEDY = "Install PgBouncer (on Debian and Ubuntu: apt install pgbouncer)."
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
"""


class Unavailable(Exception):
    """No PgBouncer could be started; says why not."""


@contextmanager
def pooled(server: Postgres) -> Iterator[str]:
    """The address of the server's database through PgBouncer. Raises Unavailable."""
    program = programs.find("pgbouncer", package="pgbouncer")
    if program is None:
        raise Unavailable("no PgBouncer was found.")
    with tempfile.TemporaryDirectory(prefix="reflow-pool-", dir="/tmp") as name:
        folder, port = Path(name), free_port()
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(server=server.folder, port=port))
        options = {}
        if account := postgres.server_account():
            # It refuses to run as root, too.
            options = {"user": account.pw_uid, "group": account.pw_gid}
            folder.chmod(0o755)
        output = folder / "output"
        with output.open("w") as log:
            process = subprocess.Popen([program, str(configuration)], stdout=log, stderr=log, **options)  # type: ignore[call-overload]
        try:
            wait_for(process, port, output)
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait()
