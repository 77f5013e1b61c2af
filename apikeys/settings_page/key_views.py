"""One key: its page, what can be done to it, and what the request log tells of it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling, trigger_client_event

from apikeys import client_ip, lifecycle
from apikeys.actors import actor_from_request
from apikeys.insight.callers import moves_of
from apikeys.insight.fence import addresses_of, plan_fence
from apikeys.insight.incident import investigate, keys_made_with
from apikeys.insight.rehearsal import Rehearsal, rehearse, with_changes
from apikeys.lifecycle import StaleKey
from apikeys.models import ApiKey, AuditEntry, Event, Refusal
from apikeys.settings_page import form_recovery, one_time_display
from apikeys.settings_page.decorators import (
    OwnerRequest,
    get_key,
    key_change,
    open_store_required,
    redirect_to_query,
    store_change,
    store_owner_required,
)
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.forms import (
    EXTENSION,
    CanaryForm,
    DeactivateForm,
    DeleteForm,
    EditKeyForm,
    NewKeyForm,
    RollForm,
    VersionForm,
    errors_on,
)
from apikeys.settings_page.key_list import describe_state, is_over_list, list_address, possible_actions
from apikeys.settings_page.log_search import IncidentFilters
from apikeys.settings_page.refusals import Fix, explain, refusals_of, remove_unused
from apikeys.settings_page.selected_views import why_not_reactivated
from apikeys.usage import charts, reports
from apikeys.usage.periods import TimeRange
from stores.models import Store
from stores.resources import Access, Resource

# A page asks so long whether the first request has arrived.
WAIT_SECONDS = 600
# Of what others did to a key while its form was open, so much is said.
MAX_LISTED = 10
NOT_ROLLED = "This key can no longer be rolled: it was rolled, deactivated or suspended, or has expired."


def readable(key: ApiKey) -> Resource | None:
    """Return a resource that a key may read, for an example of how to call it."""
    return next((resource for resource in Resource if key.allows(resource.scope(Access.READ))), None)


@require_safe
@store_owner_required
def key_detail(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Show one key; of a deleted one, who deleted it and when."""
    if not ApiKey.objects.for_store(store).filter(prefix=prefix).exists():
        entries = AuditEntry.objects.filter(store=store, prefix=prefix, event=Event.DELETED)
        context = {"store": store, "entry": get_object_or_404(entries[:1])}
        return render(request, "apikeys/deleted.html", context, status=404)
    return render_key(request, store, get_key(store, prefix))


def render_key(request: OwnerRequest, store: Store, key: ApiKey, **context: Any) -> HttpResponse:
    successors = key.successors.exclude(is_unconfirmed=True, replaced_at__isnull=False)
    family = [key, *filter(None, [key.predecessor]), *successors]
    periods = reports.of_keys(family)
    time_range = TimeRange.parse(request.GET.get("range", ""))
    period = periods[key.pk] if time_range is TimeRange.MONTH else reports.of_keys([key], time_range)[key.pk]
    uses, unused = reports.access_against_use(key)
    context |= {
        "store": store,
        "key": key,
        "state": describe_state(key, timezone.now()),
        "actions": possible_actions(key),
        "period": period,
        "chart": charts.stacked_bars(period) if period.total else None,
        "family": [(member, periods[member.pk], charts.sparkline(periods[member.pk])) for member in family],
        "refusals": refusals_of(key, period),
        "fence": plan_fence(key),
        "moves": moves_of(old) if (old := key if key.superseded_at else key.predecessor) else None,
        "old": old,
        "uses": uses,
        "unused": unused,
        "remove_unused": remove_unused(key, unused),
        "undo": form_recovery.take_undo(request, key),
        "history": AuditEntry.objects.for_key(key),
        "example": readable(key) if key.is_usable(timezone.now()) else None,
        "made": keys_made_with(key),
    }
    return render(request, "apikeys/detail.html", context)


@require_safe
@store_owner_required
def first_request(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Answer the page that waits for a first request that succeeds, with what is new since ``?seen=``."""
    key = get_key(store, prefix)
    last_use = getattr(key, "last_use", None)
    if last_use is None or last_use.at.isoformat() == request.GET.get("seen"):
        is_late = (timezone.now() - key.created_at).total_seconds() > WAIT_SECONDS
        return HttpResponseStopPolling() if is_late else HttpResponse(status=204)
    newest = Refusal.objects.filter(key=key).order_by("-last_at").first()
    context = {
        "store": store,
        "prefix": prefix,
        "last_use": last_use,
        "is_received": reports.of_keys([key])[key.pk].succeeded > 0,
        "cause": explain(key, newest) if newest and newest.last_at >= last_use.at else None,
    }
    response = render(request, "apikeys/includes/waiting.html", context)
    return trigger_client_event(response, "keys-changed")


@store_change
@open_store_required
def edit_key(request: OwnerRequest, store: Store, prefix: str) -> HttpResponse:
    """Change a key; with ``?extend``, the form begins with a later expiry."""
    if request.method == "POST" and not ApiKey.objects.for_store(store).filter(prefix=prefix).exists():
        return deleted_meanwhile(request, store)
    key = get_key(store, prefix)
    data = request.POST or form_recovery.take_unsent(request)
    form = EditKeyForm(data, key=key, extend="extend" in request.GET)
    if request.method == "POST" and form.is_valid() and form.change(by=actor_from_request(request)):
        messages.success(request, f"Saved {key.name}.")
        for entry in form.meanwhile[:MAX_LISTED]:
            messages.info(request, f"Meanwhile, by {entry.actor_name}: {entry.sentence} This was kept.")
        return redirect_back(request, key)
    shown = key
    if "extend" in request.GET:
        shown = with_changes(key, expires_at=timezone.now() + timedelta(days=int(EXTENSION)))
    return render_edit(request, key, form, rehearse(shown))


def render_edit(
    request: OwnerRequest, key: ApiKey, form: EditKeyForm, rehearsal: Rehearsal | None
) -> HttpResponse:
    context = forecast(rehearsal) | {"form": form, "called_from": addresses_of(key)}
    action = resolve_url("apikeys:edit", key.store_id, key.prefix)
    return render_dialog(request, "edit", key.store, key, action=action, **context)


def forecast(rehearsal: Rehearsal | None) -> dict[str, Any]:
    """Return a rehearsal with the words that its sentence begins with; none where the key is off anyway."""
    return {"rehearsal": rehearsal, "change": "" if rehearsal and rehearsal.is_off else "With these settings"}


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
                access=form.cleaned_data["access"],
                allowed_addresses=form.cleaned_data["allowed_addresses"],
                expires_at=form.expires_at(),
            )
        )
    if request.htmx:
        return render(request, "apikeys/includes/rehearsal.html", forecast(rehearsal))
    return render_edit(request, key, form, rehearsal)


def redirect_back(request: OwnerRequest, key: ApiKey) -> HttpResponse:
    """Redirect to the page that a dialog was opened over: the list as it was filtered, or the key's page."""
    if is_over_list(request, key.store):
        return redirect(list_address(request, key.store))
    return redirect("apikeys:detail", key.store_id, key.prefix)


def deleted_meanwhile(request: OwnerRequest, store: Store) -> HttpResponse:
    """Somebody deleted the key that was being edited: what was typed can still become a new one."""
    data = request.POST.copy()
    if data.get("expiry") == "keep":
        data["expiry"] = "never"
    form = NewKeyForm(data, store=store)
    form.add_error(
        None,
        "Somebody deleted this key while you were editing it, so nothing was saved. What you entered is "
        "below. Save creates a new key with it.",
    )
    action = resolve_url("apikeys:new", store.pk)
    return render_dialog(request, "new", store, form=form, action=action)


def ending(key: ApiKey, change: str = "Without this key,") -> dict[str, Any]:
    """Return what a dialog says of a key that would not work any more."""
    is_usable = key.is_usable(timezone.now())
    rehearsal = rehearse(with_changes(key, deactivated_at=timezone.now(), reactivates_at=None))
    return {"is_usable": is_usable, "rehearsal": rehearsal, "change": change if is_usable else ""}


@key_change
def deactivate_key(request: OwnerRequest, key: ApiKey) -> HttpResponse:
    """Deactivate a key; ``?hours=`` chooses for how long."""
    made = keys_made_with(key)
    initial = {"hours": request.GET.get("hours", "")}
    form = DeactivateForm(request.POST or form_recovery.take_unsent(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        keys = [key, *made] if form.cleaned_data["with_made"] else [key]
        ended = lifecycle.deactivate_keys(keys, by=actor_from_request(request), until=form.until())
        if ended:
            messages.success(request, f"Deactivated {', '.join(one.name for one in ended)}.")
        else:
            key.refresh_from_db()  # it raises DoesNotExist where somebody deleted the key meanwhile
            messages.warning(request, f"{key.name} is already off for that long or longer. Nothing changed.")
        return redirect_back(request, key)
    return render_dialog(request, "deactivate", key.store, key, form=form, made=made, **ending(key))


@key_change
@open_store_required
def reactivate_key(request: OwnerRequest, key: ApiKey) -> HttpResponse:
    form = VersionForm(request.POST or None, initial={"version": key.version})
    if request.method == "POST":
        try:
            lifecycle.reactivate_key(key, by=actor_from_request(request), version=form.read_version())
        except StaleKey:
            why = why_not_reactivated(key) or "has changed meanwhile"
            for_good = "It stays off for good. Create a new key instead."
            rest = for_good if key.leaked_at else "This is how it is now."
            messages.error(request, f"{key.name} {why}, so it was not reactivated. {rest}")
        else:
            messages.success(request, f"Reactivated {key.name}.")
        return redirect_back(request, key)
    return render_dialog(request, "reactivate", key.store, key, form=form)


@key_change
@open_store_required
def roll_key(request: OwnerRequest, key: ApiKey) -> HttpResponse:
    form = RollForm(request.POST or form_recovery.take_unsent(request), key=key)
    if request.method == "POST" and form.is_valid():
        with errors_on(form, stale=NOT_ROLLED):
            rolled = lifecycle.roll_key(
                key,
                by=actor_from_request(request),
                overlap=timedelta(hours=int(form.cleaned_data["overlap"])),
                keep_expiry=form.cleaned_data.get("expiry") == "keep",
            )
            return one_time_display.redirect_to_key(request, *rolled)
    return render_dialog(request, "roll", key.store, key, form=form, **ending(key, "Without the old key,"))


@key_change
def delete_key(request: OwnerRequest, key: ApiKey) -> HttpResponse:
    made = keys_made_with(key)
    form = DeleteForm(request.POST or form_recovery.take_unsent(request), key=key)
    if request.method == "POST" and form.is_valid():
        keys = [key, *made] if form.cleaned_data["with_made"] else [key]
        deleted = lifecycle.delete_keys(keys, by=actor_from_request(request))
        if not deleted:
            raise ApiKey.DoesNotExist
        messages.success(request, f"Deleted {', '.join(one.name for one in deleted)}.")
        return redirect(list_address(request, key.store))
    return render_dialog(request, "delete", key.store, key, form=form, made=made, **ending(key))


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
        "now": timezone.now(),
    }
    return render(request, "apikeys/incident.html", context)


@store_change
@open_store_required
def new_canary(request: OwnerRequest, store: Store) -> HttpResponse:
    """Create a key that is made to be found."""
    form, by = CanaryForm(request.POST or form_recovery.take_unsent(request)), actor_from_request(request)
    if request.method == "POST" and form.is_valid() and (made := form.create(store, by=by)):
        return one_time_display.redirect_to_key(request, *made)
    return render_dialog(request, "canary", store, form=form)
