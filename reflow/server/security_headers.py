"""The outermost middleware: no answer goes out without the headers that keep browsers careful.

Only what nobody has set further in is added. So the strictest comes last, and holds for whatever Django and
WhiteNoise answer on their own: redirects, refusals, files, pages of errors.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from reflow.api.errors import is_api_path

UNUSED = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope hid "
    "magnetometer microphone midi payment serial usb xr-spatial-tracking"
)
EVERYWHERE = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED.split()),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Every page of every origin may call the API; CORS says how.
API = EVERYWHERE | {"Cross-Origin-Resource-Policy": "cross-origin"}
FILES = EVERYWHERE | {"Cross-Origin-Resource-Policy": "same-origin"}
# A page may hold a key, or customers' data, or a token of somebody's.
PAGES = FILES | {"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"}


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_api_path(request.path_info):
            # Nothing further in has better ones, and to look for them takes longer.
            for name, value in API.items():
                response.headers[name] = value
        else:
            is_file = request.path_info.startswith(settings.STATIC_URL)
            for name, value in (FILES if is_file else PAGES).items():
                response.headers.setdefault(name, value)
        return response
