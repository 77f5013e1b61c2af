"""Set the headers that differ between pages and the API, or for which there is no middleware."""

from collections.abc import Callable
from typing import cast

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reflow.api.addresses import is_api_path

# Whatever could watch, pay or reach a device. Every file carries the list, so it is short.
UNUSED_FEATURES = "camera display-capture geolocation hid microphone payment serial usb"
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES.split())
# JSON loads nothing and is in no frame.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class SecurityHeadersMiddleware:
    """Lets other origins load the API's responses and static files, and nobody keep a page.

    Pages get the policy of CONTENT_SECURITY_POLICY, for whose views' decorators it is built each time.

    CORS says how other origins may use the API. Storefronts show a picture of ours for products without one.
    A page may hold a key, or customers' data, or a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.get_page = CSPMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = is_api_path(request.path_info)
        response = self.get_response(request) if is_api else cast("HttpResponse", self.get_page(request))
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        if is_api:
            response.headers["Content-Security-Policy"] = API_POLICY
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            return response
        is_file = request.path_info.startswith(settings.STATIC_URL)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin" if is_file else "same-origin"
        if not is_file:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
