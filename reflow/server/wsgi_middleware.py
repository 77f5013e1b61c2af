"""WSGI middleware: hand Django only what it can read in a request's path, Content-Type and body."""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

CHARSET = re.compile(r'charset\s*=\s*"?([^\s";]*)', re.IGNORECASE)
CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"}


def readable_requests(application: Application) -> Application:
    """Wrap a WSGI application so that it can read the path, the type and the length of requests."""

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Clients that join a base path and an address with a slash each are answered all the same.
        environ["PATH_INFO"] = f"/{environ.get('PATH_INFO', '').lstrip('/')}"
        if not is_readable(environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = ""
        if "HTTP_TRANSFER_ENCODING" in environ:
            read_chunked_body(environ)
        return application(environ, start_response)

    return wrapped


def is_readable(content_type: str) -> bool:
    """Return whether Django can parse a Content-Type, and decode what comes in its charset.

    Python has codecs that are no charsets (``hex``, ``idna``), on which Django fails with an error of ours,
    and ``name*=`` parameters (RFC 2231) can name one as well.
    """
    return (
        content_type.isascii()
        and (content_type.isprintable() or not content_type)
        and "*" not in content_type
        and all(charset.lower() in CHARSETS for charset in CHARSET.findall(content_type))
    )


def read_chunked_body(environ: Environ) -> None:
    """Read a chunked body and state its length, without which Django takes it for empty.

    The server is one that ends the stream with the body (``wsgi.input_terminated``), as gunicorn does.
    No more is read than shows Django that the body is too large. A body that breaks off is passed on as one
    that is shorter than stated: whoever parses it refuses it.
    """
    try:
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        length = len(body)
    except OSError:
        body, length = b"", 1
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(length)
