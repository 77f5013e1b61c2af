"""What can be done to several keys of the list at once, each with one confirmation."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.models import ApiKey
from apikeys.settings_page import form_recovery
from apikeys.settings_page.decorators import OwnerRequest, recent_login_required, store_owner_required
from apikeys.settings_page.forms import DeactivateForm, DeleteSelectedForm
from apikeys.settings_page.key_list import PER_PAGE
from apikeys.usage import reports
from stores.models import Store


class Selection(NamedTuple):
    """The keys that an action applies to, and how many of the selected ones it leaves out."""

    keys: list[ApiKey]
    skipped: int


def get_selection(store: Store, data: QueryDict, *, applies: Callable[[ApiKey], bool]) -> Selection:
    selected = ApiKey.objects.for_store(store).filter(prefix__in=data.getlist("key")[:PER_PAGE])
    found = list(selected.select_related("last_use").order_by("-created_at"))
    for key in found:
        key.store = store
    keys = [key for key in found if applies(key)]
    return Selection(keys, len(found) - len(keys))


@store_owner_required
@recent_login_required
def deactivate_selected(request: OwnerRequest, store: Store) -> HttpResponse:
    """Deactivate keys; ``?hours=`` chooses for how long."""
    typed = form_recovery.take_unsent(request)
    data = request.POST or typed or request.GET
    selection = get_selection(store, data, applies=lambda key: key.is_deactivatable)
    form = DeactivateForm(request.POST or typed, initial={"hours": data.get("hours", "")})
    if request.method == "POST" and form.is_valid():
        actor, until = actor_from_request(request), form.until()
        changed = lifecycle.deactivate_keys(selection.keys, by=actor, until=until)
        return report(request, store, "Deactivated", changed)
    return confirm(request, store, selection, verb="Deactivate", style="danger", form=form)


@store_owner_required
@recent_login_required
def reactivate_selected(request: OwnerRequest, store: Store) -> HttpResponse:
    data = request.POST or form_recovery.take_unsent(request) or request.GET
    selection = get_selection(store, data, applies=lambda key: key.is_reactivatable)
    if request.method == "POST":
        actor = actor_from_request(request)
        return report(request, store, "Reactivated", lifecycle.reactivate_keys(selection.keys, by=actor))
    return confirm(request, store, selection, verb="Reactivate", style="primary")


@store_owner_required
@recent_login_required
def delete_selected(request: OwnerRequest, store: Store) -> HttpResponse:
    typed = form_recovery.take_unsent(request)
    selection = get_selection(store, request.POST or typed or request.GET, applies=lambda key: True)
    form = DeleteSelectedForm(request.POST or typed)
    if request.method == "POST" and form.is_valid():
        actor = actor_from_request(request)
        return report(request, store, "Deleted", lifecycle.delete_keys(selection.keys, by=actor))
    return confirm(request, store, selection, verb="Delete", style="danger", form=form)


def confirm(request: OwnerRequest, store: Store, selection: Selection, **context: Any) -> HttpResponse:
    """Show what would break if these keys stopped working, each and all together."""
    impacts = reports.impacts(selection.keys)
    context |= {
        "store": store,
        "keys": [(key, impacts[key.pk]) for key in selection.keys],
        "skipped": selection.skipped,
        "impact": reports.total_impact(impacts.values()),
    }
    return render(request, "apikeys/selected.html", context)


def report(request: OwnerRequest, store: Store, done: str, changed: list[ApiKey]) -> HttpResponse:
    """Redirect to the list and say there which keys were changed."""
    if changed:
        names = f"{len(changed)} keys" if len(changed) > 3 else ", ".join(key.name for key in changed)
        messages.success(request, f"{done} {names}.")
    else:
        messages.warning(request, "Nothing was changed.")
    return redirect("apikeys:list", store.pk)
