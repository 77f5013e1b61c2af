"""Settings of a web process's connections to PostgreSQL; commands and the worker have none of them."""

import logging
import select
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

SET_TIMEOUTS = """
    SELECT set_config('statement_timeout', %(milliseconds)s, false),
        set_config('lock_timeout', %(milliseconds)s, false)
    WHERE pg_backend_pid() = %(server_process)s
"""


def configure_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Set DATABASE_TIMEOUT_SECONDS and PREPARE_THRESHOLD on the connection, or neither behind a pooler.

    A receiver of ``connection_created``. Takes one round trip for each connection, not for each request.
    The process that a pooler names at the start of a connection is not the one that runs its queries: a
    setting or a prepared statement would be left behind in a process that other clients use.
    """
    if connection.vendor != "postgresql":
        return
    psycopg_connection = connection.connection
    milliseconds = str(round(settings.DATABASE_TIMEOUT_SECONDS * 1000))
    with connection.cursor() as cursor:
        cursor.execute(
            SET_TIMEOUTS,
            {"milliseconds": milliseconds, "server_process": psycopg_connection.info.backend_pid},
        )
        if cursor.fetchone() is None:
            warn_of_pooler()
        else:
            # A query that comes again is planned once for each connection.
            psycopg_connection.prepare_threshold = settings.PREPARE_THRESHOLD or None


def close_ended_connections(**kwargs: Any) -> None:
    """Close this thread's connections that the server has ended: the request opens new ones.

    A receiver of ``request_started``. An idle connection has nothing to read until the server ends it. To
    look takes no round trip, which CONN_HEALTH_CHECKS takes for each request.
    """
    for alias in connections:
        database = connections[alias]
        if database.vendor == "postgresql" and database.connection is not None:
            poll = select.poll()
            poll.register(database.connection.fileno(), select.POLLIN)
            if poll.poll(0):
                database.close()


@cache
def warn_of_pooler() -> None:
    """Log once in this process what a pooler takes away."""
    logger.warning(
        "A connection pooler is in front of PostgreSQL: PREPARE_THRESHOLD and DATABASE_TIMEOUT_SECONDS have "
        "no effect. Set the timeouts in the pooler or on the database's role."
    )
