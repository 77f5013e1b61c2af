"""Metrics that operators are warned by: usage that waits or is lost, and requests beyond any limit."""

from prometheus_client import Counter, Gauge

USAGE_WAITING = Gauge(
    "reflow_usage_waiting",
    "Requests of keys whose usage could not be written so far.",
    multiprocess_mode="livesum",
)
USAGE_FAILURES = Counter("reflow_usage_failures", "Attempts to write usage that failed.")
USAGE_LOST = Counter("reflow_usage_lost", "Requests of keys that went uncounted.")
REQUESTS_UNLOGGED = Counter(
    "reflow_requests_unlogged", "Requests of keys that are missing from the request log."
)
