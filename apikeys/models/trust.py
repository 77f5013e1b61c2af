"""Trusts: workloads that prove who they are with a token of their platform, and get a key for minutes.

Nothing is stored that could leak: of a platform (an issuer) only its public keys, of a token only a digest.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys import key_text
from stores.models import Store
from stores.text import MAX_NAME_LENGTH, ComparableNameField

GITHUB = "https://token.actions.githubusercontent.com"
GITLAB = "https://gitlab.com"
ISSUER_NAMES = {GITHUB: "GitHub Actions", GITLAB: "GitLab.com"}
# One of them says whose workload it is, where everybody can have tokens of the issuer.
IDENTIFYING_CLAIMS = {GITHUB: ("repository", "repository_id"), GITLAB: ("project_path", "project_id")}
# They are verified in every token.
REGISTERED_CLAIMS = {"iss", "aud", "exp", "nbf", "iat", "jti"}
CLAIM_NAME = re.compile(r"[\w.:/-]{1,100}", re.ASCII)
MAX_CLAIMS = 10
MAX_CLAIM_LENGTH = 200
MAX_REASON_LENGTH = 400
MIN_LIFETIME, MAX_LIFETIME = 5 * 60, 60 * 60
DEFAULT_LIFETIME = 15 * 60


class Trust(models.Model):
    """A workload of an issuer that gets keys of the store, and what these may do."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="trusts")
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    comparable_name = ComparableNameField()
    issuer = models.CharField(max_length=200, help_text="The address in the tokens' iss.")
    claims = models.JSONField(help_text="What a token has to say of itself; * stands for any text, once.")
    access = models.JSONField(help_text="Scopes such as orders:read, with what they imply.")
    lifetime = models.PositiveIntegerField(default=DEFAULT_LIFETIME, help_text="Seconds that a key works.")
    allowed_addresses = models.JSONField(
        default=list, blank=True, help_text="Addresses and networks (CIDR) its keys work from; empty: all."
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    last_exchange_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("store", "comparable_name"), name="trust_name_is_unique_in_store"
            ),
            models.CheckConstraint(condition=~Q(access=[]), name="trust_reaches_something"),
            models.CheckConstraint(condition=~Q(claims={}), name="trust_asks_for_a_claim"),
            models.CheckConstraint(
                condition=Q(lifetime__range=(MIN_LIFETIME, MAX_LIFETIME)), name="trust_lifetime_is_short"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def issuer_name(self) -> str:
        return ISSUER_NAMES.get(self.issuer, self.issuer)

    @property
    def audience(self) -> str:
        """The aud of its tokens: the store's own address, so that no other site can use one here."""
        return store_url(self.store_id)

    def find_mismatch(self, claims: Mapping[str, Any]) -> str:
        """Return the first claim that a token lacks, in a sentence; blank where all match."""
        for name, wanted in self.claims.items():
            found = claims.get(name)
            if found is None:
                return f"{name} is missing: it has to be “{wanted}”."
            if not isinstance(found, str):
                return f"{name} is no text: it has to be “{wanted}”."
            if not matches(wanted, found):
                seen = "".join(character for character in found[:100] if character.isprintable())
                return f"{name} is “{seen}” and has to be “{wanted}”."
        return ""


def clean_claims(issuer: str, claims: Mapping[str, str]) -> dict[str, str]:
    """Return the claims that a trust asks for. Raises ValidationError.

    Everybody can have tokens of GitHub and GitLab.com: there a trust names a repository, or those of one
    owner.
    """
    if issuer in IDENTIFYING_CLAIMS and not any(
        names_its_owner(claims.get(name, "")) for name in IDENTIFYING_CLAIMS[issuer]
    ):
        raise ValidationError(
            "Name the repository, such as northwood/shop. A * may stand behind the owner only."
        )
    if not 0 < len(claims) <= MAX_CLAIMS:
        raise ValidationError(f"Enter from 1 to {MAX_CLAIMS} claims.")
    for name, wanted in claims.items():
        if not CLAIM_NAME.fullmatch(name) or name in REGISTERED_CLAIMS:
            raise ValidationError(f"“{name[:50]}” is not a claim that can be asked for.")
        if not 0 < len(wanted) <= MAX_CLAIM_LENGTH or not wanted.isprintable():
            raise ValidationError(f"Enter a value of at most {MAX_CLAIM_LENGTH} characters for {name}.")
        if wanted.count("*") > 1 or wanted == "*":
            raise ValidationError(f"In {name}, one * may stand for a part of the value, not for all of it.")
    return dict(claims)


def names_its_owner(project: str) -> bool:
    """Whether a project, or its id, is one of one owner's: ``northwood/*`` is, and ``*/shop`` is not."""
    owner, slash, _ = project.partition("/")
    return bool(owner) and "*" not in owner and (bool(slash) or owner.isdigit())


def store_url(store_id: int) -> str:
    """Return the address of a store in the API, which is the audience of tokens for it."""
    return f"{settings.SITE_URL}/v1/stores/{store_id}/"


def matches(wanted: str, found: str) -> bool:
    """Whether a claim's value is the wanted one, in which one ``*`` stands for any text."""
    start, star, end = wanted.partition("*")
    if not star:
        return wanted == found
    return len(found) >= len(start) + len(end) and found.startswith(start) and found.endswith(end)


class TokenExchange(models.Model):
    """One token that a trust was shown: the key that was made of it, or why there was none."""

    # It outlives its trust: a token is taken once, whatever is deleted.
    trust = models.ForeignKey(
        Trust, models.DO_NOTHING, related_name="exchanges", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(default=timezone.now)
    run = models.CharField(max_length=200, help_text="The workload, such as northwood/shop@refs/heads/main.")
    prefix = models.CharField(
        max_length=key_text.PREFIX_LENGTH, blank=True, help_text="Of the key that was made; blank: refused."
    )
    reason = models.CharField(max_length=MAX_REASON_LENGTH, blank=True, help_text="Why it was refused.")
    token_digest = models.CharField(  # noqa: DJ001  # blank ones would be alike
        max_length=64,
        null=True,
        editable=False,
        help_text="SHA-256 of the issuer and jti; null: it may come again.",
    )
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("trust", "-at"), name="exchange_newest_of_trust"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(prefix="") ^ Q(reason=""), name="exchange_made_a_key_or_has_a_reason"
            ),
            models.UniqueConstraint(fields=("token_digest",), name="exchange_takes_a_token_once"),
        )

    def __str__(self) -> str:
        return f"{self.run}: {self.reason or self.prefix}"


class IssuerKeys(models.Model):
    """The public keys of an issuer as it last published them, for all processes."""

    issuer = models.CharField(max_length=200, primary_key=True)
    keys = models.JSONField(default=list, help_text="JSON Web Keys (RFC 7517).")
    fetched_at = models.DateTimeField(null=True, help_text="When these were read; null: never.")
    asked_at = models.DateTimeField(help_text="When somebody last tried to.")

    class Meta:
        verbose_name_plural = "issuer keys"

    def __str__(self) -> str:
        return self.issuer
