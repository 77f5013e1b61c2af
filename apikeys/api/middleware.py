"""After the response: hand the outcome to usage, and keep what a key opened out of every cache."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from apikeys import addresses
from apikeys.models import ApiKey
from apikeys.usage import recorder
from apikeys.usage.batch import KeyRequest

MAX_METHOD_LENGTH = 10
MAX_CLIENT_LENGTH = 200


class ApiKeyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = getattr(request, "api_key", None)
        if key is not None:
            recorder.record(key_request(key, request, response))
        allowance = getattr(request, "api_allowance", None)
        for name, value in allowance.headers.items() if allowance else ():
            response[name] = value
        if "Authorization" in request.headers or response.status_code == 401:
            response["Cache-Control"] = "no-store"
        elif hasattr(view_class(request), "resource"):
            patch_vary_headers(response, ["Authorization"])
        return response


def key_request(key: ApiKey, request: HttpRequest, response: HttpResponse) -> KeyRequest:
    """Return what usage keeps of a request."""
    return KeyRequest(
        key_id=key.pk,
        store_id=key.store_id,
        at=timezone.now(),
        method=(request.method or "")[:MAX_METHOD_LENGTH],
        resource=getattr(view_class(request), "resource", None) or "",
        access=getattr(request, "api_access", ""),
        status_code=response.status_code,
        address=str(address) if (address := addresses.client_address(request)) else None,
        client=request.headers.get("User-Agent", "").replace("\0", "")[:MAX_CLIENT_LENGTH],
    )


def view_class(request: HttpRequest) -> type | None:
    """The DRF view that answered, or None where the address led to none."""
    match = request.resolver_match
    return getattr(match.func, "cls", None) if match else None
