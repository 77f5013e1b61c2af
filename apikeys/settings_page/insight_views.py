"""What the request log tells an owner about a key: rehearsals of changes, the fence, incidents."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from apikeys import client_ip
from apikeys.insight.rehearsal import rehearse, with_changes
from apikeys.settings_page.decorators import OwnerRequest, store_owner_required
from apikeys.settings_page.forms import EditKeyForm
from apikeys.settings_page.key_views import get_key
from stores.models import Store


@require_POST
@store_owner_required
def rehearse_edit(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Say what the settings in the form would have done: a part of the dialog or, without scripts, all."""
    key = get_key(store, prefix)
    form = EditKeyForm(request.POST, key=key)
    form.is_valid()
    rehearsal = None
    if not {"access", "allowed_addresses", "expiry", "expiry_date"} & form.errors.keys():
        rehearsal = rehearse(
            with_changes(
                key,
                access=form.granted(),
                allowed_addresses=form.cleaned_data["allowed_addresses"],
                expires_at=form.expires_at(),
            )
        )
    context = {"store": store, "key": key, "form": form, "rehearsal": rehearsal}
    if request.htmx:
        return render(request, "apikeys/includes/rehearsal_of_edit.html", context)
    return render(request, "apikeys/edit.html", context | {"address": client_ip.client_ip(request)})
