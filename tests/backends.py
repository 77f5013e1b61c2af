"""Look at what others are doing on the tests' PostgreSQL at this moment."""

from django.db import connection

from tests import programs


def wait_until(count: int, condition: str) -> None:
    """Come back when so many other connections to this database are as the condition says."""

    def is_so() -> bool:
        with connection.cursor() as cursor:
            # Or this transaction would see for ever what it saw first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "  # noqa: S608
                f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
            )
            return bool(cursor.fetchone()[0] == count)

    programs.wait_until(is_so)
