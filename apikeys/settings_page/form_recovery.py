"""Keep for a browser between two requests: a form that was not sent yet, and an undo.

Changing keys takes a recent sign-in. A person who has to sign in or confirm it first comes back to the form
with what they had typed. It is kept in a cookie of the form's own address: anybody can post a form, signed in
or not, and a row for each in the database would fill it.
"""

from dataclasses import asdict
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict

from apikeys.models import ApiKey
from apikeys.settings_page.refusals import Fix

UNSENT_COOKIE = "apikeys_unsent_form"
TAKEN = "apikeys_taken_form"
UNDO = "apikeys_undo"

# Browsers keep cookies up to 4096 bytes. No form that is filled in by hand is larger than this.
MAX_COOKIE_LENGTH = 3500
UNSENT_SECONDS = 60 * 60


def keep_unsent(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser keep what was typed in this form, unless it is too much for a cookie."""
    fields = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    value = signing.dumps(fields, salt=UNSENT_COOKIE, compress=True)
    if len(value) <= MAX_COOKIE_LENGTH:
        response.set_cookie(
            UNSENT_COOKIE,
            value,
            path=request.path,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )


def take_unsent(request: HttpRequest) -> QueryDict | None:
    """Return what was typed in the form at this address before the sign-in, the first time only."""
    value = request.COOKIES.get(UNSENT_COOKIE, "")
    signature = value.rpartition(":")[2]
    if request.method != "GET" or not value or request.session.get(TAKEN) == signature:
        return None
    try:
        fields = signing.loads(value, salt=UNSENT_COOKIE, max_age=UNSENT_SECONDS)
    except signing.BadSignature:
        return None
    request.session[TAKEN] = signature
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name, values)
    return data


def offer_undo(request: HttpRequest, key: ApiKey, undo: Fix) -> None:
    """Let the message on the key's page offer to take back what was done."""
    request.session[UNDO] = {"key": key.pk, "undo": asdict(undo)}


def take_undo(request: HttpRequest, key: ApiKey) -> Fix | None:
    """Return the click that takes back what was just done to this key, the first time only."""
    offered: dict[str, Any] = request.session.pop(UNDO, {})
    if offered.get("key") != key.pk:
        return None
    return Fix(**offered["undo"])
