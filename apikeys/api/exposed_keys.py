"""Keys that come over plain HTTP to a site on HTTPS: others could read them, whatever the answer is."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apikeys import lifecycle
from apikeys.actors import client_actor
from apikeys.models import ApiKey


class ExposedKeyMiddleware:
    """Marks the key in the Authorization header as exposed, before any redirect, limit or route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        header = request.headers.get("Authorization", "")
        if header and is_exposed(request):
            _, _, presented = header.partition(" ")
            for key in ApiKey.objects.with_plaintext([presented.strip(" ")]).filter(exposed_at=None):
                lifecycle.mark_exposed(key, by=client_actor(request))
        return self.get_response(request)


def is_exposed(request: HttpRequest) -> bool:
    """Whether a request came over plain HTTP, and no proxy says otherwise.

    Where the site is not told to believe its proxy, HttpsCheckMiddleware warns of that instead.
    """
    is_plain = settings.SECURE_SSL_REDIRECT and not request.is_secure()
    return is_plain and request.headers.get("X-Forwarded-Proto") != "https"
