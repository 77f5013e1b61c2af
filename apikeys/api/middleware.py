"""After the response: hand the outcome to usage, and keep what a key opened out of every cache."""

import re
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_guid import get_guid

from apikeys import client_ip, key_text, renewal
from apikeys.actors import client_actor
from apikeys.api.authentication import find_key_by_text, parse_header
from apikeys.api.call import ApiCall
from apikeys.api.key_lookup import FoundKey
from apikeys.usage import recorder
from apikeys.usage.alarms import is_alarm
from apikeys.usage.batch import KeyRequest

MAX_METHOD_LENGTH = 10
MAX_PATH_LENGTH = 200
MAX_ROUTE_LENGTH = 100
MAX_CLIENT_LENGTH = 200

# A named group of a URL pattern, such as (?P<store_id>[1-9][0-9]{8}) or <int:store_id>.
PARAMETER = re.compile(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>")


class ApiKeyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        call = ApiCall()
        request.api_call = call  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.resolver_match is None and "Authorization" in request.headers:
            # No view looked at the key: what is tried with it counts all the same.
            call.key = find_key_in(request)
        if call.key:
            recorder.record(
                key_request(call.key, call.access, request, response, seconds=perf_counter() - began)
            )
        for name, value in call.allowance.headers.items() if call.allowance else ():
            response[name] = value
        if "Authorization" in request.headers or response.status_code == 401:
            response["Cache-Control"] = "no-store"
        elif view_class(request):
            patch_vary_headers(response, ["Authorization"])
        return response


def find_key_in(request: HttpRequest) -> FoundKey | None:
    """Return the key of a request that led to no view; None for none, or while the database is away."""
    presented = parse_header(request.headers["Authorization"])
    try:
        key = find_key_by_text(presented) if presented else None
        if key and key.replaced_at:
            renewal.report_reuse(key, by=client_actor(request))
    except DatabaseError:
        return None
    return key


def key_request(
    key: FoundKey, access: str, request: HttpRequest, response: HttpResponse, *, seconds: float
) -> KeyRequest:
    """Return what usage and the request log keep of a request: neither its query string nor its body."""
    match = request.resolver_match
    now, reason = timezone.now(), error_code(response)
    return KeyRequest(
        key_id=key.pk,
        store_id=key.store_id,
        prefix=key.prefix,
        at=now,
        method=storable(request.method or "", MAX_METHOD_LENGTH),
        path=storable(request.path, MAX_PATH_LENGTH),
        route=route_of(match.route) if match else "",
        resource=getattr(view_class(request), "resource", None) or "",
        access=access,
        status_code=response.status_code,
        reason=reason,
        milliseconds=round(seconds * 1000),
        address=str(address) if (address := client_ip.client_ip(request)) else None,
        client=storable(request.headers.get("User-Agent", ""), MAX_CLIENT_LENGTH),
        request_id=UUID(get_guid()),
        is_alarm=is_alarm(key, reason, now),
    )


def storable(text: str, length: int) -> str:
    """Return the text cut, without secrets of keys, in characters that every database takes."""
    text = key_text.hide_secrets(text[:length]).replace("\0", "")
    # A short piece of a key that was cut is replaced by a longer word.
    return text.encode(errors="replace").decode()[:length]


@lru_cache
def route_of(pattern: str) -> str:
    """Return a URL pattern as people write it, such as ``/v1/stores/{store_id}/orders/``."""
    path = PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", pattern)
    return f"/{path.replace('^', '').replace('$', '').removesuffix('?')}"[:MAX_ROUTE_LENGTH]


def error_code(response: HttpResponse) -> str | None:
    """Return the code in an error's body; None for no error.

    An error that came up after the view, when nobody could answer in the API's own words, is our mistake.
    """
    if response.status_code < 400:
        return None
    body = getattr(response, "data", None)
    return str(body["code"]) if isinstance(body, dict) and "code" in body else "server_error"


def view_class(request: HttpRequest) -> type | None:
    """The DRF view that answered, or None where the address led to none."""
    match = request.resolver_match
    return getattr(match.func, "cls", None) if match else None
