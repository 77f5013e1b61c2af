"""One shape for every error of the API.

Every error is ``{"error": a sentence, "code": snake_case, "request_id": …}``. A refused key adds the details
of its reason, validation adds ``fields``. Addresses of the API get this shape even where no view was reached;
all other pages answer in HTML.
"""

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.conf import settings
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
from django.views import defaults
from django_guid import get_guid
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

PREFIX = "/v1/"
# The API's own prefix, and those that clients guess or that the product's former API had.
PREFIXES = (PREFIX, "/v2/", "/projects/")
RETRY_AFTER_SECONDS = 5

# Field names and values from the body are repeated in validation errors, up to these limits.
MAX_FIELDS = 50
MAX_MESSAGE_LENGTH = 300

# Raised by a database that is down, starting, full or locked. PostgreSQL raises InternalError for a write
# to a read-only server.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
# "cached plan must not change result type": a column that a prepared statement reads has changed since.
FEATURE_NOT_SUPPORTED = "0A000"

MESSAGES = {
    "bad_request": "The request could not be read: check its address, headers and body.",
    "permission_denied": "This is not allowed.",
    "not_found": "There is nothing at this address: check the ids in it.",
    "no_route": (
        f"The API has no such address. Its base path is {PREFIX}, as in {PREFIX}stores/<store>/products/."
    ),
    "unsupported_media_type": "Send the body as JSON, with 'Content-Type: application/json'.",
    "server_error": "Something went wrong on our side. It has been logged; try again in a moment.",
    "conflict": "This conflicts with a change that was saved at the same moment. Read it again, then retry.",
    "unavailable": "The service cannot be reached right now. Try again in a few seconds.",
    "too_large": f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.",
}


def is_api_path(path: str) -> bool:
    """Whether a request for this path gets JSON, whatever becomes of it."""
    return f"{path}/".startswith(PREFIXES)


def error_body(code: str, message: str = "", **extra: Any) -> dict[str, Any]:
    """Build the body of an error; the message defaults to the one in MESSAGES."""
    return {"error": message or MESSAGES[code], "code": code, "request_id": get_guid(), **extra}


def is_unavailable(error: BaseException) -> bool:
    """Return whether the database could not be used, though nothing was wrong with the request.

    A connection whose prepared statements no longer fit the tables is closed: the next one prepares anew.
    """
    if isinstance(error, NotSupportedError) and has_outdated_plan(error):
        for alias in connections:
            connections[alias].close()
        return True
    return isinstance(error, UNAVAILABLE)


def has_outdated_plan(error: NotSupportedError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == FEATURE_NOT_SUPPORTED


def log_unavailable(error: BaseException) -> None:
    """Log the one line there is of a request that failed with the database."""
    logger.error("The database cannot be used: %s", " ".join(str(error).split()))


# Exceptions that DRF's views raise.


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of a DRF view; None leaves it to Django, which calls ``server_error`` below."""
    if is_unavailable(error):
        log_unavailable(error)
    response = response_to(error)
    if response is not None:
        set_rollback()
    return response


def response_to(error: Exception) -> Response | None:
    """Build the response to an exception; None for one that is a fault of the server."""
    if is_unavailable(error):
        response = Response(error_body("unavailable"), status=HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif isinstance(error, Http404):
        response = Response(error_body("not_found"), status=HTTPStatus.NOT_FOUND)
    elif isinstance(error, PermissionDenied):
        response = Response(error_body("permission_denied"), status=HTTPStatus.FORBIDDEN)
    elif isinstance(error, RequestDataTooBig):
        response = Response(error_body("too_large"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    elif isinstance(error, IntegrityError):
        # The serializer has checked the rules already: another request has saved something since.
        response = Response(error_body("invalid", MESSAGES["conflict"], fields={}), status=400)
    elif isinstance(error, exceptions.APIException):
        response = response_to_api_exception(error)
    else:
        return None
    return response


def response_to_api_exception(error: exceptions.APIException) -> Response:
    """Build the response to one of DRF's exceptions, or of ours with ``challenge`` and ``extra``."""
    if isinstance(error, exceptions.ValidationError):
        fields = dict(islice(flatten_errors(error.detail).items(), MAX_FIELDS))
        message = "; ".join(f"{name}: {' '.join(errors)}" for name, errors in fields.items())
        return Response(error_body("invalid", message, fields=fields), status=error.status_code)
    code = "rate_limited" if isinstance(error, exceptions.Throttled) else error.default_code
    message = MESSAGES.get(code, str(error.detail))
    response = Response(error_body(code, message, **getattr(error, "extra", {})), status=error.status_code)
    if challenge := getattr(error, "challenge", None):
        response["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        response["Retry-After"] = str(round(getattr(error, "wait", None) or 1))
    return response


def flatten_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Flatten nested validation errors to ``{"variants.0.price": ["…"]}``."""
    if isinstance(detail, Mapping):
        parts = [
            flatten_errors(value, f"{path}.{key}" if path else str(key)) for key, value in detail.items()
        ]
    elif isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        parts = [flatten_errors(item, f"{path}.{index}") for index, item in enumerate(detail)]
    else:
        messages = detail if isinstance(detail, list) else [detail]
        path = "body" if path in {"", "non_field_errors"} else path
        return {truncate(path): [truncate(str(message)) for message in messages]} if messages else {}
    return {name: messages for part in parts for name, messages in part.items()}


def truncate(text: str) -> str:
    """Cut a text to MAX_MESSAGE_LENGTH and replace lone surrogates, which UTF-8 cannot encode."""
    cut = text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}…"
    return cut.encode(errors="replace").decode()


# Django's error handlers, for requests that reached no DRF view.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_api_path(request.path):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse(error_body("too_large"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return JsonResponse(error_body("bad_request"), status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_path(request.path):
        return JsonResponse(error_body("permission_denied"), status=HTTPStatus.FORBIDDEN)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_path(request.path):
        return JsonResponse(error_body("not_found", MESSAGES["no_route"]), status=HTTPStatus.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody caught, in a view or in middleware."""
    error = sys.exception()
    if error is not None and is_unavailable(error):
        log_unavailable(error)
        return unavailable(request)
    if is_api_path(request.path):
        return JsonResponse(error_body("server_error"), status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Ask the client to retry: the database cannot be used."""
    response: HttpResponse
    if is_api_path(request.path):
        response = JsonResponse(error_body("unavailable"))
    else:
        response = defaults.server_error(request, "503.html")
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
