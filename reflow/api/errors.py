"""One shape for every error of the API.

Every error is ``{"error": a sentence, "code": snake_case, "request_id": …}``. A refused key adds the details
of its reason, validation adds ``fields``. Addresses of the API get this shape even where no view was reached;
all other pages answer in HTML.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import (
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    connections,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django_guid import get_guid
from rest_framework import exceptions
from rest_framework.response import Response

from apikeys.api.key_management import as_api_error
from apikeys.error_codes import ERROR_CODES
from reflow.api.addresses import PREFIX, is_api_path
from reflow.api.idempotency import Replayed

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5

# Field names and values from the body are repeated in validation errors, up to these limits.
MAX_FIELDS = 50
MAX_MESSAGE_LENGTH = 300

# Raised by a database that is down, starting, full or locked. PostgreSQL raises InternalError for a write
# to a read-only server.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
# "cached plan must not change result type": a column that a prepared statement reads has changed since.
FEATURE_NOT_SUPPORTED = "0A000"

NO_ROUTE = f"The API has no such address. Its base path is {PREFIX}, as in {PREFIX}stores/<store>/products/."
DJANGO_ERRORS: dict[type[Exception], str] = {
    Http404: "not_found",
    PermissionDenied: "permission_denied",
    RequestDataTooBig: "too_large",
}
# DRF's exceptions whose own sentences say less than those of the table.
TERSE = (
    exceptions.MethodNotAllowed,
    exceptions.NotAcceptable,
    exceptions.UnsupportedMediaType,
)


def error_body(code: str, sentence: str = "", **extra: Any) -> dict[str, Any]:
    """Build the body of an error, with the table's sentence unless there is a better one."""
    sentence = sentence or ERROR_CODES[code].sentence
    return {"error": sentence, "code": code, "request_id": get_guid(), **extra}


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database could not be used, though nothing was wrong with the request.

    A connection whose prepared statements no longer fit the tables is closed: the next one prepares anew.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, NotSupportedError) and state == FEATURE_NOT_SUPPORTED:
        for alias in connections:
            connections[alias].close()
        return True
    return isinstance(error, UNAVAILABLE)


def log_unavailable(error: BaseException) -> None:
    """Log the one line there is of a request that failed with the database."""
    logger.error("The database cannot be used: %s", " ".join(str(error).split()))


# Exceptions that DRF's views raise.


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of a DRF view; None leaves it to Django, which calls ``server_error`` below."""
    error = as_api_error(error, context["request"])
    if is_unavailable(error):
        log_unavailable(error)
        return as_response("unavailable", headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    for kind, code in DJANGO_ERRORS.items():
        if isinstance(error, kind):
            return as_response(code)
    if isinstance(error, IntegrityError):
        # The serializer has checked the rules already: another request has saved something since.
        return as_response("conflict", fields={})
    if isinstance(error, Replayed):
        return Response(error.data, status=error.status_code, headers=error.headers)
    if isinstance(error, exceptions.ValidationError):
        return answer_invalid(error)
    return answer_api_exception(error) if isinstance(error, exceptions.APIException) else None


def as_response(
    code: str, sentence: str = "", *, headers: Mapping[str, str] | None = None, **extra: Any
) -> Response:
    """Build the response to an error, with the status that the table has for its code."""
    body = error_body(code, sentence, **extra)
    return Response(body, status=ERROR_CODES[code].status, headers=headers)


def answer_invalid(error: exceptions.ValidationError) -> Response:
    """Name the fields that are wrong; a conflict where nothing is wrong but that values are taken."""
    codes: set[str | None] = set()
    found: dict[str, list[str]] = {}
    for name, message in flatten_errors(error.detail):
        codes.add(message.code)
        found.setdefault(truncate(name), []).append(truncate(message))
    fields = dict(islice(found.items(), MAX_FIELDS))
    sentence = "; ".join(f"{name}: {' '.join(errors)}" for name, errors in fields.items())
    return as_response("conflict" if codes == {"unique"} else "invalid", sentence, fields=fields)


def answer_api_exception(error: exceptions.APIException) -> Response:
    """Answer one of DRF's exceptions, or of ours, which may have ``extra``, ``headers`` and ``wait``."""
    code = str(error.get_codes())
    sentence = "" if isinstance(error, TERSE) else str(error.detail)
    headers = dict(getattr(error, "headers", {}))
    if challenge := getattr(error, "challenge", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(wait)
    return as_response(code, sentence, headers=headers, **getattr(error, "extra", {}))


def flatten_errors(detail: Any, path: str = "") -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    """Yield the messages in nested validation errors, each with its field, such as ``variants.0.price``.

    DRF numbers the items of a list as the keys of a mapping (LIST_SERIALIZER_ERRORS_AS_DICT).
    """
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            yield from flatten_errors(inner, f"{path}.{key}" if path else str(key))
    else:
        for message in detail if isinstance(detail, list) else [detail]:
            yield "body" if path in {"", "non_field_errors"} else path, message


def truncate(text: str) -> str:
    """Cut a text to MAX_MESSAGE_LENGTH and replace lone surrogates, which UTF-8 cannot encode."""
    cut = text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}…"
    return cut.encode(errors="replace").decode()


# Django's error handlers, for requests that reached no DRF view.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_or_show(request, DJANGO_ERRORS.get(type(exception), "bad_request"), page="400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_or_show(request, "permission_denied", page="403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = "" if request.path.startswith(PREFIX) else NO_ROUTE
    return answer_or_show(request, "not_found", sentence, page="404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody caught, in a view or in middleware."""
    error = sys.exception()
    if error is not None and is_unavailable(error):
        log_unavailable(error)
        return unavailable(request)
    return answer_or_show(request, "server_error", page="500.html")


def unavailable(request: HttpRequest) -> HttpResponse:
    """Ask the client to retry: the database cannot be used."""
    response = answer_or_show(request, "unavailable", page="503.html")
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def answer_or_show(request: HttpRequest, code: str, sentence: str = "", *, page: str) -> HttpResponse:
    """Answer in JSON below the API's addresses, elsewhere with the page, named after its status."""
    if is_api_path(request.path):
        return answer(code, sentence)
    # Nothing of the request: what failed may be what a context processor asks.
    return HttpResponse(render_to_string(page), status=int(page.removesuffix(".html")))


def answer(code: str, sentence: str = "") -> HttpResponse:
    """Build the response to an error outside of DRF's views; like theirs, it has its body as ``data`` too."""
    body = error_body(code, sentence)
    response = JsonResponse(body, status=ERROR_CODES[code].status)
    response.data = body  # type: ignore[attr-defined]  # usage reads the code in it
    return response
