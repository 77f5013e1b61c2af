"""The headers for which neither Django nor a package has a middleware."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reflow.api.errors import is_api_path


class SecurityHeadersMiddleware:
    """Lets other origins load the API's responses only, and nobody keep a page.

    CORS says how other origins may use the API. A page may hold a key, or customers' data, or a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_api = is_api_path(request.path_info)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin" if is_api else "same-origin"
        if not is_api and not request.path_info.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
