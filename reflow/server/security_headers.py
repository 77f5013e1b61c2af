"""The headers for which neither Django nor a package has a middleware."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reflow.api.errors import is_api_path


class SecurityHeadersMiddleware:
    """Lets other origins load the API's responses and static files, and nobody keep a page.

    CORS says how other origins may use the API. Storefronts show a picture of ours for products without one.
    A page may hold a key, or customers' data, or a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = not is_api_path(request.path_info) and not request.path_info.startswith(settings.STATIC_URL)
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin" if is_page else "cross-origin"
        if is_page:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
