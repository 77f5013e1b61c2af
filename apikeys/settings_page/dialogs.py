"""Dialogs over a page, which are pages of their own without scripts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.html import format_html

from apikeys.models import ApiKey, Trust
from stores.models import Store

# By the name of its template, if it has one: the heading with a key's name, and the button's words and style.
DIALOGS = {
    "new": ("Add API Key", "Save", "primary"),
    "edit": ("Edit {}", "Save changes", "primary"),
    "deactivate": ("Deactivate {}?", "Deactivate", "danger"),
    "reactivate": ("Reactivate {}?", "Reactivate", "primary"),
    "roll": ("Roll {}", "Roll key", "primary"),
    "delete": ("Delete {}?", "Delete key", "danger"),
    "canary": ("Add canary", "Create canary", "primary"),
    "trust_new": ("Trust a workload", "Trust workload", "primary"),
    "trust_edit": ("Edit {}", "Save trust", "primary"),
    "trust_delete": ("Delete {}?", "Delete trust", "danger"),
    "request": ("Request", "", ""),
    "suspended": ("API keys are suspended", "", ""),
}


def render_dialog(
    request: HttpRequest,
    name: str,
    store: Store,
    key: ApiKey | None = None,
    trust: Trust | None = None,
    **context: Any,
) -> HttpResponse:
    """Render the dialog of this name, about a key or a trust of the store or neither.

    In ``context`` are its ``form``; ``action``, where that is sent if not to this address; and ``back``, the
    address that closing leads to if not the page of the key or the trust, or the list.
    """
    heading, submit, style = DIALOGS[name]
    if named := key or trust:
        heading = format_html(heading, format_html("<bdi>{}</bdi>", named.name))
    if key:
        back = resolve_url("apikeys:detail", store.pk, key.prefix)
    elif trust:
        back = resolve_url("apikeys:trust", store.pk, trust.pk)
    else:
        back = resolve_url("apikeys:list", store.pk)
    words = {"heading": heading, "submit": submit, "style": style, "back": back}
    return render(
        request,
        [f"apikeys/{name}.html", "apikeys/dialog.html"],
        words | context | {"store": store, "key": key, "trust": trust},
    )
