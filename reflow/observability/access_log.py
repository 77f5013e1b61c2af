"""One line in the log and one count in the metrics for every request."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apikeys.api import middleware
from apikeys.models import Outcome
from reflow.api.addresses import PREFIX
from reflow.observability import health_checks, metrics
from reflow.server.process_metrics import BUSY_THREADS

logger = logging.getLogger("reflow.requests")


class AccessLogMiddleware:
    """Logs and counts requests, but for those that operators' tools send all the time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        with BUSY_THREADS.track_inprogress():
            response = self.get_response(request)
        if request.path_info not in health_checks.PATHS:
            log_request(request, response, perf_counter() - started)
        return response


def log_request(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Log and count an answered request. The query string stays out: people put secrets there."""
    call = getattr(request, "api_call", None)
    key = call.key if call else None
    match = request.resolver_match
    store_id = key.store_id if key else match and match.kwargs.get("store_id")
    method = (request.method or "")[: middleware.MAX_METHOD_LENGTH]
    path = request.path[: middleware.MAX_PATH_LENGTH]
    resource, outcome = resource_of(request), Outcome.for_status_code(response.status_code).value
    metrics.count(resource, method, outcome, response.status_code, seconds)
    fields = {
        "method": method,
        "path": path,
        "status": response.status_code,
        "key": key and key.prefix,
        "store": store_id and str(store_id),
        "resource": resource,
        "outcome": outcome,
        "ms": round(seconds * 1000, 2),
    }
    logger.info("%s %s %s", method, path, response.status_code, extra=fields)


def resource_of(request: HttpRequest) -> str:
    """Return what was asked for: a resource of the API, the rest of the API, a static file, or a page."""
    resource = getattr(middleware.view_class(request), "resource", None)
    if resource is not None:
        return str(resource)
    if request.path.startswith(PREFIX):
        return "api"
    return "static" if request.path.startswith(settings.STATIC_URL) else "pages"
