"""Whether this process is alive, and whether it is ready to serve: what load balancers ask."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from apikeys.api import rate_limits
from reflow.observability import metrics
from reflow.server.replicas import replicas


def check_database() -> None:
    """Make a new connection, which is given up after ``connect_timeout``: an old one might never answer."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_rate_limits() -> None:
    if not all(rate_limits.limiter().counters.servers().values()):
        raise ConnectionError


CHECKS = {"database": check_database, "limiter": check_rate_limits}


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is alive. Nothing else is asked, so that a fault elsewhere restarts nothing."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer whether the database and the rate limits' counters can be reached: 503 when one cannot.

    Read replicas are named, with their state, and a mail server that is missing: it is ready without them.
    """
    states, status = {}, HTTPStatus.OK
    for name, check in CHECKS.items():
        try:
            check()
            states[name] = "ok"
        except Exception:  # whatever it is, this is not ready
            states[name], status = "failed", HTTPStatus.SERVICE_UNAVAILABLE
    email = {} if settings.MAIL_SERVER else {"email": "EMAIL_URL is not set"}
    copies = {replica.alias: replica.state for replica in replicas()}
    return JsonResponse(states | copies | email, status=status)


PATHS = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics.metrics}


class HealthCheckMiddleware:
    """Answers before anything asks for a host name: load balancers ask by address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PATHS.get(request.path_info, self.get_response)(request)
