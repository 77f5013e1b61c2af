"""The WSGI application that a production server runs: ``reflow.wsgi:application``."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reflow.settings")


def request_of(environ: dict[str, Any]) -> WSGIRequest:
    """The request, without a Content-Type that cannot be read: Django fails on one before it can say so."""
    try:
        return WSGIRequest(environ)
    except Exception:  # whatever a codec of the client's choosing makes of the query string
        return WSGIRequest({**environ, "CONTENT_TYPE": ""})


application = get_wsgi_application()
application.request_class = request_of  # type: ignore[assignment]  # called, never subclassed
