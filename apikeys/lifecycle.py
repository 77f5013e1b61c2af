"""Everything that is done to a key, or to all keys of a store, one function each.

Each is one transaction with the row, its entry in the audit log and its e-mail. The settings page, the
admin, the API and the commands call these same functions. A change is weighed against the state that the
key is in when its row is locked: nothing weaker replaces something stronger. So a key that is off for good
does not come back by a later pause, and a leaked key never comes back.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apikeys import emails, key_text
from apikeys.actors import Actor
from apikeys.locks import lock_key, lock_store
from apikeys.models import ApiKey, AuditEntry, Event, Refusal, Suspension
from apikeys.validators import clean_key_name, clean_note, validate_no_key
from stores.models import Store
from stores.resources import with_implied


class StaleKey(Exception):
    """The key is no longer in the state that the change started from."""


class NameTaken(Exception):
    """Another key of the store has this name, or one that a person would take for it."""


class StoreSuspended(Exception):
    """The store's keys are suspended already, so it gets no new one."""

    def __init__(self, suspension: Suspension) -> None:
        reason = f"An operator suspended all API keys of this store ({suspension.reason})"
        super().__init__(f"{reason}, and it gets no new ones until the suspension is lifted.")


class KeyChanges(TypedDict, total=False):
    """What an owner can change of a key. What is left out stays as it is."""

    name: str
    note: str
    access: Iterable[str]
    expires_at: datetime | None
    allowed_addresses: list[str]


def create_key(
    *,
    store: Store,
    name: str,
    access: Iterable[str],
    by: Actor,
    expires_at: datetime | None = None,
    allowed_addresses: Iterable[str] = (),
    note: str = "",
) -> tuple[ApiKey, str]:
    """Create a key, and return it with its plaintext, which exists nowhere else.

    ``access`` are scopes such as ``orders:read``; ``allowed_addresses`` are canonical addresses and
    networks, none for any. Raises ValueError for a scope that does not exist, ValidationError for a name
    or a note that cannot be one, NameTaken and StoreSuspended.
    """
    with lock_store(store):
        _ensure_name_is_free(store, clean_key_name(name))
        key, plaintext = insert_key(
            store=store,
            name=clean_key_name(name),
            note=clean_note(note),
            access=access,
            expires_at=expires_at,
            allowed_addresses=list(allowed_addresses),
            created_by=by.user,
        )
        _record(Event.CREATED, key, by, access=key.access)
        emails.send_key_created(key, by)
    return key, plaintext


def insert_key(*, store: Store, access: Iterable[str], **fields: Any) -> tuple[ApiKey, str]:
    """Save a key under a prefix that no other has, without an audit entry or e-mail.

    ``fields`` are further columns, with a name that is free. Raises ValueError and StoreSuspended.
    """
    with lock_store(store):
        if suspension := Suspension.objects.of_store(store):
            raise StoreSuspended(suspension)
        while True:
            prefix, plaintext = key_text.generate()
            try:
                with transaction.atomic():
                    key = ApiKey.objects.create(
                        store=store,
                        prefix=prefix,
                        digest=key_text.digest(plaintext),
                        access=with_implied(access),
                        **fields,
                    )
            except IntegrityError:
                if not ApiKey.objects.filter(prefix=prefix).exists():
                    raise
            else:
                return key, plaintext


def update_key(key: ApiKey, *, by: Actor, version: int, **changes: Unpack[KeyChanges]) -> None:
    """Change a key's name, note, access, expiry or allowed addresses, in one step.

    ``version`` is the one that the person was looking at: raises StaleKey when the key has changed since.
    Also raises what ``create_key`` raises for a name or a scope.
    """
    wanted: dict[str, Any] = dict(changes)
    if "name" in wanted:
        wanted["name"] = clean_key_name(wanted["name"])
    if "note" in wanted:
        wanted["note"] = clean_note(wanted["note"])
    if "access" in wanted:
        wanted["access"] = with_implied(wanted["access"])
    with lock_store(key.store), lock_key(key):
        if key.version != version:
            raise StaleKey
        if "name" in wanted and key.superseded_at is None:
            _ensure_name_is_free(key.store, wanted["name"], besides=key)
        had = list(key.access)
        if _apply(key, wanted, by) and (added := [scope for scope in key.access if scope not in had]):
            emails.send_access_added(key, by, added)


def set_rate_limit(key: ApiKey, *, by: Actor, requests_per_minute: int | None) -> None:
    """Set how many requests a minute the key may make; None for as many as any key."""
    with lock_key(key):
        before = _requests_per_minute(key)
        if _apply(key, {"rate_limit": requests_per_minute}, by) and _requests_per_minute(key) > before:
            Refusal.objects.settle_fixed(key, is_limit_raised=True)


def deactivate_key(key: ApiKey, *, by: Actor, until: datetime | None = None) -> None:
    """Refuse the key from the next request on, for good or until a moment in the future (UTC).

    Raises StaleKey when it is off for that long already.
    """
    with lock_key(key):
        now = timezone.now()
        if key.is_deactivated(now) and (
            key.reactivates_at is None or (until is not None and until <= key.reactivates_at)
        ):
            raise StaleKey
        key.deactivated_at, key.reactivates_at = now, until
        _save(key, "deactivated_at", "reactivates_at")
        _record(Event.DEACTIVATED, key, by, until=_text(until))


def reactivate_key(key: ApiKey, *, by: Actor, version: int) -> None:
    """Let a deactivated key work again.

    ``version`` is the one that the person was looking at. Raises StaleKey when the key has changed since,
    works already, was reported as leaked or is suspended.
    """
    with lock_key(key):
        if key.version != version or not key.is_reactivatable:
            raise StaleKey
        key.deactivated_at = key.reactivates_at = None
        _save(key, "deactivated_at", "reactivates_at")
        _record(Event.REACTIVATED, key, by)


def roll_key(key: ApiKey, *, by: Actor, overlap: timedelta) -> tuple[ApiKey, str]:
    """Replace the key by a new one with the same name and settings, and return it with its plaintext.

    The old key works for ``overlap`` longer, or until its own expiry if that is sooner. Raises StaleKey
    when the key does not work any more or was rolled already, and StoreSuspended.
    """
    with lock_store(key.store), lock_key(key):
        if not key.is_rollable:
            raise StaleKey
        now, expires_at = timezone.now(), key.expires_at
        key.expires_at = min(now + overlap, expires_at) if expires_at else now + overlap
        key.superseded_at = now
        _save(key, "expires_at", "superseded_at")
        successor, plaintext = insert_key(
            store=key.store,
            name=key.name,
            note=key.note,
            access=key.access,
            expires_at=expires_at,
            allowed_addresses=key.allowed_addresses,
            rate_limit=key.rate_limit,
            created_by=by.user,
            predecessor=key,
        )
        _record(Event.ROLLED, key, by, successor=successor.prefix, works_until=_text(key.expires_at))
        _record(Event.CREATED, successor, by, predecessor=key.prefix, access=successor.access)
        emails.send_key_rolled(key, successor, by)
    return successor, plaintext


def report_leaked_keys(found: Iterable[ApiKey], *, by: Actor) -> list[ApiKey]:
    """End for good the keys that somebody else has got hold of, all at once, and tell their owners.

    ``by`` is the operator who found them, or nobody where they were handed in. Returns those that were not
    known as leaked before; keys that were deleted at this instant are left out.
    """
    ids = [key.pk for key in found]
    if not ids:
        return []
    now = timezone.now()
    with transaction.atomic():
        locked = ApiKey.objects.select_related("store").select_for_update(of=("self",), no_key=True)
        leaked = list(locked.filter(pk__in=ids, leaked_at=None).order_by("pk"))
        for key in leaked:
            if not key.is_deactivated_for_good():
                key.deactivated_at, key.reactivates_at = now, None
            key.leaked_at = now
            _save(key, "deactivated_at", "reactivates_at", "leaked_at")
            _record(Event.LEAKED, key, by)
        for key in leaked:
            emails.send_key_leaked(key, by)
    return leaked


def mark_exposed(key: ApiKey, *, by: Actor) -> None:
    """Note that the whole key came over plain HTTP, the first time only. ``by`` is whoever sent it."""
    with suppress(ApiKey.DoesNotExist), lock_key(key):
        if key.exposed_at is None:
            key.exposed_at = timezone.now()
            _save(key, "exposed_at")
            _record(Event.EXPOSED, key, by)


def delete_key(key: ApiKey, *, by: Actor) -> None:
    """Delete the key and its usage. Its entries in the audit log stay."""
    with lock_key(key, to_delete=True):
        _record(Event.DELETED, key, by, access=key.access)
        emails.send_key_deleted(key, by)
        key.delete()


def suspend_store(store: Store, *, by: Actor, reason: str) -> Suspension:
    """Refuse all keys of a store from the next request on, and tell its owners why.

    Raises StoreSuspended when they are refused already, and ValidationError for a reason with a key in it.
    """
    validate_no_key(reason)
    with lock_store(store):
        if suspension := Suspension.objects.of_store(store):
            raise StoreSuspended(suspension)
        suspension = Suspension.objects.create(store=store, by=by.user, reason=reason)
        suspended = ApiKey.objects.for_store(store).update(suspended_at=suspension.at)
        AuditEntry.objects.record(Event.SUSPENDED, by=by, store=store, reason=reason, keys=suspended)
        emails.send_store_suspended(suspension, by, keys=suspended)
    return suspension


def resume_store(store: Store, *, by: Actor) -> bool:
    """Let the keys of a store work again that worked before it was suspended, and tell its owners.

    False where it was not suspended, or somebody else has resumed it meanwhile.
    """
    with lock_store(store):
        if not Suspension.objects.filter(store=store).delete()[0]:
            return False
        ApiKey.objects.for_store(store).update(suspended_at=None)
        for key in ApiKey.objects.for_store(store).order_by("pk"):
            Refusal.objects.settle_fixed(key)
        AuditEntry.objects.record(Event.RESUMED, by=by, store=store)
        emails.send_store_resumed(store, by)
    return True


def _ensure_name_is_free(store: Store, name: str, *, besides: ApiKey | None = None) -> None:
    """Raise NameTaken where another key has the name. The store is locked, so that it stays free."""
    others = ApiKey.objects.for_store(store).with_name(name)
    if others.exclude(pk=besides.pk if besides else 0).exists():
        raise NameTaken


def _apply(key: ApiKey, wanted: dict[str, Any], by: Actor) -> bool:
    """Save the columns that differ, with one entry of what changed from what to what; False for none."""
    changes = {}
    for column, after in wanted.items():
        if (before := getattr(key, column)) != after:
            setattr(key, column, after)
            changes[column] = {"from": _text(before), "to": _text(after)}
    if changes:
        _save(key, *changes, *(["comparable_name"] if "name" in changes else []))
        _record(Event.UPDATED, key, by, **changes)
    return bool(changes)


def _requests_per_minute(key: ApiKey) -> int:
    """Return the limit that holds for the key."""
    limit: int = key.rate_limit or settings.RATE_LIMIT_PER_KEY
    return limit


def _text(value: Any) -> Any:
    """Return a value as JSON keeps it: a moment in ISO 8601, all else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value


def _record(event: Event, key: ApiKey, by: Actor, **details: Any) -> None:
    AuditEntry.objects.record(event, by=by, store=key.store, key=key, **details)


def _save(key: ApiKey, *columns: str) -> None:
    key.version += 1
    key.changed_at = timezone.now()
    key.save(update_fields=[*columns, "version", "changed_at"])
    Refusal.objects.settle_fixed(key)
