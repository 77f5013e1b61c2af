"""The settings page: the list of a store's keys, one key, and what can be done to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apikeys import lifecycle
from apikeys.actors import actor_from_request
from apikeys.lifecycle import StaleKey, StoreSuspended
from apikeys.models import ApiKey, AuditEntry, Status
from apikeys.settings_page import form_recovery, one_time_display
from apikeys.settings_page.decorators import OwnerRequest, recent_login_required, store_owner_required
from apikeys.settings_page.forms import (
    AccessForm,
    DeactivateForm,
    DeleteForm,
    EditKeyForm,
    NewKeyForm,
    ReactivateForm,
    RollForm,
)
from apikeys.settings_page.key_list import Listing, searchable
from apikeys.usage import charts, reports
from stores.models import Store
from stores.resources import Access, Resource


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """A signed-in owner's store, or a choice of them."""
    stores = list(Store.objects.owned_by(request.user))
    if len(stores) == 1:
        return redirect("apikeys:list", stores[0].pk)
    return render(request, "apikeys/stores.html", {"stores": stores})


@require_safe
@store_owner_required
def key_list(request: OwnerRequest, store: Store) -> HttpResponse:
    searched = request.GET.get("q", "")
    if searched != searchable(searched):
        return to_list(request, store, searched)
    return render_list(request, store)


@require_safe
@store_owner_required
def created(request: OwnerRequest, store: Store) -> HttpResponse:
    """The list with the new key shown over it, once; then and for everybody else, the list."""
    created_keys = one_time_display.take_keys(request, store)
    if created_keys:
        shown = [(key, plaintext, readable(key)) for key, plaintext in created_keys]
        response = render_list(request, store, created_keys=shown)
    else:
        response = redirect("apikeys:list", store.pk)
    return one_time_display.delete_key_cookies(response, request, store)


def render_list(request: OwnerRequest, store: Store, **context: Any) -> HttpResponse:
    listing = Listing.from_query(request.GET)
    page = listing.page_of(store)
    keys = list(page)
    periods = reports.of_keys(keys)
    total = reports.of_store(store)
    context |= {
        "store": store,
        "listing": listing,
        "page": page,
        "rows": [(key, periods[key.pk], charts.sparkline(periods[key.pk])) for key in keys],
        "total": total,
        "chart": charts.stacked_bars(total),
        "active": ApiKey.objects.for_store(store).usable().count(),
        "statuses": reversed(Status.choices),
        "has_keys": page.paginator.count or ApiKey.objects.for_store(store).exists(),
    }
    return render(request, "apikeys/list.html", context)


@require_POST
@store_owner_required
def find(request: OwnerRequest, store: Store) -> HttpResponse:
    """What was typed or pasted becomes an address, but never the secret in it."""
    return to_list(request, store, request.POST.get("q", ""))


def to_list(request: OwnerRequest, store: Store, searched: str) -> HttpResponse:
    query = request.GET.copy()
    query["q"] = searchable(searched)
    return redirect(f"{reverse('apikeys:list', args=[store.pk])}?{query.urlencode()}")


@store_owner_required
@recent_login_required
def new_key(request: OwnerRequest, store: Store) -> HttpResponse:
    typed = form_recovery.take_unsent(request)
    form = NewKeyForm(request.POST or typed, store=store)
    if (
        request.method == "POST"
        and form.is_valid()
        and (created_key := form.create(by=actor_from_request(request)))
    ):
        return one_time_display.set_key_cookie(redirect("apikeys:created", store.pk), request, *created_key)
    context = {"store": store, "form": form, "resumed": typed is not None}
    return render(request, "apikeys/new.html", context)


def key_of(store: Store, prefix: str) -> ApiKey:
    """One of the store's keys; 404 for any other."""
    keys = ApiKey.objects.for_store(store).select_related("last_use", "created_by", "predecessor")
    key = get_object_or_404(keys.with_status(), prefix=prefix)
    key.store = store
    return key


def readable(key: ApiKey) -> Resource | None:
    """A resource that a key may read, for an example of how to call it."""
    return next((resource for resource in Resource if key.allows(resource.scope(Access.READ))), None)


@require_safe
@store_owner_required
def key_detail(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    key = key_of(store, prefix)
    family = [key, *filter(None, [key.predecessor]), *key.successors.all()]
    periods = reports.of_keys(family)
    uses = reports.access_against_use(key)
    context = {
        "store": store,
        "key": key,
        "period": periods[key.pk],
        "chart": charts.stacked_bars(periods[key.pk]),
        "family": [(member, periods[member.pk], charts.sparkline(periods[member.pk])) for member in family],
        "uses": uses,
        "suggestions": reports.suggestions(key, uses),
        "undo": form_recovery.undo_for(request, key),
        "history": AuditEntry.objects.for_key(key),
        "example": readable(key),
    }
    return render(request, "apikeys/detail.html", context)


@require_safe
@store_owner_required
def first_request(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """What the key's newest request was, for the dialog that waits for the first: a text, or null."""
    last_use = getattr(key_of(store, prefix), "last_use", None)
    return JsonResponse({"received": str(last_use) if last_use else None})


@store_owner_required
@recent_login_required
def edit_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    if request.method == "POST" and not ApiKey.objects.for_store(store).filter(prefix=prefix).exists():
        return deleted_meanwhile(request, store)
    key = key_of(store, prefix)
    typed = form_recovery.take_unsent(request)
    form = EditKeyForm(request.POST or typed, key=key)
    if request.method == "POST" and form.is_valid() and form.change(by=actor_from_request(request)):
        messages.success(request, f"Saved {key.name}.")
        return redirect("apikeys:detail", store.pk, key.prefix)
    context = {"store": store, "key": key, "form": form, "resumed": typed is not None}
    return render(request, "apikeys/edit.html", context)


def deleted_meanwhile(request: OwnerRequest, store: Store) -> HttpResponse:
    """Somebody deleted the key that was being edited: what was typed can still become a new one."""
    data = request.POST.copy()
    if data.get("expiry") == "keep":
        data["expiry"] = "never"
    form = NewKeyForm(data, store=store)
    form.add_error(
        None,
        "This key was deleted while you were editing it, and nothing was saved. What you entered is below: "
        "Save makes a new key of it.",
    )
    return render(request, "apikeys/new.html", {"store": store, "form": form})


@store_owner_required
@recent_login_required
def deactivate_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    key = key_of(store, prefix)
    form = DeactivateForm(request.POST or form_recovery.take_unsent(request))
    if request.method == "POST" and form.is_valid():
        try:
            lifecycle.deactivate_key(key, by=actor_from_request(request), until=form.until())
        except StaleKey:
            messages.warning(request, f"{key.name} is already off for that long or longer. Nothing changed.")
        else:
            messages.success(request, f"Deactivated {key.name}.")
        return redirect("apikeys:detail", store.pk, key.prefix)
    context = {"store": store, "key": key, "form": form, "impact": reports.impact(key)}
    return render(request, "apikeys/deactivate.html", context)


@store_owner_required
@recent_login_required
def reactivate_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    key = key_of(store, prefix)
    form = ReactivateForm(request.POST or None, initial={"version": key.version})
    if request.method == "POST":
        try:
            form.reactivate(key, by=actor_from_request(request))
        except StaleKey:
            messages.error(request, why_not_reactivated(key))
        else:
            messages.success(request, f"Reactivated {key.name}.")
        return redirect("apikeys:detail", store.pk, key.prefix)
    return render(request, "apikeys/reactivate.html", {"store": store, "key": key, "form": form})


def why_not_reactivated(key: ApiKey) -> str:
    """Return the reason for an owner whose key was left deactivated."""
    if key.is_leaked:
        return "This key was reported as leaked, so it stays off for good. Create a new key instead."
    if key.suspended_at:
        return "An operator suspended this key, so it cannot be reactivated here."
    return "This key has changed meanwhile, so it was not reactivated. This is how it is now."


@store_owner_required
@recent_login_required
def roll_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    key = key_of(store, prefix)
    form = RollForm(request.POST or form_recovery.take_unsent(request))
    if request.method == "POST" and form.is_valid():
        try:
            rolled = lifecycle.roll_key(key, by=actor_from_request(request), overlap=form.duration())
        except StoreSuspended as error:
            form.add_error(None, str(error))
        except StaleKey:
            form.add_error(
                None,
                "This key can no longer be rolled: it was rolled, deactivated or suspended, or has expired.",
            )
        else:
            return one_time_display.set_key_cookie(redirect("apikeys:created", store.pk), request, *rolled)
    context = {"store": store, "key": key, "form": form, "impact": reports.impact(key)}
    return render(request, "apikeys/roll.html", context)


@store_owner_required
@recent_login_required
def delete_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    key = key_of(store, prefix)
    form = DeleteForm(request.POST or form_recovery.take_unsent(request), key=key)
    if request.method == "POST" and form.is_valid():
        lifecycle.delete_key(key, by=actor_from_request(request))
        messages.success(request, f"Deleted {key.name}.")
        return redirect("apikeys:list", store.pk)
    context = {"store": store, "key": key, "form": form, "impact": reports.impact(key)}
    return render(request, "apikeys/delete.html", context)


@require_POST
@store_owner_required
@recent_login_required
def set_access(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Take a suggestion, or undo it: one click on the key's page."""
    key = key_of(store, prefix)
    before = list(key.access)
    form = AccessForm(request.POST, key=key)
    if form.is_valid() and form.change(by=actor_from_request(request)):
        form_recovery.offer_undo(request, key, before)
    else:
        messages.error(request, "The key had changed meanwhile, so nothing was done. This is how it is now.")
    return redirect("apikeys:detail", store.pk, key.prefix)
