"""Trusted workloads: their form, the list, one trust with its exchanges, and what can be done to it."""

from functools import partial
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from apikeys import client_ip, trusts
from apikeys.actors import Actor, actor_from_request
from apikeys.models import ApiKey, AuditEntry, Event, TokenExchange, Trust
from apikeys.models.trust import (
    DEFAULT_LIFETIME,
    GITHUB,
    GITLAB,
    ISSUER_NAMES,
    MAX_CLAIM_LENGTH,
    MAX_CLAIMS,
    clean_claims,
)
from apikeys.settings_page import form_recovery
from apikeys.settings_page.decorators import (
    OwnerRequest,
    open_store_required,
    store_change,
    store_owner_required,
)
from apikeys.settings_page.dialogs import render_dialog
from apikeys.settings_page.forms import OPTIONAL, PLAIN_TEXT, KeyForm, LinesField, errors_on
from apikeys.usage import reports
from stores.models import Store

MAX_EXCHANGES = MAX_CHANGES = 50
WORKFLOWS = {GITHUB: "github", GITLAB: "gitlab"}
# What the fields of the form are called in the tokens of each platform.
PROJECT_CLAIMS = {GITHUB: "repository", GITLAB: "project_path"}
NAME_TAKEN = "Another trust of this store has this name. Choose a different one."
CHANGED = "Somebody else changed this trust meanwhile. Open it again to see how."

# The value of a claim that the form has a name for, or nothing.
ClaimField = partial(
    forms.CharField, required=False, max_length=MAX_CLAIM_LENGTH, widget=forms.TextInput(PLAIN_TEXT)
)


class TrustForm(KeyForm):
    """Adds or changes a trust. ``version`` tells whether it is still the one that its owner looked at."""

    LIFETIMES = (
        ("300", "5 minutes"),
        ("900", "15 minutes"),
        ("1800", "30 minutes"),
        ("3600", "1 hour"),
    )

    note = expiry = expiry_date = renews = None  # type: ignore[assignment]  # how Django takes fields away
    issuer = forms.ChoiceField(label="Platform")
    project = ClaimField(
        label="Repository or project", help_text="Such as northwood/shop. For all of one owner: northwood/*"
    )
    branch = ClaimField(
        label=format_html(OPTIONAL, "Branch"),
        help_text="Such as main or release/*. Empty: any branch or tag.",
    )
    environment = ClaimField(
        label=format_html(OPTIONAL, "Environment"), help_text="Of the deployment, such as production."
    )
    claims = LinesField(
        label=format_html(OPTIONAL, "Other claims"),
        required=False,
        max_length=MAX_CLAIMS * MAX_CLAIM_LENGTH * 2,
        help_text="One per line, as name = value. A token has to have them all. One * in a value stands for "
        "any text.",
    )
    lifetime = forms.TypedChoiceField(
        label="Each key works for", choices=LIFETIMES, coerce=int, initial=str(DEFAULT_LIFETIME)
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ("name", "issuer", "project", "branch", "environment", "claims", "lifetime")

    def __init__(self, *args: Any, store: Store, trust: Trust | None = None, **kwargs: Any) -> None:
        if trust:
            kwargs.setdefault("initial", initial_of(trust))
        super().__init__(*args, store=store, **kwargs)
        self.trust = trust
        if trust:
            # They are among its claims.
            del self.fields["project"], self.fields["branch"], self.fields["environment"]
            self.fields["claims"].label = "Claims"
        # Left to the database: a trust's name is unlike those of trusts only.
        self.others = self.others.none()
        self.fields["name"].help_text = "Where it runs, such as “Deploy” or “Nightly export”."
        choices = [(issuer, ISSUER_NAMES.get(issuer, issuer)) for issuer in settings.OIDC_ISSUERS]
        self.fields["issuer"].choices = choices  # type: ignore[attr-defined]

    def clean_claims(self) -> dict[str, str]:
        """Return the claims as they were typed, a line each: a name, = and a value."""
        claims = {}
        for line in filter(str.strip, self.cleaned_data["claims"].splitlines()):
            name, equals, wanted = line.partition("=")
            if not equals:
                raise ValidationError("Write each claim as name = value, on a line of its own.")
            claims[name.strip()] = wanted.strip()
        return claims

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        issuer = cleaned.get("issuer")
        if issuer and "claims" in cleaned:
            claims = {**cleaned["claims"], **claims_of(issuer, cleaned)}
            try:
                cleaned["claims"] = clean_claims(issuer, claims)
            except ValidationError as error:
                is_asked_for = issuer in PROJECT_CLAIMS and not self.trust
                self.add_error("project" if is_asked_for else "claims", error)
        return cleaned

    def save(self, *, by: Actor) -> Trust | None:
        """Create or change the trust; None where it was not, and the form says why."""
        names = trusts.TrustChanges.__annotations__
        fields = cast("trusts.TrustChanges", {name: self.cleaned_data[name] for name in names})
        with errors_on(self, taken=NAME_TAKEN, stale=CHANGED):
            if self.trust is None:
                return trusts.create_trust(store=self.store, by=by, **fields)
            trusts.update_trust(self.trust, by=by, version=self.cleaned_data["version"] or 0, **fields)
        return self.trust if self.is_valid() else None


def claims_of(issuer: str, fields: dict[str, Any]) -> dict[str, str]:
    """Return the claims that a project, branch and environment are, in the tokens of GitHub and GitLab."""
    claims = {}
    if project := fields.get("project"):
        claims[PROJECT_CLAIMS.get(issuer, "project_path")] = project
    if branch := fields.get("branch"):
        claims |= (
            {"ref": f"refs/heads/{branch}"} if issuer == GITHUB else {"ref": branch, "ref_type": "branch"}
        )
    if environment := fields.get("environment"):
        claims["environment"] = environment
    return claims


def initial_of(trust: Trust) -> dict[str, Any]:
    """Return a trust as the form takes it, each claim on its line."""
    return {
        "name": trust.name,
        "issuer": trust.issuer,
        "claims": "\n".join(f"{name} = {wanted}" for name, wanted in trust.claims.items()),
        "access": trust.access,
        "lifetime": str(trust.lifetime),
        "allowed_addresses": "\n".join(trust.allowed_addresses),
        "version": trust.version,
    }


@require_safe
@store_owner_required
def show_trusts(request: OwnerRequest, store: Store) -> HttpResponse:
    return render(
        request, "apikeys/trusts.html", {"store": store, "trusts": Trust.objects.filter(store=store)}
    )


@store_change
@open_store_required
def change_trust(request: OwnerRequest, store: Store, pk: int | None = None) -> HttpResponse:
    """Show the form of a trust, or of a new one, or save what was typed."""
    trust = None if pk is None else get_trust(store, pk)
    form = TrustForm(request.POST or form_recovery.take_unsent(request), store=store, trust=trust)
    if request.method == "POST" and form.is_valid():
        saved = form.save(by=actor_from_request(request))
        if saved:
            messages.success(request, f"Saved {saved.name}.")
            return redirect("apikeys:trust", store.pk, saved.pk)
    address = client_ip.client_ip(request)
    if trust:
        return render_dialog(request, "trust_edit", store, trust=trust, form=form, address=address)
    back = resolve_url("apikeys:trusts", store.pk)
    return render_dialog(request, "trust_new", store, form=form, address=address, back=back)


@require_safe
@store_owner_required
def show_trust(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Show one trust: which workload it takes, its exchanges with their requests, and how to use it."""
    trust = get_trust(store, pk)
    workflow = WORKFLOWS.get(trust.issuer, "shell")
    history = AuditEntry.objects.filter(store=store, details__trust=trust.pk)
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
@store_change
def pause_trust(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Pause a trust or, with ``resume``, let it make keys again."""
    trust, paused = get_trust(store, pk), "resume" not in request.POST
    if trusts.set_paused(trust, by=actor_from_request(request), paused=paused):
        done = f"Paused {trust.name}. Its keys have ended." if paused else f"Resumed {trust.name}."
        messages.success(request, done)
    return redirect("apikeys:trust", store.pk, trust.pk)


@store_change
def delete_trust(request: OwnerRequest, store: Store, pk: int) -> HttpResponse:
    """Ask whether a trust is to be deleted, or delete it."""
    trust = get_trust(store, pk)
    if request.method == "POST":
        trusts.delete_trust(trust, by=actor_from_request(request))
        messages.success(request, f"Deleted {trust.name}. Its keys have ended.")
        return redirect("apikeys:trusts", store.pk)
    return render_dialog(request, "trust_delete", store, trust=trust)


def get_trust(store: Store, pk: int) -> Trust:
    """Return one of the store's trusts; 404 for any other."""
    trust = get_object_or_404(Trust.objects.select_related("created_by"), store=store, pk=pk)
    trust.store = store
    return trust
