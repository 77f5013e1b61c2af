"""A standby that can be killed and started again at the same address."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.postgres import Postgres


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
