"""The clicks on a key's page, each of which changes the key at once."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.insight.fence import plan_fence
from apikeys.lifecycle import StaleKey
from apikeys.models import ApiKey, AuditEntry, Refusal
from apikeys.settings_page.decorators import OwnerRequest, key_change
from apikeys.settings_page.form_recovery import offer_undo
from apikeys.settings_page.forms import AccessForm, VersionForm
from apikeys.settings_page.refusals import Fix, undo_leaving

CHANGED = "The key has changed meanwhile, so nothing was done. This is how it is now."


def click(action: Callable[[OwnerRequest, ApiKey], str]) -> Callable[..., HttpResponseBase]:
    """The action returns what was done, in a sentence. It raises StaleKey where that is not to be done."""

    @require_POST
    @key_change
    @wraps(action)
    def view(request: OwnerRequest, key: ApiKey) -> HttpResponse:
        try:
            messages.success(request, action(request, key))
        except StaleKey:
            messages.error(request, CHANGED)
        return redirect("apikeys:detail", key.store_id, key.prefix)

    return view


@click
def set_access(request: OwnerRequest, key: ApiKey) -> str:
    """Grant what was refused or remove what is not used, or undo that."""
    had = {"access": list(key.access), "allowed_addresses": list(key.allowed_addresses)}
    version = key.version
    AccessForm(request.POST).change(key, by=actor_from_request(request))
    if key.version == version:
        raise StaleKey
    if "undo" not in request.POST:
        offer_undo(request, key, undo_access(had, key))
    return AuditEntry.objects.for_key(key)[0].sentence


def undo_access(had: dict[str, list[str]], key: ApiKey) -> Fix:
    """Return the click that takes a change of access or addresses back."""
    fields = [("access", scope) for scope in had["access"] if had["access"] != key.access]
    if had["allowed_addresses"] != key.allowed_addresses:
        fields.append(("allowed_addresses", "\n".join(had["allowed_addresses"])))
    return Fix("Undo", "access/", (("version", str(key.version)), ("undo", "1"), *fields))


@click
def leave_refusal(request: OwnerRequest, key: ApiKey) -> str:
    """Leave refused what the owner wants refused, or make it an alarm again with ``undo``."""
    refusals = {str(refusal.pk): refusal for refusal in Refusal.objects.filter(key=key)}
    refusal = refusals.get(request.POST.get("refusal", ""))
    if refusal is None:
        raise StaleKey
    row = Refusal.objects.filter(pk=refusal.pk)
    if "undo" in request.POST:
        row.reopen()
        return "These requests need attention again."
    row.leave()
    offer_undo(request, key, undo_leaving(refusal))
    return "Left refused. Such requests are counted, and are no alarm any more."


@click
def fence(request: OwnerRequest, key: ApiKey) -> str:
    """Fence a key to what it was seen to do, or take the fence away with ``undo``."""
    actor, version = actor_from_request(request), VersionForm(request.POST).read_version()
    if "undo" in request.POST:
        lifecycle.unfence_key(key, by=actor, version=version)
        return f"Took the fence around {key.name} away. It may do what it could before."
    plan = plan_fence(key)
    if plan is None:
        raise StaleKey
    access, addresses = plan.access, plan.allowed_addresses
    lifecycle.fence_key(key, by=actor, version=version, access=access, allowed_addresses=addresses)
    return f"Fenced {key.name}. For 48 hours we tell you what the fence refuses."


@click
def end_old_key(request: OwnerRequest, key: ApiKey) -> str:
    """End a rolled key now, or with ``day`` let it work for one more day."""
    later = timedelta(days=1) if "day" in request.POST else None
    lifecycle.end_old_key(key, by=actor_from_request(request), later=later)
    what = "works for one more day" if later else "has ended: requests with it are refused"
    return f"The old key {key.prefix} {what}."


@click
def watch_rhythm(request: OwnerRequest, key: ApiKey) -> str:
    """Let the owners be told when the key falls silent, with ``watched``, or not any more."""
    watched = "watched" in request.POST
    lifecycle.watch_rhythm(key, by=actor_from_request(request), watched=watched)
    return f"{'We tell you' if watched else 'We do not tell you any more'} when {key.name} falls silent."
