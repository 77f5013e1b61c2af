"""Free the threads that wait for a database server that has stopped answering.

PostgreSQL ends a query that takes too long (``statement_timeout``), unless the server itself hangs.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse

from reflow.server.replicas import replicas

CHECK_SECONDS = 0.5


class Waiting(NamedTuple):
    """A request under way: its thread's database connections, and the check that ends them."""

    databases: list[BaseDatabaseWrapper]
    last_check: float


class Deadlines:
    """The requests under way, and a thread that ends those that take too long."""

    def __init__(self) -> None:
        self.requests: dict[int, Waiting] = {}
        # Time is told by the number of checks: a machine that stands still for a while makes none meanwhile.
        self.checks = 0

    def begin(self, seconds: float) -> None:
        """Note that this thread begins a request, which may take so long."""
        databases = [connections[alias] for alias in connections]
        self.requests[threading.get_ident()] = Waiting(databases, self.checks + seconds / CHECK_SECONDS)

    def end(self) -> None:
        del self.requests[threading.get_ident()]

    def start_thread(self) -> None:
        """Watch the requests, once in each process of the server."""
        threading.Thread(target=self.watch, name="deadlines", daemon=True).start()

    def watch(self) -> None:
        while True:
            time.sleep(CHECK_SECONDS)
            self.checks += 1
            silent = replicas().leave_out_silent()
            for waiting in list(self.requests.values()):
                for database in waiting.databases:
                    if waiting.last_check < self.checks or database.alias in silent:
                        end_connection(database)


@cache
def deadlines() -> Deadlines:
    """Return the requests that are under way in this process."""
    return Deadlines()


class RequestDeadlineMiddleware:
    """Ends the database connections of a request that takes twice DATABASE_TIMEOUT_SECONDS: it answers 503.

    One to a read replica that has stopped answering is ended at once: the primary takes its place. On SQLite
    there is no server to wait for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if connection.vendor != "postgresql" or not settings.DATABASE_TIMEOUT_SECONDS:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.deadlines = deadlines()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.deadlines.begin(2 * settings.DATABASE_TIMEOUT_SECONDS)
        try:
            return self.get_response(request)
        finally:
            self.deadlines.end()


def end_connection(database: BaseDatabaseWrapper) -> None:
    """Hang up on the database server, so that the thread that waits for it gets an error."""
    # It may have ended by itself meanwhile.
    with suppress(Exception), socket.socket(fileno=os.dup(database.connection.fileno())) as client:
        client.shutdown(socket.SHUT_RDWR)
