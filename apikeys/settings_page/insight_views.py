"""Pages of what the request log tells about a key: rehearsals of changes, the fence, incidents."""

from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apikeys import client_ip
from apikeys.actors import actor_from_request
from apikeys.insight.fence import addresses_of, plan_fence
from apikeys.insight.incident import investigate
from apikeys.insight.rehearsal import rehearse, with_changes
from apikeys.settings_page import form_recovery, one_time_display
from apikeys.settings_page.decorators import (
    OwnerRequest,
    get_key,
    open_store_required,
    recent_login_required,
    redirect_to_query,
    store_owner_required,
)
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.forms import CanaryForm, EditKeyForm
from apikeys.settings_page.key_views import forecast, render_edit
from apikeys.settings_page.log_search import AddressField, PeriodFilters
from apikeys.settings_page.refusals import Fix
from stores.models import Store
from stores.resources import Access, Resource


class IncidentFilters(PeriodFilters):
    """Of which address the sheet is; blank for all."""

    address = AddressField()


@require_http_methods(["GET", "HEAD", "POST"])
@store_owner_required
def show_incident(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Show what was done with a key on one sheet: ``?address=&from=&to=``."""
    if request.method == "POST":
        return redirect_to_query(request)
    key, form = get_key(store, prefix), IncidentFilters(request.GET)
    incident, address, kept = None, "", []
    if form.is_valid():
        address, start, end = (form.cleaned_data[name] for name in ("address", "from", "to"))
        incident = investigate(key, address=address, start=start, end=end)
        if address and key.is_rollable and key.is_allowed_from(client_ip.parse(address)):
            kept = addresses_of(key, besides=address)
    context = {
        "store": store,
        "key": key,
        "form": form,
        "incident": incident,
        "address": address,
        "kept": kept,
        "keep_out": Fix(
            f"Keep out {address}",
            "access/",
            (("version", str(key.version)), ("allowed_addresses", "\n".join(kept))),
        ),
        "has_fence": plan_fence(key) is not None,
        "may_make": key.allows(Resource.API_KEYS.scope(Access.WRITE)),
        "successors": key.successors.all(),
        "now": timezone.now(),
    }
    return render(request, "apikeys/incident.html", context)


@store_owner_required
@recent_login_required
@open_store_required
def new_canary(request: OwnerRequest, store: Store) -> HttpResponse:
    """Create a key that is made to be found."""
    form = CanaryForm(request.POST or form_recovery.take_unsent(request), store=store)
    if request.method == "POST" and form.is_valid() and (made := form.create(by=actor_from_request(request))):
        return one_time_display.set_key_cookie(redirect("apikeys:created", store.pk), request, *made)
    return render_dialog(request, "canary", store, form=form)


@require_POST
@store_owner_required
def rehearse_edit(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Say what the settings in the form would have done: a part of the dialog or, without scripts, all."""
    try:
        key = get_key(store, prefix)
    except Http404:
        if not request.htmx:
            raise
        # The form says that the key was deleted when it is sent, and keeps what was typed.
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    form = EditKeyForm(request.POST, key=key)
    if "add_called_from" in request.POST:
        form.add_addresses(addresses_of(key))
    form.is_valid()
    rehearsal = None
    if not {"access", "allowed_addresses", "expiry", "expiry_date"} & form.errors.keys():
        rehearsal = rehearse(
            with_changes(
                key,
                access=form.cleaned_data["access"],
                allowed_addresses=form.cleaned_data["allowed_addresses"],
                expires_at=form.expires_at(),
            )
        )
    if request.htmx:
        return render(request, "apikeys/includes/rehearsal.html", forecast(rehearsal))
    return render_edit(request, key, form, rehearsal)
