"""The formatters as the settings make them."""

import logging
from typing import Any

from reflow.observability.logs import RedactedJsonFormatter, RedactedTextFormatter
from reflow.settings import LOGGING

FORMATTERS = LOGGING["formatters"]


def options(name: str) -> dict[str, Any]:
    return {key: value for key, value in FORMATTERS[name].items() if key != "()"}


JSON: logging.Formatter = RedactedJsonFormatter(**options("json"))
TEXT: logging.Formatter = RedactedTextFormatter(**options("text"), defaults={"correlation_id": None})
