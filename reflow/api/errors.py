"""The API's house style: one shape for every error.

Every error is ``{"error": a sentence, "code": snake_case, "request_id": …}``; a refused key adds what its
reason carries, validation adds ``fields``. Routes under ``/v1/`` answer like this even where no view was
reached; all other pages answer in HTML.
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
    connection,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django_guid import get_guid
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

PREFIX = "/v1/"
RETRY_AFTER_SECONDS = 5

# Of what is wrong with a body. Names and values in it are repeated, as far as a person would read them.
MOST_FIELDS = 50
LONGEST_SENTENCE = 300

# What comes of a database that is away, starting, full or in somebody else's hands; PostgreSQL calls it an
# internal error to write to one that is read-only.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)
# "cached plan must not change result type": a column that a prepared statement reads has changed since.
FEATURE_NOT_SUPPORTED = "0A000"

SENTENCES = {
    "bad_request": "The request could not be read: check its address, headers and body.",
    "permission_denied": "This is not allowed.",
    "not_found": "There is nothing here: check the address and the id in it.",
    "server_error": "Something went wrong on our side. It has been noted; try again in a moment.",
    "conflict": "This is at odds with what somebody else has just saved. Read it again, then retry.",
    "unavailable": "The service cannot be reached right now. Try again in a few seconds.",
    "too_large": f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes.",
}


def body_of(code: str, sentence: str = "", **extra: Any) -> dict[str, Any]:
    """The one shape of an error."""
    return {"error": sentence or SENTENCES[code], "code": code, "request_id": get_guid(), **extra}


def is_unavailable(error: BaseException | None) -> bool:
    """Return whether the database could not be used, though nothing was wrong with the request.

    A connection whose prepared statements no longer fit the tables is closed: the next one prepares anew.
    """
    if isinstance(error, NotSupportedError) and has_outdated_plan(error):
        connection.close()
        return True
    return isinstance(error, UNAVAILABLE)


def has_outdated_plan(error: NotSupportedError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == FEATURE_NOT_SUPPORTED


# What views raise.


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None hands on to Django, whose ``server_error`` answers below."""
    if is_unavailable(error):
        logger.error("The database cannot be used: %s", " ".join(str(error).split()))
    answer = answer_to(error)
    if answer is not None:
        set_rollback()
    return answer


def answer_to(error: Exception) -> Response | None:
    """What clients are told of an exception; None of one that is our own mistake."""
    if is_unavailable(error):
        answer = Response(body_of("unavailable"), status=HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif isinstance(error, Http404):
        answer = Response(body_of("not_found"), status=HTTPStatus.NOT_FOUND)
    elif isinstance(error, PermissionDenied):
        answer = Response(body_of("permission_denied"), status=HTTPStatus.FORBIDDEN)
    elif isinstance(error, RequestDataTooBig):
        answer = Response(body_of("too_large"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    elif isinstance(error, IntegrityError):
        # The rules were checked before: somebody else has saved something at the same instant.
        answer = Response(body_of("invalid", SENTENCES["conflict"], fields={}), status=HTTPStatus.BAD_REQUEST)
    elif isinstance(error, exceptions.APIException):
        answer = api_error_response(error)
    else:
        return None
    return answer


def api_error_response(error: exceptions.APIException) -> Response:
    """The answer to one of DRF's exceptions, or of ours that carry a ``challenge`` and ``extra``."""
    if isinstance(error, exceptions.ValidationError):
        fields = dict(islice(fields_of(error.detail).items(), MOST_FIELDS))
        sentence = "; ".join(f"{name}: {' '.join(errors)}" for name, errors in fields.items())
        return Response(body_of("invalid", sentence, fields=fields), status=error.status_code)
    code = "rate_limited" if isinstance(error, exceptions.Throttled) else error.default_code
    answer = Response(
        body_of(code, str(error.detail), **getattr(error, "extra", {})), status=error.status_code
    )
    if challenge := getattr(error, "challenge", None):
        answer["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        answer["Retry-After"] = str(round(getattr(error, "wait", None) or 1))
    return answer


def fields_of(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Validation errors, flat: ``{"variants.0.price": ["…"]}``, in characters that can be sent."""
    if isinstance(detail, Mapping):
        parts = [fields_of(value, f"{path}.{key}" if path else str(key)) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        parts = [fields_of(item, f"{path}.{index}") for index, item in enumerate(detail)]
    else:
        sentences = detail if isinstance(detail, list) else [detail]
        path = "body" if path in {"", "non_field_errors"} else path
        return {sendable(path): [sendable(str(sentence)) for sentence in sentences]} if sentences else {}
    return {name: sentences for part in parts for name, sentences in part.items()}


def sendable(text: str) -> str:
    """The text, cut, and without lone surrogates, which JSON can bring in but UTF-8 cannot send back."""
    cut = text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"
    return cut.encode(errors="replace").decode()


# What Django answers where no view was reached.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith(PREFIX):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse(body_of("too_large"), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return JsonResponse(body_of("bad_request"), status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PREFIX):
        return JsonResponse(body_of("permission_denied"), status=HTTPStatus.FORBIDDEN)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(PREFIX):
        return JsonResponse(body_of("not_found"), status=HTTPStatus.NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """What an exception that nobody caught comes to, raised by a view or by middleware around it."""
    if is_unavailable(sys.exception()):
        return unavailable(request)
    if request.path.startswith(PREFIX):
        return JsonResponse(body_of("server_error"), status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Come back later: the database cannot be used."""
    answer: HttpResponse
    if request.path.startswith(PREFIX):
        answer = JsonResponse(body_of("unavailable"))
    else:
        answer = defaults.server_error(request, "503.html")
    answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer
