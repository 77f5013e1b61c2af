"""The form of a trust: which workload, of which platform, and what its keys may do."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from apikeys import trusts
from apikeys.actors import Actor
from apikeys.lifecycle import NameTaken, StaleKey
from apikeys.models import Trust
from apikeys.models.trust import (
    DEFAULT_LIFETIME,
    GITHUB,
    GITLAB,
    ISSUER_NAMES,
    MAX_CLAIM_LENGTH,
    MAX_CLAIMS,
    clean_claims,
)
from apikeys.settings_page.forms import PLAIN_TEXT, KeyForm, LinesField
from stores.models import Store

# What the fields of the form are called in the tokens of each platform.
PROJECT_CLAIMS = {GITHUB: "repository", GITLAB: "project_path"}
NAME_TAKEN = "Another trust of this store has this name. Choose a different one."


class ClaimField(forms.CharField):
    """The value of a claim that the form has a name for, or nothing."""

    widget = forms.TextInput(PLAIN_TEXT)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=MAX_CLAIM_LENGTH, **kwargs)


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
    branch = ClaimField(help_text="Such as main or release/*. Empty: any branch or tag.")
    environment = ClaimField(help_text="Of the deployment, such as production.")
    claims = LinesField(
        label="One per line, as name = value",
        required=False,
        max_length=MAX_CLAIMS * MAX_CLAIM_LENGTH * 2,
        help_text="A token has to have them all. One * in a value stands for any text.",
    )
    lifetime = forms.TypedChoiceField(
        label="Each key works for", choices=LIFETIMES, coerce=int, initial=str(DEFAULT_LIFETIME)
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, store: Store, trust: Trust | None = None, **kwargs: Any) -> None:
        if trust:
            kwargs.setdefault("initial", initial_of(trust))
        super().__init__(*args, store=store, **kwargs)
        self.trust = trust
        self.fields["name"].help_text = "Where it runs, such as “Deploy” or “Nightly export”."
        choices = [(issuer, ISSUER_NAMES.get(issuer, issuer)) for issuer in settings.OIDC_ISSUERS]
        self.fields["issuer"].choices = choices  # type: ignore[attr-defined]

    def is_name_taken(self, name: str) -> bool:
        """Leave it to the database: a trust's name is unlike those of trusts only."""
        return False

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
        try:
            if self.trust is None:
                return trusts.create_trust(store=self.store, by=by, **fields)
            trusts.update_trust(self.trust, by=by, version=self.cleaned_data["version"] or 0, **fields)
        except NameTaken:
            self.add_error("name", NAME_TAKEN)
        except trusts.TooManyTrusts:
            self.add_error(None, f"A store has at most {trusts.MAX_TRUSTS} trusts. Delete one first.")
        except StaleKey:
            self.add_error(None, "Somebody else changed this trust meanwhile. Open it again to see how.")
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
