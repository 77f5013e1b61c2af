"""Every error the API answers with, as it would be: the reference and the documentation show these.

Nothing is retyped here. Each comes out of the very code that answers requests.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from rest_framework import exceptions
from rest_framework.response import Response

from apikeys.api.exceptions import Refusal, ResourceNotAllowed
from apikeys.api.rate_limits import RateLimited
from reflow.api.errors import PREFIX, answer_to, bad_request, server_error

REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"


@dataclass(frozen=True, slots=True)
class ApiError:
    code: str
    status: int
    body: dict[str, Any]
    challenge: str | None

    @property
    def sentence(self) -> str:
        return str(self.body["error"])


def all_errors() -> list[ApiError]:
    """One of each code, by status."""
    request = RequestFactory().get(PREFIX)
    answers: list[HttpResponse | None] = [answer_to(error) for error in raised()]
    answers += [bad_request(request, SuspiciousOperation()), server_error(request)]
    return sorted((as_error(answer) for answer in answers if answer), key=lambda error: error.status)


def raised() -> Iterator[Exception]:
    """An exception for each error that views and their guards raise."""
    yield from refusals()
    yield exceptions.ValidationError({"perpage": ["Must be a whole number from 1 to 100."]})
    yield exceptions.ParseError()
    yield Http404()
    yield exceptions.MethodNotAllowed("PUT")
    yield exceptions.NotAcceptable()
    yield RequestDataTooBig()
    yield exceptions.UnsupportedMediaType("text/plain")
    yield RateLimited(wait=37)
    yield OperationalError()


def refusals(kind: type[Refusal] = Refusal) -> Iterator[Refusal]:
    """One of every kind of refusal that has a code of its own."""
    if kind is ResourceNotAllowed:
        yield ResourceNotAllowed(required="orders:read", granted=["products:read"])
    elif "default_code" in vars(kind):
        yield kind()
    for narrower in kind.__subclasses__():
        yield from refusals(narrower)


def as_error(answer: HttpResponse) -> ApiError:
    body = answer.data if isinstance(answer, Response) else json.loads(answer.content)
    return ApiError(
        code=body["code"],
        status=answer.status_code,
        body={**body, "request_id": REQUEST_ID},
        challenge=answer.headers.get("WWW-Authenticate"),
    )
