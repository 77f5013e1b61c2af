"""The whole key's one journey: from the request that made it to the page that shows it.

It travels in a signed cookie that lives for a minute, is sent to one address only and is consumed there.
Nothing on the server holds it, and a copy of the cookie shows nothing a second time.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apikeys import keys
from apikeys.models import ApiKey
from stores.models import Store

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COOKIE = "created_api_key"
SALT = "apikeys.settings_page.one_time_display"
LIFETIME = timedelta(seconds=60)


def send(response: HttpResponse, request: HttpRequest, key: ApiKey, plaintext: str) -> HttpResponse:
    """Put the key on its way, to the person who made it."""
    response.set_cookie(
        COOKIE,
        signing.dumps([_reader(request), plaintext], salt=SALT),
        max_age=LIFETIME,
        path=reverse("apikeys:created", args=[key.store_id]),
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    return response


def receive(request: HttpRequest, store: Store) -> tuple[ApiKey, str] | None:
    """The key and its plaintext, the first time; None ever after, and for a forged or foreign cookie."""
    try:
        reader, plaintext = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    key = ApiKey.objects.for_store(store).filter(prefix=keys.prefix_of(plaintext)).first()
    if key is None or reader != _reader(request) or not key.reveal():
        return None
    return key, plaintext


def forget(response: HttpResponse, store: Store) -> HttpResponse:
    """Take the cookie out of the browser."""
    response.delete_cookie(COOKIE, path=reverse("apikeys:created", args=[store.pk]), samesite="Strict")
    return response


def _reader(request: HttpRequest) -> str:
    user: User = request.user  # type: ignore[assignment]
    return str(user.pk)
