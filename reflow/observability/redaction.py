"""Keep secrets out of logs and error reports.

A key is cut down to its prefix. An Authorization header and cookies are hidden with whatever follows them on
their line: what is in doubt is hidden too.
"""

import re

from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from apikeys import key_text

HIDDEN = "[hidden]"

# Looking for these words spares nearly every text the expressions below. Those are bounded or possessive
# throughout: the time they take grows with the text, not with its square.
SUSPICIOUS = ("authorization", "cookie", "bearer", "basic", "sessionid", "csrftoken", "/accounts/")
QUOTE = r"""(?:['"\])]|&\#x27;|&quot;)*+"""
HEADER = re.compile(rf"((?:authorization|cookie)\w{{0,20}}+{QUOTE}\s*+[:=,]\s*+)\S.*", re.IGNORECASE)
CREDENTIALS = re.compile(
    rf"\b((?:bearer|basic)\s++|(?:sessionid|csrftoken){QUOTE}\s*+[:=]\s*+{QUOTE})[\w.~+/=-]+", re.IGNORECASE
)
# What people are sent by e-mail to prove who they are.
MAILED = re.compile(r"(/(?:reset/key|confirm-email)/)[^/\s'\"]+")


def redact(text: str) -> str:
    """Return the text without secrets, in characters that UTF-8 has."""
    lowered = text.lower()
    if any(word in lowered for word in SUSPICIOUS):
        text = HEADER.sub(rf"\1{HIDDEN}", text)
        text = MAILED.sub(rf"\1{HIDDEN}", text)
        text = CREDENTIALS.sub(rf"\1{HIDDEN}", text)
    # A lone surrogate, which JSON and addresses can bring in, cannot be encoded.
    return key_text.hide_secrets(text).encode(errors="backslashreplace").decode()


class Reporter(ExceptionReporter):
    """Django's report of an exception, local variables included: DEBUG shows it, and it can be mailed."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(redact(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redact(super().get_traceback_text()))
