"""Requests that gunicorn refuses before the site sees them, because it cannot read them."""

import logging

from prometheus_client import Counter

UNREADABLE = Counter(
    "reflow_requests_unreadable", "Requests that the server refused: it could not read them."
)


class CountUnreadableRequests(logging.Filter):
    """Counts gunicorn's warnings of such requests, and drops them: they quote what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith("Invalid request"):
            return True
        UNREADABLE.inc()
        return False
