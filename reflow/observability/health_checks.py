"""Whether this process is alive, and whether it is ready: what load balancers ask."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from apikeys.api import rate_limits

LONGEST_SECONDS = 2.0


class Check:
    """One thing that has to answer. However many ask, one thread at a time finds out."""

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        self.name = name
        self._check = check
        self._lock = threading.Lock()
        self._result: Future[None] = Future()
        self._result.set_result(None)

    def begin(self) -> Future[None]:
        """The check that is under way, or a new one."""
        with self._lock:
            if self._result.done():
                self._result = Future()
                # Nobody waits at the end of the process for what never answers.
                threading.Thread(target=self._run, args=[self._result], name=self.name, daemon=True).start()
            return self._result

    def _run(self, result: "Future[None]") -> None:
        try:
            self._check()
        except Exception as error:  # whatever it is, this is not ready
            result.set_exception(error)
        else:
            result.set_result(None)


def ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def ask_limiter() -> None:
    if not rate_limits.limiter().counters.check():
        raise ConnectionError


CHECKS = (Check("database", ask_database), Check("limiter", ask_limiter))


def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: it answers. It asks nobody else, so that a fault elsewhere restarts nothing here."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Ready: the database and the rate limits' counters answer, both within LONGEST_SECONDS."""
    deadline = monotonic() + LONGEST_SECONDS
    under_way = [(check.name, check.begin()) for check in CHECKS]
    found = {name: outcome_of(result, deadline) for name, result in under_way}
    is_ready = all(outcome == "ok" for outcome in found.values())
    return JsonResponse(found, status=200 if is_ready else 503)


def outcome_of(result: "Future[None]", deadline: float) -> str:
    try:
        error = result.exception(timeout=max(0, deadline - monotonic()))
    except TimeoutError:
        return "timed out"
    return "failed" if error else "ok"
