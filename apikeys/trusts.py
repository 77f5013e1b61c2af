"""Everything that is done to a trust, one function each, and the exchange of a token for a key.

As in ``apikeys.lifecycle``, each is one transaction with the row, its entry in the audit log and its e-mail.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apikeys import client_ip, emails, lifecycle
from apikeys.actors import Actor
from apikeys.events import Event
from apikeys.lifecycle import NameTaken, StaleKey
from apikeys.locks import lock_store
from apikeys.models import ApiKey, AuditEntry, TokenExchange, Trust, UsedToken
from apikeys.models.trust import MAX_REASON_LENGTH, clean_claims
from apikeys.oidc import LEEWAY_SECONDS, Identity
from apikeys.validators import clean_key_name
from stores.models import Store
from stores.resources import with_implied

MAX_TRUSTS = 50
# Of refused tokens a trust keeps the newest: anybody can send one of a workload of their own.
MAX_REFUSALS = 50
ENDED_KEPT = timedelta(days=1)
EXCHANGES_KEPT = timedelta(days=90)
BATCH = 1000
TAKEN_BEFORE = "This token was exchanged before: each is taken once."


class TokenRefused(Exception):
    """No trust of the store takes the token.

    ``reasons`` say why, a sentence for its owner for each trust that was asked.
    """

    def __init__(self, *reasons: tuple[Trust, str]) -> None:
        super().__init__(*(reason for _, reason in reasons))
        self.reasons = reasons


class TooManyTrusts(Exception):
    """The store has as many trusts as it may have."""


class TrustChanges(TypedDict, total=False):
    """Columns of a trust that its owner can change, those left out excepted; claims go with their issuer."""

    name: str
    issuer: str
    claims: dict[str, str]
    access: Iterable[str]
    lifetime: int
    allowed_addresses: list[str]


def create_trust(*, store: Store, by: Actor, **fields: Unpack[TrustChanges]) -> Trust:
    """Create a trust. Raises ValidationError, ValueError for unknown access, NameTaken and TooManyTrusts."""
    with lock_store(store):
        if Trust.objects.for_store(store).count() >= MAX_TRUSTS:
            raise TooManyTrusts
        trust = Trust(store=store, created_by=by.user, **_cleaned(fields))
        _save(trust)
        _record(Event.TRUSTED, trust, by, access=trust.access, claims=trust.claims, issuer=trust.issuer)
    return trust


def update_trust(trust: Trust, *, by: Actor, version: int, **changes: Unpack[TrustChanges]) -> None:
    """Change a trust, and end the keys that were made of it as it was.

    ``version`` is the one that the person was looking at: raises StaleKey when it has changed since.
    Also raises what ``create_trust`` does.
    """
    with lock_store(trust.store):
        if not Trust.objects.filter(pk=trust.pk, version=version).exists():
            raise StaleKey
        trust.refresh_from_db()
        changed = {
            name: {"from": getattr(trust, name), "to": value}
            for name, value in _cleaned(changes).items()
            if getattr(trust, name) != value
        }
        if not changed:
            return
        for name, change in changed.items():
            setattr(trust, name, change["to"])
        trust.version += 1
        _save(trust)
        end_keys(trust)
        _record(Event.TRUST_CHANGED, trust, by, **changed)


def pause_trust(trust: Trust, *, by: Actor) -> bool:
    """Take no token for a trust from now on, and end its keys. False where it was paused already."""
    with lock_store(trust.store):
        if not Trust.objects.filter(pk=trust.pk, paused_at=None).update(paused_at=timezone.now()):
            return False
        end_keys(trust)
        _record(Event.TRUST_PAUSED, trust, by)
    return True


def resume_trust(trust: Trust, *, by: Actor) -> bool:
    """Take tokens for a trust again. False where it was not paused."""
    with lock_store(trust.store):
        if not Trust.objects.filter(pk=trust.pk, paused_at__isnull=False).update(paused_at=None):
            return False
        _record(Event.TRUST_RESUMED, trust, by)
    return True


def delete_trust(trust: Trust, *, by: Actor) -> None:
    """Delete a trust with its keys, which end at once."""
    with lock_store(trust.store):
        if Trust.objects.filter(pk=trust.pk).delete()[0]:
            _record(Event.TRUST_DELETED, trust, by)


def end_keys(trust: Trust) -> None:
    """Deactivate the keys of a trust that work, for good: a workload that may have one gets another."""
    now = timezone.now()
    ApiKey.objects.filter(trust=trust, deactivated_at=None, expires_at__gt=now).update(
        deactivated_at=now, changed_at=now
    )


class IssuedKey(NamedTuple):
    """A key that a trust has made, its plaintext, which exists nowhere else, and how long it works."""

    key: ApiKey
    plaintext: str
    seconds: int


@sensitive_variables()
def exchange_token(trust: Trust, identity: Identity, *, by: Actor) -> IssuedKey:
    """Make a key of the trust that was found for a workload, once for each token. Raises TokenRefused."""
    try:
        with lock_store(Store(pk=trust.store_id)) as store:
            now = timezone.now()
            as_found = Trust.objects.filter(pk=trust.pk, version=trust.version, paused_at=None)
            if not as_found.update(last_exchange_at=now):
                trust.refresh_from_db()
                raise TokenRefused((trust, "The trust was changed or paused at that moment."))
            remember_token(identity)
            return make_key(trust, store, identity, by=by, now=now)
    except lifecycle.StoreSuspended as error:
        raise TokenRefused((trust, str(error))) from error
    except (Trust.DoesNotExist, Store.DoesNotExist) as error:
        raise TokenRefused from error
    except IntegrityError as error:
        if not was_taken(identity):
            raise
        raise TokenRefused((trust, TAKEN_BEFORE)) from error


def make_key(trust: Trust, store: Store, identity: Identity, *, by: Actor, now: datetime) -> IssuedKey:
    """Make a key of a trust, in the transaction that holds the store's row."""
    run = identity.run
    key, plaintext = lifecycle.insert_key(
        store=store,
        trust=trust,
        name=trust.name,
        access=trust.access,
        created_at=now,
        expires_at=now + timedelta(seconds=trust.lifetime),
        allowed_addresses=trust.allowed_addresses,
    )
    TokenExchange.objects.create(trust=trust, run=run, prefix=key.prefix, address=by.address, at=now)
    details = {"trust": trust.pk, "trust_name": trust.name, "run": run}
    AuditEntry.objects.record(Event.EXCHANGED, by=by, store=store, key=key, **details)
    return IssuedKey(key, plaintext, trust.lifetime)


def find_trust(identity: Identity, store_id: int, by: Actor) -> Trust:
    """Return the trust of the store that takes the token. Raises TokenRefused."""
    reasons: list[tuple[Trust, str]] = []
    for trust in Trust.objects.filter(store=store_id, issuer=identity.issuer):
        try:
            ensure_taken(trust, identity, by)
        except TokenRefused as refusal:
            reasons += refusal.reasons
        else:
            # Before it is counted: whoever has an old token would use up the trust's keys of this minute.
            if was_taken(identity):
                raise TokenRefused((trust, TAKEN_BEFORE))
            return trust
    raise TokenRefused(*reasons)


def ensure_taken(trust: Trust, identity: Identity, by: Actor) -> None:
    """Raise TokenRefused where a trust does not take a token."""
    if trust.paused_at:
        raise TokenRefused((trust, "The trust is paused."))
    address = client_ip.parse(by.address or "")
    if trust.allowed_addresses and not client_ip.is_within(address, trust.allowed_addresses):
        place = by.address or "an unknown address"
        raise TokenRefused((trust, f"It came from {place}, which is not allowed."))
    if mismatch := trust.find_mismatch(identity.claims):
        raise TokenRefused((trust, mismatch))


def remember_token(identity: Identity) -> None:
    """Note that a token is taken. Raises IntegrityError, which ends the transaction, for one that was."""
    expires_at = identity.expires_at + timedelta(seconds=LEEWAY_SECONDS)
    UsedToken.objects.create(digest=identity.token_digest, expires_at=expires_at)


def was_taken(identity: Identity) -> bool:
    return UsedToken.objects.filter(digest=identity.token_digest).exists()


def record_invalid_token(identity: Identity, store_id: int, reason: str, by: Actor) -> None:
    """Add a token that its issuer has signed, and that is not good for now, to the logs of its trusts."""
    trusts = Trust.objects.filter(store=store_id, issuer=identity.issuer)
    record_refusals(
        [(trust, trust.find_mismatch(identity.claims) or reason) for trust in trusts], identity, by
    )


def record_refusals(reasons: Sequence[tuple[Trust, str]], identity: Identity, by: Actor) -> None:
    """Add a refused token to the logs of the trusts that do not take it, and drop their oldest ones."""
    # A trust may be deleted at this very moment.
    with suppress(IntegrityError), transaction.atomic():
        TokenExchange.objects.bulk_create(
            TokenExchange(
                trust=trust, run=identity.run, reason=reason[:MAX_REASON_LENGTH], address=by.address
            )
            for trust, reason in reasons
        )
    for trust, _ in reasons:
        refused = trust.exchanges.filter(prefix="")
        oldest = refused.values_list("pk", flat=True)[MAX_REFUSALS : MAX_REFUSALS + BATCH]
        TokenExchange.objects.filter(pk__in=list(oldest)).delete()


def prune_trusts() -> None:
    """Delete keys of trusts a day after they ended, exchanges after three months, and tokens that expired."""
    now = timezone.now()
    ended = ApiKey.objects.filter(trust__isnull=False, expires_at__lt=now - ENDED_KEPT)
    while pks := list(ended.values_list("pk", flat=True)[:BATCH]):
        ApiKey.objects.filter(pk__in=pks).delete()
    TokenExchange.objects.filter(at__lt=now - EXCHANGES_KEPT).delete()
    UsedToken.objects.filter(expires_at__lt=now).delete()


def _cleaned(fields: TrustChanges) -> dict[str, Any]:
    cleaned: dict[str, Any] = dict(fields)
    if "claims" in cleaned:
        cleaned["claims"] = clean_claims(cleaned["issuer"], cleaned["claims"])
    if "name" in cleaned:
        cleaned["name"] = clean_key_name(cleaned["name"])
    if "access" in cleaned:
        cleaned["access"] = with_implied(cleaned["access"])
    return cleaned


def _save(trust: Trust) -> None:
    try:
        with transaction.atomic():
            trust.save()
    except IntegrityError as error:
        raise NameTaken from error


def _record(event: Event, trust: Trust, by: Actor, **details: Any) -> None:
    entry = AuditEntry.objects.record(
        event, by=by, store=trust.store, trust=trust.pk, trust_name=trust.name, **details
    )
    emails.send_event([entry])
