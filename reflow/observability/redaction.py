"""What must never be written down, and how it stays out of logs and error reports, whoever makes them.

A key is cut down to its prefix. An Authorization header and cookies are hidden with whatever follows them on
their line: what is in doubt is hidden too.
"""

import logging
import re
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from apikeys import keys

HIDDEN = "[hidden]"

# A look at these spares nearly every text the expressions below.
HINTS = ("authorization", "cookie", "bearer", "basic", "sessionid", "csrftoken", "%2e", "/accounts/")
QUOTE = r"""(?:['"\])]|&\#x27;|&quot;)*"""
HEADER = re.compile(rf"((?:authorization|cookies?)\w*{QUOTE}\s*[:=,]\s*)\S.*", re.IGNORECASE)
CREDENTIALS = re.compile(
    rf"\b((?:bearer|basic)\s+|(?:sessionid|csrftoken){QUOTE}\s*[:=]\s*{QUOTE})[\w.~+/=-]+", re.IGNORECASE
)
# What people are sent by e-mail to prove who they are.
MAILED = re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s'\"]+")
ENCODED_DOT = re.compile(r"(?<=[0-9a-f]{7})%2e(?=[0-9a-f]{8})", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text without anything that opens a door, in characters that can be written."""
    lowered = text.lower()
    for hint in HINTS:
        if hint in lowered:
            text = ENCODED_DOT.sub(".", text)
            text = HEADER.sub(rf"\1{HIDDEN}", text)
            text = MAILED.sub(rf"\1{HIDDEN}", text)
            text = CREDENTIALS.sub(rf"\1{HIDDEN}", text)
            break
    # A lone surrogate, which JSON and addresses can bring in, cannot be encoded.
    return keys.hide_secrets(text).encode(errors="backslashreplace").decode()


class RedactedRecord(logging.LogRecord):
    """A log record whose texts are redacted before any handler or formatter comes to read them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.stack_info:
            self.stack_info = redacted(self.stack_info)

    def getMessage(self) -> str:  # noqa: N802  # logging's name
        try:
            return redacted(super().getMessage())
        except (TypeError, ValueError, KeyError):  # arguments that do not go with the message
            return redacted(f"{self.msg} {self.args}")

    # The first formatter leaves the traceback here, for itself and for all others.
    @property
    def exc_text(self) -> str | None:
        return self._exc_text

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._exc_text = text and redacted(text)


class ReporterFilter(SafeExceptionReporterFilter):
    """Hides what Django knows to be sensitive on DEBUG's pages too, and addresses that hold passwords."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|REDIS", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True


class Reporter(ExceptionReporter):
    """Django's report of an exception, local variables and all: DEBUG shows it, and it can be mailed."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(redacted(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redacted(super().get_traceback_text()))
