"""Everything that is done to a trust, one function each, and the exchange of a token for a key.

As in ``apikeys.lifecycle``, each is one transaction with the row, its entry in the audit log and its e-mail.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apikeys import client_ip, emails, lifecycle
from apikeys.actors import Actor
from apikeys.events import Event
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.locks import lock_store
from apikeys.models import ApiKey, AuditEntry, TokenExchange, Trust
from apikeys.models.trust import MAX_REASON_LENGTH, clean_claims
from apikeys.oidc import Identity
from stores.models import Store, rows

MAX_TRUSTS = 50
# Of refused tokens a trust keeps the newest: anybody can send one of a workload of their own.
MAX_REFUSALS = 50
ENDED_KEPT = timedelta(days=1)
EXCHANGES_KEPT = timedelta(days=90)
BATCH = 1000
# The pages tell when the last exchange was to the minute: it is not written more often.
LAST_EXCHANGE_EVERY = timedelta(minutes=1)
COLUMNS = Trust._meta.concrete_fields
NAMES = [column.attname for column in COLUMNS]
READERS = [rows.READERS.get(type(column)) for column in COLUMNS]
# Written out: for the ORM to build this query takes longer than all the rest of finding a trust.
OF_ISSUER = f"""
    SELECT {", ".join(map(rows.select, COLUMNS))}, suspension.reason
    FROM apikeys_trust LEFT JOIN apikeys_suspension suspension ON suspension.store_id = apikeys_trust.store_id
    WHERE apikeys_trust.store_id = %s AND apikeys_trust.issuer = %s
    ORDER BY apikeys_trust.name, apikeys_trust.id
"""  # noqa: S608  # names of our own


class TokenRefused(Exception):
    """No trust of the store takes the token. ``reasons`` tell its owner why, a sentence for each trust."""

    def __init__(self, *reasons: tuple[Trust, str]) -> None:
        super().__init__(*(reason for _, reason in reasons))
        self.reasons = reasons


class TrustChanges(TypedDict, total=False):
    """Columns of a trust that its owner can change, those left out excepted; claims go with their issuer."""

    name: str
    issuer: str
    claims: dict[str, str]
    access: Iterable[str]
    lifetime: int
    allowed_addresses: list[str]


def create_trust(*, store: Store, by: Actor, **fields: Unpack[TrustChanges]) -> Trust:
    """Create a trust. Raises ValidationError, ValueError for unknown access, and NameTaken."""
    with lock_store(store):
        if Trust.objects.filter(store=store).count() >= MAX_TRUSTS:
            raise ValidationError(f"A store has at most {MAX_TRUSTS} trusts. Delete one first.")
        trust = Trust(store=store, created_by=by.user, **_cleaned(fields))
        _save(trust)
        _record(Event.TRUSTED, trust, by, access=trust.access, claims=trust.claims, issuer=trust.issuer)
    return trust


def update_trust(trust: Trust, *, by: Actor, version: int, **changes: Unpack[TrustChanges]) -> None:
    """Change a trust and end its keys. Raises StaleKey if changed since ``version``, and as create_trust."""
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


def set_paused(trust: Trust, *, by: Actor, paused: bool) -> bool:
    """Take no token for a trust from now on, and end its keys, or take tokens again. False for no change."""
    with lock_store(trust.store):
        unlike = Trust.objects.filter(pk=trust.pk, paused_at__isnull=paused)
        if not unlike.update(paused_at=timezone.now() if paused else None):
            return False
        if paused:
            end_keys(trust)
        _record(Event.TRUST_PAUSED if paused else Event.TRUST_RESUMED, trust, by)
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


def exchange_token(
    identity: Identity, store_id: int, *, by: Actor, admit: Callable[[int], None]
) -> tuple[Trust, ApiKey, str]:
    """Make a key of the trust that takes a workload's token, once for each token.

    Returns the trust, the key and its plaintext, which exists nowhere else. ``admit`` is called with the
    trust's id at last, and whatever it raises undoes all of it. Raises TokenRefused.
    """

    @sensitive_variables("plaintext")
    def exchange(plaintext: str) -> tuple[Trust, ApiKey, str]:
        store = Store(pk=store_id)
        # First, so that nobody changes the trust or suspends the store between a look at it and its key.
        with lock_store(store):
            trust, now = find_trust(identity, store, by), timezone.now()
            if trust.last_exchange_at is None or now - trust.last_exchange_at > LAST_EXCHANGE_EVERY:
                Trust.objects.filter(pk=trust.pk).update(last_exchange_at=now)
            key = make_key(plaintext, trust, store, identity, by=by, now=now)
            admit(trust.pk)
        return trust, key, plaintext

    try:
        return lifecycle.with_free_prefix(exchange)
    except Store.DoesNotExist as error:
        raise TokenRefused from error


@sensitive_variables("plaintext")
def make_key(
    plaintext: str, trust: Trust, store: Store, identity: Identity, *, by: Actor, now: datetime
) -> ApiKey:
    """Make a key of a trust. The store is locked, and it is not suspended."""
    run = identity.run
    key = lifecycle.save_key(
        plaintext,
        store=store,
        trust=trust,
        name=trust.name,
        access=trust.access,
        created_at=now,
        expires_at=now + timedelta(seconds=trust.lifetime),
        allowed_addresses=trust.allowed_addresses,
    )
    try:
        TokenExchange.objects.create(
            trust=trust,
            run=run,
            prefix=key.prefix,
            token_digest=identity.token_digest,
            address=by.address,
            at=now,
        )
    except IntegrityError as error:
        raise TokenRefused((trust, "This token was exchanged before: each is taken once.")) from error
    details = {"trust": trust.pk, "trust_name": trust.name, "run": run}
    AuditEntry.objects.record(Event.EXCHANGED, by=by, store=store, key=key, **details)
    return key


def find_trust(identity: Identity, store: Store, by: Actor) -> Trust:
    """Return the trust of the store that takes the token. Raises TokenRefused."""
    reasons: list[tuple[Trust, str]] = []
    with connection.cursor() as cursor:
        cursor.execute(OF_ISSUER, (store.pk, identity.issuer))
        found = cursor.fetchall()
    for *row, suspended_for in found:
        trust = Trust.from_db(DEFAULT_DB_ALIAS, NAMES, rows.read(row, READERS))
        reason = find_reason(trust, suspended_for, identity, by)
        if not reason:
            return trust
        reasons.append((trust, reason))
    raise TokenRefused(*reasons)


def find_reason(trust: Trust, suspended_for: str | None, identity: Identity, by: Actor) -> str:
    """Return why a trust does not take a token, in a sentence; blank where it does.

    ``suspended_for`` is why its store is suspended; None: it is not.
    """
    if trust.paused_at:
        return "The trust is paused."
    address = client_ip.parse(by.address or "")
    if trust.allowed_addresses and not client_ip.is_within(address, trust.allowed_addresses):
        return f"It came from {by.address or 'an unknown address'}, which is not allowed."
    if mismatch := trust.find_mismatch(identity.claims):
        return mismatch
    return str(StoreSuspended(suspended_for)) if suspended_for is not None else ""


def record_invalid_token(identity: Identity, store_id: int, reason: str, by: Actor) -> None:
    """Add a token that its issuer has signed, and that is not good for now, to the logs of its trusts."""
    trusts = Trust.objects.filter(store=store_id, issuer=identity.issuer)
    record_refusals(
        [(trust, trust.find_mismatch(identity.claims) or reason) for trust in trusts], identity, by
    )


def record_refusals(reasons: Sequence[tuple[Trust, str]], identity: Identity, by: Actor) -> None:
    """Add a refused token to the logs of the trusts that do not take it, and drop their oldest ones."""
    TokenExchange.objects.bulk_create(
        TokenExchange(trust=trust, run=identity.run, reason=reason[:MAX_REASON_LENGTH], address=by.address)
        for trust, reason in reasons
    )
    for trust, _ in reasons:
        oldest = trust.exchanges.filter(prefix="").values("pk")[MAX_REFUSALS:]
        TokenExchange.objects.filter(pk__in=oldest).delete()


def prune_trusts() -> None:
    """Delete keys of trusts a day after they ended, and exchanges after three months."""
    now = timezone.now()
    ended = ApiKey.objects.filter(trust__isnull=False, expires_at__lt=now - ENDED_KEPT)
    while pks := list(ended.values_list("pk", flat=True)[:BATCH]):
        ApiKey.objects.filter(pk__in=pks).delete()
    TokenExchange.objects.filter(at__lt=now - EXCHANGES_KEPT).delete()


def _cleaned(fields: TrustChanges) -> dict[str, Any]:
    cleaned = lifecycle.clean(fields)
    if "claims" in cleaned:
        cleaned["claims"] = clean_claims(cleaned["issuer"], cleaned["claims"])
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
