"""What operators see of every request, a line in the log and a count, and the answers to their tools."""

import logging
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apikeys.api import middleware
from apikeys.models.outcomes import Outcome
from reflow.api.errors import PREFIX
from reflow.observability import health_checks, metrics
from reflow.observability.logs import Fields
from reflow.observability.redaction import RedactedRecord, redacted

logger = logging.getLogger("reflow.requests")

# Answered here, before anything asks for a host name or for HTTPS.
TOOLS = {"/healthz": health_checks.healthz, "/readyz": health_checks.readyz, "/metrics": metrics.metrics}


class RequestMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if tool := TOOLS.get(request.path_info):
            return tool(request)
        began = perf_counter()
        response = self.get_response(request)
        note(request, response, perf_counter() - began)
        return response


def note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Log and count an answered request. The query string stays out: people put secrets there."""
    key = getattr(request, "api_key", None)
    method = (request.method or "")[: middleware.MAX_METHOD_LENGTH]
    resource = resource_of(request)
    outcome = outcome_of(response.status_code)
    metrics.count(resource, method, outcome, seconds)
    if logger.isEnabledFor(logging.INFO):
        match = request.resolver_match
        store_id = key.store_id if key else match and match.kwargs.get("store_id")
        fields = Fields(
            method=method,
            path=request.path if request.path.startswith(PREFIX) else redacted(request.path),
            status=response.status_code,
            key=key and key.prefix,
            store=store_id and str(store_id),
            resource=resource,
            outcome=outcome,
            ms=round(seconds * 1000, 2),
        )
        # Made here: logging would look up which line of code this is, and take longer than all the rest.
        logger.handle(RedactedRecord(logger.name, logging.INFO, "", 0, fields, (), None))


def resource_of(request: HttpRequest) -> str:
    """What was asked for: a resource of the API, the rest of the API, a static file, or a page."""
    resource = getattr(middleware.view_class(request), "resource", None)
    if resource is not None:
        return str(resource)
    if request.path.startswith(PREFIX):
        return "api"
    return "static" if request.path.startswith(settings.STATIC_URL) else "pages"


@lru_cache
def outcome_of(status_code: int) -> str:
    return Outcome.for_status_code(status_code).value
