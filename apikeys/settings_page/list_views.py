"""The list of a store's keys, and how a key is added to it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from apikeys import client_ip
from apikeys.actors import actor_from_request
from apikeys.models import ApiKey, LoggedRequest
from apikeys.models.key import grouped_by_state
from apikeys.models.state import attention_lines
from apikeys.settings_page import form_recovery, key_list, one_time_display
from apikeys.settings_page.decorators import (
    LIST_ID,
    OwnerRequest,
    get_key,
    open_store_required,
    store_change,
    store_owner_required,
)
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.forms import NewKeyForm
from apikeys.settings_page.key_list import Listing
from apikeys.settings_page.key_views import readable, render_key
from apikeys.settings_page.requests import read_search
from apikeys.usage import charts, reports
from stores.models import Store


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to a signed-in owner's store, or show a choice of them."""
    stores = list(Store.objects.owned_by(request.user))
    if len(stores) == 1:
        return redirect("apikeys:list", stores[0].pk)
    return render(request, "apikeys/stores.html", {"stores": stores})


@require_safe
@store_owner_required
def show_list(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show the list, or only its rows where htmx replaces them."""
    listing = Listing.from_query(store, request.GET)
    if request.htmx.target == LIST_ID:
        return render(request, "apikeys/includes/keys.html", rows_context(store, listing))
    return render_list(request, store, listing)


@require_POST
@store_owner_required
def find(request: OwnerRequest, store: Store) -> HttpResponse:
    """Turn what was typed or pasted into an address, but never the secret in it."""
    request_id = read_search(request.POST.get("q", "").strip())[0]
    if request_id and LoggedRequest.objects.filter(store=store, request_id=request_id).exists():
        return redirect(f"{reverse('apikeys:requests', args=[store.pk])}?q={request_id}")
    listing = Listing.from_query(store, request.POST)
    if request.htmx:
        response = render(request, "apikeys/includes/keys.html", rows_context(store, listing))
        return replace_url(response, listing.url)
    return redirect(listing.url)


@require_safe
@store_owner_required
@transaction.atomic
def created(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show new keys over the list, once; the key that replaces another, over its own page.

    In one transaction: where the page cannot be made, nobody has seen the keys, and they can be shown again.
    """
    response: HttpResponse = redirect("apikeys:list", store.pk)
    if not one_time_display.is_seen(request):
        return response
    new_keys: list[dict[str, Any]] = [
        {"key": key, "plaintext": plaintext, "url": request.build_absolute_uri(example_path(key))}
        for key, plaintext in one_time_display.take_keys(request, store)
    ]
    if len(new_keys) == 1 and new_keys[0]["key"].predecessor_id:
        key = get_key(store, new_keys[0]["key"].prefix)
        back = resolve_url("apikeys:detail", store.pk, key.prefix)
        response = render_key(request, store, key, created=new_keys, back=back)
    elif new_keys:
        listing = Listing.from_query(store, QueryDict())
        response = render_list(request, store, listing, created=new_keys, back=listing.url)
    return one_time_display.delete_key_cookies(response, request, store)


def example_path(key: ApiKey) -> str:
    """Return the path of something that a key may read."""
    resource = readable(key)
    return f"/v1/stores/{key.store_id}/{resource.path}/" if resource else "/v1/api-key/"


def render_list(request: OwnerRequest, store: Store, listing: Listing, **context: Any) -> HttpResponse:
    total = reports.of_store(store, listing.time_range)
    rows = rows_context(store, listing)
    is_narrowed = listing.q or listing.access
    counts = grouped_by_state().for_store(store).kept().count_by_state() if is_narrowed else rows["counts"]
    context |= rows | {
        "total": total,
        "attention": attention_lines(counts),
        "found_canaries": (
            ApiKey.objects.for_store(store).in_state("canary-used").select_related("last_use")
            if counts["canary-used"]
            else []
        ),
        "chart": charts.stacked_bars(total) if total.total else None,
        "working": counts["working"],
        "has_keys": counts["all"] > 0,
    }
    return render(request, "apikeys/list.html", context)


def rows_context(store: Store, listing: Listing) -> dict[str, Any]:
    counts = listing.count_by_state(store)
    page = listing.page_of(store, counts)
    periods, now = reports.of_keys(list(page), listing.time_range), timezone.now()
    return {
        "store": store,
        "listing": listing,
        "counts": counts,
        "filters": list(listing.filters(counts)),
        "page": page,
        "links": listing.page_links(page),
        "rows": [key_list.row(key, periods[key.pk], listing.base, now) for key in page],
    }


@store_change
@open_store_required
def new_key(request: OwnerRequest, store: Store) -> HttpResponse:
    """Create a key; with ``?from=`` a prefix, the form begins with the settings of that key."""
    data = request.POST or form_recovery.take_unsent(request)
    form = NewKeyForm(data, store=store, initial=duplicated(store, request.GET.get("from")))
    if (
        request.method == "POST"
        and form.is_valid()
        and (created_key := form.create(by=actor_from_request(request)))
    ):
        return one_time_display.redirect_to_key(request, *created_key)
    return render_dialog(request, "new", store, form=form, address=client_ip.client_ip(request))


def duplicated(store: Store, prefix: str | None) -> dict[str, Any]:
    """Return the settings of a key as the form takes them; none where there is no such key."""
    key = ApiKey.objects.for_store(store).filter(prefix=prefix).first() if prefix else None
    if key is None:
        return {}
    return {
        "name": f"{key.name[:90]} copy",
        "note": key.note,
        "access": key.access,
        "allowed_addresses": "\n".join(key.allowed_addresses),
    }
