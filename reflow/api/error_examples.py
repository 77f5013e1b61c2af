"""An example of every error that the API answers with, for the reference and the documentation.

The examples are built by the code that answers requests, so that they cannot differ from real errors.
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
from reflow.api.errors import PREFIX, bad_request, response_to, server_error
from reflow.api.renderers import NOT_ACCEPTABLE

REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"


@dataclass(frozen=True, slots=True)
class ErrorExample:
    code: str
    status: int
    body: dict[str, Any]
    challenge: str | None

    @property
    def message(self) -> str:
        return str(self.body["error"])


def get_error_examples() -> list[ErrorExample]:
    """Return one example of each code, sorted by status."""
    request = RequestFactory().get(PREFIX)
    responses: list[HttpResponse | None] = [response_to(error) for error in get_exceptions()]
    responses += [bad_request(request, SuspiciousOperation()), server_error(request)]
    examples = [example_of(response) for response in responses if response]
    return sorted(examples, key=lambda example: example.status)


def get_exceptions() -> Iterator[Exception]:
    """Yield an exception for each error that views raise."""
    yield from get_refusals()
    yield exceptions.ValidationError({"perpage": ["Must be a whole number from 1 to 100."]})
    yield exceptions.ParseError()
    yield Http404()
    yield exceptions.MethodNotAllowed("PUT")
    yield exceptions.NotAcceptable(NOT_ACCEPTABLE)
    yield RequestDataTooBig()
    yield exceptions.UnsupportedMediaType("text/plain")
    yield RateLimited(wait=37)
    yield OperationalError()


def get_refusals(refusal: type[Refusal] = Refusal) -> Iterator[Refusal]:
    """Yield an instance of each subclass of Refusal that has a code of its own."""
    if refusal is ResourceNotAllowed:
        yield ResourceNotAllowed(required="orders:read", granted=["products:read"])
    elif "default_code" in vars(refusal):
        yield refusal()
    for subclass in refusal.__subclasses__():
        yield from get_refusals(subclass)


def example_of(response: HttpResponse) -> ErrorExample:
    body = response.data if isinstance(response, Response) else json.loads(response.content)
    return ErrorExample(
        code=body["code"],
        status=response.status_code,
        body={**body, "request_id": REQUEST_ID},
        challenge=response.headers.get("WWW-Authenticate"),
    )
