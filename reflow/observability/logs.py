"""Formatters of log records: JSON for machines, a line each, or text for developers."""

import logging
import logging.config
import re
from datetime import datetime
from typing import Any

from prometheus_client import Counter
from pythonjsonlogger.msgspec import MsgspecFormatter

from reflow.observability.redaction import redact

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

UNREADABLE = Counter(
    "reflow_requests_unreadable", "Requests that the server refused: it could not read them."
)

# What is written as it is; anything else as text.
PLAIN = (bool, int, float, datetime, type(None))


def configure(settings: dict[str, Any]) -> None:
    """Configure logging, warnings included; Django's LOGGING_CONFIG."""
    logging.captureWarnings(capture=True)
    # Python's report of a record that could not be written would quote it with its secrets.
    logging.raiseExceptions = False
    # No line says which thread or process wrote it, and to find that out is half of the time of a record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.config.dictConfig(settings)


class RedactedJsonFormatter(MsgspecFormatter):
    """A record as one line of JSON, its ``extra`` fields included, without secrets."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        # An object, of which nothing can be told in a line.
        log_data.pop("request", None)
        texts = {name: str(value) for name, value in log_data.items() if not isinstance(value, PLAIN)}
        together = "\n".join([f"{name}: {text}" for name, text in texts.items()])
        # One look at all of them spares nearly every record a look at each.
        if redact(together) != together:
            texts = {
                name: redact(f"{name}: {text}").removeprefix(f"{name}: ") for name, text in texts.items()
            }
        return log_data | texts

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the line, in which no character commands a terminal."""
        line = super().jsonify_log_record(log_data)
        return CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


class RedactedTextFormatter(logging.Formatter):
    """A record as text, without secrets.

    All lines but the first are indented, and control characters are escaped: no text that a client sends can
    look like another record, or command a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = redact(super().format(record)).replace("\n", "\n    ")
        return CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], text)


class CountUnreadableRequests(logging.Filter):
    """Counts gunicorn's warnings of such requests, and drops them: they quote what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith("Invalid request"):
            return True
        UNREADABLE.inc()
        return False


class WithoutUnavailable(logging.Filter):
    """Drops Django's line about an answer of 503: ``reflow.api.errors`` has logged the reason."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503
