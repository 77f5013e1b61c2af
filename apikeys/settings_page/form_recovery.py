"""What a browser session holds between two requests: a form nobody has signed for yet, and an undo.

Changing keys takes a password typed within the hour. Whoever has to sign in or confirm it first comes
back to the form with what they had typed.
"""

from typing import Any

from django.http import HttpRequest, QueryDict

from apikeys.models import ApiKey

UNSENT = "apikeys_unsent_form"
UNDO = "apikeys_undo"

# No form that is filled in by hand has more characters; whatever else a stranger sends is not kept for them.
MAX_FORM_CHARACTERS = 5000


def keep_unsent(request: HttpRequest) -> None:
    """Remember what was typed in this form."""
    fields = {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}
    if sum(len(text) for name, values in fields.items() for text in (name, *values)) <= MAX_FORM_CHARACTERS:
        request.session[UNSENT] = {"path": request.path, "fields": fields}


def take_unsent(request: HttpRequest) -> QueryDict | None:
    """What was typed in the form at this address before the sign-in, once."""
    unsent = request.session.get(UNSENT)
    if request.method != "GET" or not unsent or unsent["path"] != request.path:
        return None
    del request.session[UNSENT]
    data = QueryDict(mutable=True)
    for name, values in unsent["fields"].items():
        data.setlist(name, values)
    return data


def offer_undo(request: HttpRequest, key: ApiKey, access: list[str]) -> None:
    """Let the key's page offer the access it had, until the key changes again."""
    request.session[UNDO] = {"key": key.pk, "version": key.version, "access": access}


def undo_for(request: HttpRequest, key: ApiKey) -> list[str] | None:
    """The access that the last click took from or gave to this key, if nothing changed since."""
    undo: dict[str, Any] = request.session.get(UNDO, {})
    return undo["access"] if undo.get("key") == key.pk and undo["version"] == key.version else None
