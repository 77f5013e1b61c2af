"""Django's own middleware, where it does something else here."""

import re
from collections.abc import Awaitable
from http import HTTPStatus

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware import gzip
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from reflow.api.addresses import is_api_path
from reflow.api.errors import answer
from stores.api.base import make_entity_tag

GZIP_REFUSED = re.compile(r"\bgzip\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$)", re.IGNORECASE)
TAGGED = {HTTPStatus.OK, HTTPStatus.CREATED}


class GZipMiddleware(gzip.GZipMiddleware):
    """Compresses answers, but not for ``gzip;q=0``, which Django takes for consent (RFC 9110, 12.5.3)."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if GZIP_REFUSED.search(request.headers.get("Accept-Encoding", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        return super().process_response(request, response)


class ConditionalRequestMiddleware(ConditionalGetMiddleware):
    """Tags what the API answers to every method, and says in its own words that a read's condition failed.

    Writes compare their entity tags inside their transaction.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_api_path(request.path):
            return super().process_response(request, response)
        if response.status_code not in TAGGED or not isinstance(response, HttpResponse):
            return response
        if "ETag" not in response:
            response["ETag"] = make_entity_tag(response.content)
        answered = super().process_response(request, response)
        if answered is not response and answered.status_code == HTTPStatus.PRECONDITION_FAILED:
            return answer("precondition_failed")
        return answered


class PagesOnly(MiddlewareMixin):
    """Lets requests of the API pass by a middleware for people: comes before that in a subclass's bases.

    The checks of Django's admin and of allauth want each of these in MIDDLEWARE: those that may be subclasses
    are; that of sessions is in ``reflow.accounts.sessions``.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if is_api_path(request.path_info):
            return self.get_response(request)
        return super().__call__(request)


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    """Find who is signed in, on pages."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """Keep messages for the page after a redirect."""
