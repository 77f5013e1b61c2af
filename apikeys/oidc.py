"""Verify identity tokens of workloads (OpenID Connect): signature, issuer, audience and times.

The issuers are those of ``settings.OIDC_ISSUERS``. Their public keys are read from where their discovery
document says, and kept in the database, so that one process asks for all, and tokens
are verified while an issuer is away.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import jwt
from django.apps import apps
from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apikeys.https_json import FetchError, fetch_json
from apikeys.models import IssuerKeys
from apikeys.tasks import task

logger = logging.getLogger(__name__)

# No symmetric ones: a public key is no secret to sign with.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
REQUIRED_CLAIMS: Any = {"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "strict_aud": True}
SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")}
# A library of codecs and of arithmetic has more errors than it promises.
TOKEN_ERRORS = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError, OSError)
MAX_TOKEN_LENGTH = 16_000
LEEWAY_SECONDS = 60
# Longer than any platform's, and shorter than its jti is remembered.
MAX_TOKEN_LIFETIME = timedelta(days=1)
MAX_RUN_LENGTH = 200
MAX_KEYS = 100
# An issuer is asked again for a key that nobody knows, but not more often.
ASK_AGAIN = timedelta(minutes=1)
# Keys are read anew in the background when they are older.
FRESH = timedelta(hours=1)
# For so long a process goes by the keys that it has read from the database.
MEMORY_SECONDS = 60
# And it looks there so often for a key that it does not know.
UNKNOWN_KEY_SECONDS = 1
# So long a request waits for another one that asks an issuer.
WAIT_SECONDS = 3


class IssuerUnavailable(Exception):
    """The key of a token is not known, and its issuer does not answer or was asked within the minute."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A workload as a verified token tells of it."""

    issuer: str
    claims: Mapping[str, Any]

    @property
    def run(self) -> str:
        """The workload in a line, such as ``northwood/shop@refs/heads/main``."""
        project = self.claims.get("repository") or self.claims.get("project_path") or self.claims.get("sub")
        ref = self.claims.get("ref")
        line = f"{project}@{ref}" if ref else str(project)
        return "".join(character for character in line[:MAX_RUN_LENGTH] if character.isprintable())

    @property
    def token_digest(self) -> str:
        """SHA-256 in hexadecimal of what no two tokens of all issuers share."""
        return hashlib.sha256(json.dumps([self.issuer, self.claims["jti"]]).encode()).hexdigest()


class InvalidToken(Exception):
    """A token that no issuer of ours has made for this site, or not for now.

    ``identity`` is the workload that it was made for; None where nothing in it can be believed.
    """

    def __init__(self, reason: str, identity: Identity | None = None) -> None:
        super().__init__(reason)
        self.identity = identity


@sensitive_variables("token")
def verify_token(token: str, *, audience: str) -> Identity:
    """Return who a token says its holder is. Raises InvalidToken and IssuerUnavailable."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidToken("It is too long.")
    try:
        issuer, key = find_signer(token)
    except TOKEN_ERRORS as error:
        raise InvalidToken(str(error)) from error
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            options=REQUIRED_CLAIMS,
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY_SECONDS,
        )
        identity = Identity(issuer, claims)
        if claims["exp"] > (timezone.now() + MAX_TOKEN_LIFETIME).timestamp():
            raise InvalidToken("It is good for longer than a day", identity)
    except TOKEN_ERRORS as error:
        raise InvalidToken(str(error), find_identity(token, issuer, key)) from error
    return identity


@sensitive_variables("token")
def find_signer(token: str) -> tuple[str, jwt.PyJWK]:
    """Return a token's issuer and key. Raises InvalidToken, IssuerUnavailable and any of TOKEN_ERRORS."""
    unverified = jwt.decode_complete(token, options={"verify_signature": False})
    issuer, key_id = unverified["payload"].get("iss"), unverified["header"].get("kid")
    if not isinstance(issuer, str) or issuer not in settings.OIDC_ISSUERS:
        raise InvalidToken("It is of an issuer that this site does not know.")
    if not isinstance(key_id, str):
        raise InvalidToken("It does not say which key it is signed with.")
    return issuer, key_sets().find_key(issuer, key_id)


@sensitive_variables("token")
def find_identity(token: str, issuer: str, key: jwt.PyJWK) -> Identity | None:
    """Return the workload that an issuer has made a token for, though not for now; None for a forged one."""
    with suppress(*TOKEN_ERRORS):
        return Identity(issuer, jwt.decode(token, key, algorithms=ALGORITHMS, options=SIGNATURE_ONLY))
    return None


# The issuers' public keys.


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of an issuer by their id, as a process has read them.

    ``is_asked`` says that the issuer was just asked for another one, or may not be asked yet; ``is_complete``
    that it was, and has answered.
    """

    keys: Mapping[str, jwt.PyJWK]
    is_asked: bool = False
    is_complete: bool = False
    read_at: float = field(default_factory=time.monotonic)

    def may_answer(self, key_id: str) -> bool:
        """Whether it is new enough to say what key this is, or that it is none."""
        age = time.monotonic() - self.read_at
        return age < MEMORY_SECONDS if key_id in self.keys else self.is_asked and age < UNKNOWN_KEY_SECONDS


class KeySets:
    """The issuers' keys as this process knows them. Each process has one, on its AppConfig."""

    def __init__(self) -> None:
        self._by_issuer: dict[str, KeySet] = {}
        self._lock = threading.Lock()

    def find_key(self, issuer: str, key_id: str) -> jwt.PyJWK:
        """Return the key with this id. Raises InvalidToken and IssuerUnavailable."""
        known = self._by_issuer.get(issuer)
        if known is None or not known.may_answer(key_id):
            # Of many requests that need a new key, one asks for it. None whose key was known waits for that:
            # anybody can send a token that names a key which nobody knows.
            is_known = known is not None and key_id in known.keys
            if self._lock.acquire(timeout=0 if is_known else WAIT_SECONDS):
                try:
                    known = self._by_issuer.get(issuer)
                    if known is None or not known.may_answer(key_id):
                        known = self._by_issuer[issuer] = read_key_set(issuer, key_id)
                finally:
                    self._lock.release()
            elif known is None or not is_known:
                raise IssuerUnavailable
        if key_id in known.keys:
            return known.keys[key_id]
        if known.is_complete:
            raise InvalidToken("It is signed with a key that its issuer does not have.")
        raise IssuerUnavailable


def key_sets() -> KeySets:
    """Return the keys that this process knows."""
    return cast("KeySets", apps.get_app_config("apikeys").key_sets)  # type: ignore[attr-defined]


def read_key_set(issuer: str, key_id: str) -> KeySet:
    """Return an issuer's keys from the database, or from the issuer if this one is not among them."""
    row = IssuerKeys.objects.filter(issuer=issuer).first()
    keys = parse_keys(row.keys) if row else {}
    if key_id not in keys and claim_turn(issuer):
        published = fetch_keys(issuer)
        found = keys if published is None else parse_keys(published)
        return KeySet(found, is_asked=True, is_complete=published is not None)
    if row and row.fetched_at and row.fetched_at < timezone.now() - FRESH and claim_turn(issuer):
        refresh_keys.enqueue(issuer)
    return KeySet(keys, is_asked=key_id not in keys)


def claim_turn(issuer: str) -> bool:
    """Whether this process is to ask the issuer now: of all processes one does, once in ASK_AGAIN."""
    now = timezone.now()
    if IssuerKeys.objects.filter(issuer=issuer, asked_at__lt=now - ASK_AGAIN).update(asked_at=now):
        return True
    _, is_new = IssuerKeys.objects.get_or_create(issuer=issuer, defaults={"asked_at": now})
    return is_new


@task()
def refresh_keys(issuer: str) -> None:
    """Read an issuer's keys anew, so that no request waits for it; a worker's task."""
    if issuer in settings.OIDC_ISSUERS:
        fetch_keys(issuer)


def parse_keys(keys: list[dict[str, Any]]) -> dict[str, jwt.PyJWK]:
    """Return the keys for signatures that can be used, by their id."""
    parsed = {}
    for key in keys:
        # Of the keys that an issuer publishes, some may be of a kind that nobody here knows.
        with suppress(jwt.PyJWTError, ValueError, TypeError):
            if key.get("use", "sig") == "sig":
                parsed[str(key["kid"])] = jwt.PyJWK.from_dict(key)
    return parsed


def fetch_keys(issuer: str) -> list[dict[str, Any]] | None:
    """Read an issuer's keys anew and keep them; None, and a line in the log, where that fails."""
    try:
        keys = published_keys(issuer)
    except FetchError as error:
        logger.warning("The keys of %s cannot be read: %s", issuer, error)
        return None
    now = timezone.now()
    IssuerKeys.objects.update_or_create(
        issuer=issuer, defaults={"keys": keys, "fetched_at": now, "asked_at": now}
    )
    return keys


def published_keys(issuer: str) -> list[dict[str, Any]]:
    """Return an issuer's keys from where its discovery document says. Raises FetchError."""
    document = fetch_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration", issuer)
    if document.get("issuer") != issuer:
        raise FetchError("its discovery document is that of another issuer")
    keys = fetch_json(str(document.get("jwks_uri")), issuer).get("keys")
    if not isinstance(keys, list):
        raise FetchError("its key set is none")
    return [key for key in keys[:MAX_KEYS] if isinstance(key, dict) and isinstance(key.get("kid"), str)]
