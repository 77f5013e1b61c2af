"""Actions on several keys of the list at once, each with one confirmation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor, actor_from_request
from apikeys.models import ApiKey
from apikeys.settings_page import form_recovery
from apikeys.settings_page.decorators import OwnerRequest, store_change
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.forms import DeactivateForm, DeleteSelectedForm, ExtendForm
from apikeys.settings_page.key_list import list_address
from apikeys.usage import reports
from apikeys.usage.periods import TimeRange
from stores.models import Store

# A link with so many prefixes is still within what servers take as an address.
MAX_SELECTED = 300


@dataclass(frozen=True, slots=True)
class Action:
    """An action on each key. ``why_not`` says why a key is left out; blank for one that is not.

    ``why_left`` says why keys that were confirmed may still be as they were.
    """

    verb: str
    done: str
    style: str
    form: type[forms.Form]
    why_not: Callable[[ApiKey], str]
    apply: Callable[[Any, Sequence[ApiKey], Actor], list[ApiKey]]
    why_left: str = "they had changed meanwhile"


def why_not_reactivated(key: ApiKey) -> str:
    if key.leaked_at:
        return "was reported as leaked"
    if key.suspended_at:
        return "was suspended by an operator"
    return "" if key.is_reactivatable else "is not off"


def why_not_extended(key: ApiKey) -> str:
    if key.leaked_at:
        return "was reported as leaked"
    if key.superseded_at:
        return "was rolled"
    return "" if key.expires_at else "has no expiry"


ACTIONS = {
    "deactivate": Action(
        "Deactivate",
        "Deactivated",
        "danger",
        DeactivateForm,
        lambda key: "" if key.is_deactivatable else "is off already",
        lambda form, keys, by: lifecycle.deactivate_keys(keys, by=by, until=form.until()),
    ),
    "reactivate": Action(
        "Reactivate",
        "Reactivated",
        "primary",
        forms.Form,
        why_not_reactivated,
        lambda form, keys, by: lifecycle.reactivate_keys(keys, by=by),
    ),
    "extend": Action(
        "Extend",
        "Extended",
        "primary",
        ExtendForm,
        why_not_extended,
        lambda form, keys, by: lifecycle.extend_keys(keys, by=by, expires_at=form.expires_at()),
        "they end later already or had changed meanwhile",
    ),
    "delete": Action(
        "Delete",
        "Deleted",
        "danger",
        DeleteSelectedForm,
        lambda key: "",
        lambda form, keys, by: lifecycle.delete_keys(keys, by=by),
    ),
}


@store_change
def change_selected(request: OwnerRequest, store: Store, name: str) -> HttpResponse:
    """Show what would be done to the selected keys; do it where that was confirmed."""
    action = ACTIONS[name]
    if action.style == "primary" and hasattr(store, "key_suspension"):
        return render_dialog(request, "suspended", store)
    typed = form_recovery.take_unsent(request)
    data = request.POST or typed or request.GET
    selected = get_selected(store, data)
    skipped = [(key, reason) for key in selected if (reason := action.why_not(key))]
    left_out = {key.pk for key, _ in skipped}
    keys = [key for key in selected if key.pk not in left_out]
    form = action.form(request.POST or typed, initial={"hours": data.get("hours", "")})
    if request.method == "POST" and form.is_valid():
        return report(request, store, action, keys, action.apply(form, keys, actor_from_request(request)))
    periods, now = reports.of_keys(keys, TimeRange.WEEK), timezone.now()
    working = [key for key in keys if key.is_usable(now)]
    context = {
        "store": store,
        "heading": f"{action.verb} {len(keys)} key{pluralize(keys)}?",
        "submit": action.verb if keys else "",
        "style": action.style,
        "step": action,
        "form": form,
        "keys": [(key, periods[key.pk].let_in) for key in keys],
        "skipped": skipped,
        "not_shown": max(0, len(get_prefixes(data)) - MAX_SELECTED),
        # What is refused already cannot break.
        "last_7_days": sum(periods[key.pk].let_in for key in working),
        "refused": len(keys) - len(working),
        "list": data.get("list", ""),
        "back": list_address(request, store),
    }
    return render(request, "apikeys/selected.html", context)


def get_selected(store: Store, data: QueryDict) -> list[ApiKey]:
    """Return the selected keys, the newest first."""
    prefixes = get_prefixes(data)
    selected = ApiKey.objects.for_store(store).filter(prefix__in=prefixes[:MAX_SELECTED])
    found = list(selected.select_related("last_use").order_by("-created_at"))
    for key in found:
        key.store = store
    return found


def get_prefixes(data: QueryDict) -> list[str]:
    """Return what is selected: the keys ticked on the page, and ``more`` elsewhere, between dashes."""
    return [*data.getlist("key"), *filter(None, data.get("more", "").split("-"))]


def report(
    request: OwnerRequest, store: Store, action: Action, keys: list[ApiKey], changed: list[ApiKey]
) -> HttpResponse:
    """Redirect to the list as it was, and say there which keys were changed and which were not."""
    done = {key.prefix for key in changed}
    left = [key.name for key in keys if key.prefix not in done]
    if changed:
        names = ", ".join(key.name for key in changed)
        messages.success(request, f"{action.done} {names if len(changed) <= 3 else f'{len(changed)} keys'}.")
    if left:
        messages.warning(request, f"Left as they are, since {action.why_left}: {', '.join(left)}.")
    if not keys:
        messages.warning(request, "Nothing was changed.")
    return redirect(list_address(request, store))
