"""Django's middleware for people, which the API has no use for: its requests pass it by.

The checks of Django's admin and of allauth want each of them in MIDDLEWARE: those that may be subclasses are;
that of sessions is in ``reflow.accounts.sessions``.
"""

from collections.abc import Awaitable

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from reflow.api.addresses import is_api_path


class PagesOnly(MiddlewareMixin):
    """Comes before the middleware in its subclass's bases."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if is_api_path(request.path_info):
            return self.get_response(request)
        return super().__call__(request)


class AuthenticationMiddleware(PagesOnly, auth.AuthenticationMiddleware):
    """Find who is signed in, on pages."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """Keep messages for the page after a redirect."""
