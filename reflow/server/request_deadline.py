"""Free the threads that wait for a database server that has stopped answering.

PostgreSQL ends a query that takes too long (``statement_timeout``), unless the server itself hangs.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

from reflow.server.replicas import replicas

CHECK_SECONDS = 0.5

# The requests under way, by their threads: their database connections, and the time at which those end.
under_way: dict[int, tuple[list[BaseDatabaseWrapper], float]] = {}


class RequestDeadlineMiddleware:
    """Ends the database connections of a request that takes twice DATABASE_TIMEOUT_SECONDS: it answers 503.

    One to a read replica that has stopped answering is ended at once: the primary takes its place. On SQLite
    there is no server to wait for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if connection.vendor != "postgresql" or not settings.DATABASE_TIMEOUT_SECONDS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        databases = [connections[alias] for alias in connections]
        thread = threading.get_ident()
        under_way[thread] = databases, time.monotonic() + 2 * settings.DATABASE_TIMEOUT_SECONDS
        try:
            return self.get_response(request)
        finally:
            del under_way[thread]


def watch() -> None:
    """End what has taken too long, again and again: a thread of each process of the server."""
    while True:
        time.sleep(CHECK_SECONDS)
        silent = {replica.alias: replica for replica in replicas() if replica.is_silent}
        for replica in silent.values():
            replica.leave_out()
        now = time.monotonic()
        for databases, ends_at in list(under_way.values()):
            for database in databases:
                if ends_at < now or database.alias in silent:
                    end_connection(database)


def end_connection(database: BaseDatabaseWrapper) -> None:
    """Hang up on the database server, so that the thread that waits for it gets an error."""
    # It may have ended by itself meanwhile.
    with suppress(Exception), socket.socket(fileno=os.dup(database.connection.fileno())) as client:
        client.shutdown(socket.SHUT_RDWR)
