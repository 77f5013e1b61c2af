"""The WSGI application that a production server runs: ``reflow.wsgi:application``."""

import gc
import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reflow.settings")


def request_of(environ: dict[str, Any]) -> WSGIRequest:
    """The request, without a Content-Type that cannot be read: Django fails on one before it can say so."""
    try:
        request = WSGIRequest(environ)
        # A form's fields are decoded later, far from here, by the codec that the client chose.
        b"\xff".decode(request.encoding or "utf-8", errors="replace")
    except Exception:  # whatever that codec makes of the query string, or of being asked
        return WSGIRequest({**environ, "CONTENT_TYPE": ""})
    return request


application = get_wsgi_application()
application.request_class = request_of  # type: ignore[assignment]  # called, never subclassed

# What the site is made of stays as long as the process: no need to look for garbage in it again and again.
gc.collect()
gc.freeze()
