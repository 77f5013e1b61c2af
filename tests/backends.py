"""Look at what others are doing on the tests' PostgreSQL at this moment."""

import time

from django.db import connection

PATIENCE = 120


def wait_until(count: int, condition: str) -> None:
    """Come back when so many other connections to this database are as the condition says."""
    deadline = time.monotonic() + PATIENCE
    found = -1
    with connection.cursor() as cursor:
        while found != count:
            assert time.monotonic() < deadline, f"{found} connections with {condition}"
            time.sleep(0.01)
            # Or this transaction would see for ever what it saw first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "  # noqa: S608
                f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
            )
            found = cursor.fetchone()[0]
