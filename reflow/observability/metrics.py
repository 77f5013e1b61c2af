"""What Prometheus reads: requests as they are answered, and whatever else the process has measured."""

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

from reflow.observability.letter_metrics import LETTERS

LABELS = ("resource", "method", "outcome")
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("reflow_requests", "Requests that were answered.", LABELS)
SECONDS = Histogram("reflow_request_seconds", "How long the answers took.", LABELS, buckets=BUCKETS)


def count(resource: str, method: str, outcome: str, seconds: float) -> None:
    """Count a request that was answered."""
    requests, histogram = _of(resource, method if method in METHODS else "other", outcome)
    requests.inc()
    histogram.observe(seconds)


@lru_cache
def _of(*labels: str) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(*labels), SECONDS.labels(*labels)


def metrics(request: HttpRequest) -> HttpResponse:
    """Everything of all processes, for whoever has METRICS_TOKEN. Without one, there is no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    given = request.META.get("HTTP_AUTHORIZATION", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        answer = HttpResponse("METRICS_TOKEN is missing.\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = 'Bearer realm="Reflow metrics"'
        return answer
    return HttpResponse(
        generate_latest(registry()) + generate_latest(LETTERS), content_type=CONTENT_TYPE_LATEST
    )


def registry() -> CollectorRegistry:
    """What has been measured: by all of gunicorn's processes together, or by this one if it is alone."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together
