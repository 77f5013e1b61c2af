"""The metrics that Prometheus reads."""

import hmac
import os
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from reflow.observability.database_metrics import FROM_DATABASE

LABELS = ("resource", "method", "outcome")
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("reflow_requests", "Answered requests.", LABELS)
ERRORS = Counter("reflow_errors", "Requests that the site failed to serve, with a status from 500.")
SECONDS = Histogram("reflow_request_seconds", "Duration of answered requests.", LABELS, buckets=BUCKETS)


def count(resource: str, method: str, outcome: str, status: int, seconds: float) -> None:
    """Count an answered request."""
    requests, histogram = labelled(resource, method if method in METHODS else "other", outcome)
    requests.inc()
    histogram.observe(seconds)
    if status >= 500:
        ERRORS.inc()


@lru_cache
def labelled(*labels: str) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(*labels), SECONDS.labels(*labels)


def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics to a request with METRICS_TOKEN; 404 while that is not set."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    given = request.META.get("HTTP_AUTHORIZATION", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        response = HttpResponse("METRICS_TOKEN is missing.\n", status=401, content_type="text/plain")
        response["WWW-Authenticate"] = 'Bearer realm="Reflow metrics"'
        return response
    return HttpResponse(
        generate_latest(registry()) + generate_latest(FROM_DATABASE), content_type=CONTENT_TYPE_LATEST
    )


def registry() -> CollectorRegistry:
    """Return the metrics of all of gunicorn's processes, or of this process if there are no others."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    of_all_processes = CollectorRegistry()
    MultiProcessCollector(of_all_processes)  # type: ignore[no-untyped-call]
    return of_all_processes
