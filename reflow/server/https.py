"""Detect a proxy whose word about HTTPS is not taken: the site would redirect to itself forever."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apikeys import lifecycle
from apikeys.actors import client_actor
from apikeys.models import ApiKey

UNTRUSTED = (
    "The proxy says that this request came by HTTPS, and the site is not told to believe it. Set "
    "TRUST_X_FORWARDED_PROTO=true if the proxy always sets or strips X-Forwarded-Proto."
)
MISSING = (
    "TRUST_X_FORWARDED_PROTO is on, but the proxy sends X-Forwarded-For without X-Forwarded-Proto. Let the "
    "proxy set it, or the site cannot know whether this request came by HTTPS."
)


class HttpsCheckMiddleware:
    """Answers with the variable that is missing where SecurityMiddleware redirects in a circle.

    Where none is, a key that comes over plain HTTP is marked as exposed, before any redirect, limit or route.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.is_secure() or not settings.SECURE_SSL_REDIRECT:
            return self.get_response(request)
        problem = find_problem(request)
        if not problem:
            mark_exposed_key(request)
        response = self.get_response(request)
        if problem and response.headers.get("Location", "").startswith("https://"):
            return HttpResponse(
                f"{problem}\n",
                content_type="text/plain; charset=utf-8",
                status=HTTPStatus.SERVICE_UNAVAILABLE,
            )
        return response


def mark_exposed_key(request: HttpRequest) -> None:
    """Mark the key in the Authorization header of a request over plain HTTP, if there is one."""
    _, _, presented = request.headers.get("Authorization", "").partition(" ")
    if presented:
        for key in ApiKey.objects.with_plaintext([presented.strip(" ")]).filter(exposed_at=None):
            lifecycle.mark_exposed(key, by=client_actor(request))


def find_problem(request: HttpRequest) -> str:
    """Return what is wrong with how the proxy and the settings agree about HTTPS, or nothing."""
    scheme = request.headers.get("X-Forwarded-Proto")
    if not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return UNTRUSTED if scheme == "https" else ""
    return MISSING if scheme is None and "X-Forwarded-For" in request.headers else ""
