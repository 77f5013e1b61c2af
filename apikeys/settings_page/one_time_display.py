"""The one display of a whole key: from the request that created it to the page that shows it.

The key travels in an encrypted cookie, one for each key, that ends with the browser's session, is sent to
one address only and is good for a minute. Nothing on the server holds it, and a copy of the cookie shows
nothing a second time.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from apikeys import key_text
from apikeys.encryption import cipher
from apikeys.models import ApiKey
from stores.models import Store

COOKIE_PREFIX = "created_api_key_"
LIFETIME = timedelta(seconds=60)
PURPOSE = "apikeys.one_time_display"


def redirect_to_key(request: HttpRequest, key: ApiKey, plaintext: str) -> HttpResponse:
    """Redirect to the page that shows a new key, with the cookie that lets who created it see it there."""
    page = reverse("apikeys:created", args=[key.store_id])
    response = redirect(page)
    token = cipher(PURPOSE).encrypt(json.dumps([request.user.pk, plaintext]).encode()).decode()
    response.set_cookie(
        f"{COOKIE_PREFIX}{key.prefix}",
        token,
        path=page,
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


def take_keys(request: HttpRequest, store: Store) -> list[tuple[ApiKey, str]]:
    """Return the keys in this request's cookies and their plaintexts, once, none that is foreign or old."""
    shown = []
    for plaintext in _plaintexts(request):
        key = ApiKey.objects.for_store(store).filter(prefix=key_text.find_prefix(plaintext)).first()
        # Of several who ask at once, one is shown it.
        hidden = ApiKey.objects.filter(pk=key.pk if key else 0, revealed_at=None)
        if key and hidden.update(revealed_at=timezone.now()):
            shown.append((key, plaintext))
    return shown


def delete_key_cookies(response: HttpResponse, request: HttpRequest, store: Store) -> HttpResponse:
    """Take the cookies out of the browser."""
    path = reverse("apikeys:created", args=[store.pk])
    for name in _cookie_names(request):
        response.delete_cookie(name, path=path, samesite="Strict")
    return response


def is_seen(request: HttpRequest) -> bool:
    """Whether somebody sees the answer: not to HEAD, nor to a prefetch (Sec-Purpose, Safari's Purpose)."""
    purposes = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "GET" and not ("prefetch" in purposes or "preview" in purposes)


def _plaintexts(request: HttpRequest) -> Iterator[str]:
    for name in _cookie_names(request):
        try:
            content = cipher(PURPOSE).decrypt(request.COOKIES[name], ttl=int(LIFETIME.total_seconds()))
        except (InvalidToken, ValueError):
            continue
        reader, plaintext = json.loads(content)
        if reader == request.user.pk:
            yield plaintext


def _cookie_names(request: HttpRequest) -> list[str]:
    return [name for name in request.COOKIES if name.startswith(COOKIE_PREFIX)]
