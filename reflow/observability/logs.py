"""How log records are written: as JSON for machines, a line each, or as text for people who develop."""

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import orjson
from django_guid import get_guid

from apikeys import keys
from reflow.observability.redaction import RedactedRecord, redacted


def configure(settings: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: nothing is logged that is not redacted, and warnings are logged too."""
    logging.setLogRecordFactory(RedactedRecord)
    logging.captureWarnings(capture=True)
    # What nobody writes is not found out for every record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # The report of a record that could not be written would quote it as it was.
    logging.raiseExceptions = False
    logging.config.dictConfig(settings)


class WithoutTraceback(logging.Filter):
    """Remove the traceback from records whose message says everything."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


class Fields(dict[str, Any]):
    """A message that is data: JSON keeps it apart, and people read it in a row."""

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.items() if value is not None)


# What every record has, besides what was given to it as ``extra``; and what cannot be told in a line.
USUAL = frozenset(vars(RedactedRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "request"}


class JsonFormatter(logging.Formatter):
    """When, how bad, who says it, in which request, and what; then any ``extra``, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "request_id": get_guid(),
        }
        if type(record.msg) is Fields:
            line.update(record.msg)
        else:
            line["message"] = record.getMessage()
            self.add_rest(line, record)
        # Keys once more: fields come here as they are.
        return keys.hide_secrets(as_json(line))

    def add_rest(self, line: dict[str, Any], record: logging.LogRecord) -> None:
        for name, value in vars(record).items():
            if name not in USUAL:
                line[name] = value if isinstance(value, bool | int | float) else redacted(str(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info


def as_json(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        return json.dumps(line, default=str)
