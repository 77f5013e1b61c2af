"""Trusted workloads: the list, one trust with its exchanges, and what can be done to it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.http import require_POST, require_safe

from apikeys import client_ip, trusts
from apikeys.actors import actor_from_request
from apikeys.models import ApiKey, AuditEntry, Event, TokenExchange, Trust
from apikeys.models.trust import GITHUB, GITLAB
from apikeys.settings_page import form_recovery
from apikeys.settings_page.decorators import (
    OwnerRequest,
    open_store_required,
    recent_login_required,
    store_owner_required,
)
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.trust_form import TrustForm
from apikeys.usage import reports
from stores.models import Store

MAX_EXCHANGES = MAX_CHANGES = 50
WORKFLOWS = {GITHUB: "github", GITLAB: "gitlab"}


@require_safe
@store_owner_required
def show_trusts(request: OwnerRequest, store: Store) -> HttpResponse:
    return render(
        request, "apikeys/trusts.html", {"store": store, "trusts": Trust.objects.filter(store=store)}
    )


@store_owner_required
@recent_login_required
@open_store_required
def change_trust(request: OwnerRequest, store: Store, pk: int | None = None) -> HttpResponse:
    """Show the form of a trust, or of a new one, or save what was typed."""
    trust = None if pk is None else get_trust(store, pk)
    typed = form_recovery.take_unsent(request)
    form = TrustForm(request.POST or typed, store=store, trust=trust)
    if request.method == "POST" and form.is_valid():
        saved = form.save(by=actor_from_request(request))
        if saved:
            messages.success(request, f"Saved {saved.name}.")
            return redirect("apikeys:trust", store.pk, saved.pk)
    return render_dialog(
        request,
        "trust_edit" if trust else "trust_new",
        store,
        form=form,
        trust=trust,
        resumed=typed is not None,
        address=client_ip.client_ip(request),
        back=resolve_url("apikeys:trust", store.pk, trust.pk)
        if trust
        else resolve_url("apikeys:trusts", store.pk),
    )


@require_safe
@store_owner_required
def show_trust(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Show one trust: which workload it takes, its exchanges with their requests, and how to use it."""
    trust = get_trust(store, pk)
    workflow = WORKFLOWS.get(trust.issuer, "shell")
    history = AuditEntry.objects.for_store(store).filter(details__trust=trust.pk)
    context = {
        "store": store,
        "trust": trust,
        "exchanges": with_requests(trust.exchanges.all()[:MAX_EXCHANGES]),
        # Exchanges have a list of their own.
        "history": history.exclude(event=Event.EXCHANGED)[:MAX_CHANGES],
        "workflow": f"apikeys/examples/token_{workflow}.txt",
        "site_url": settings.SITE_URL,
    }
    return render(request, "apikeys/trust.html", context)


def with_requests(exchanges: Any) -> list[tuple[TokenExchange, ApiKey | None, int]]:
    """Return exchanges with their keys, as long as those are there, and how many requests each has made."""
    keys = {key.prefix: key for key in ApiKey.objects.filter(prefix__in=[each.prefix for each in exchanges])}
    periods = reports.of_keys(list(keys.values())) if keys else {}
    return [(each, key := keys.get(each.prefix), periods[key.pk].total if key else 0) for each in exchanges]


@require_POST
@store_owner_required
@recent_login_required
def pause_trust(request: OwnerRequest, store: Store, pk: int, *, paused: bool) -> HttpResponse:
    """Pause a trust or resume it."""
    trust = get_trust(store, pk)
    if trusts.set_paused(trust, by=actor_from_request(request), paused=paused):
        done = f"Paused {trust.name}. Its keys have ended." if paused else f"Resumed {trust.name}."
        messages.success(request, done)
    return redirect("apikeys:trust", store.pk, trust.pk)


@store_owner_required
@recent_login_required
def delete_trust(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Ask whether a trust is to be deleted, or delete it."""
    trust = get_trust(store, pk)
    if request.method == "POST":
        trusts.delete_trust(trust, by=actor_from_request(request))
        messages.success(request, f"Deleted {trust.name}. Its keys have ended.")
        return redirect("apikeys:trusts", store.pk)
    back = resolve_url("apikeys:trust", store.pk, trust.pk)
    return render_dialog(request, "trust_delete", store, trust=trust, back=back)


def get_trust(store: Store, pk: int) -> Trust:
    """Return one of the store's trusts; 404 for any other."""
    trust = get_object_or_404(Trust.objects.select_related("created_by"), store=store, pk=pk)
    trust.store = store
    return trust
