"""Everything that is done to a key, to several or to all keys of a store, one function each.

Each is one transaction with the rows, their entries in the audit log and one e-mail to each owner who is told
(``apikeys.events``). The settings page, the admin, the API and the commands call these same functions. A
change is weighed against the state that the key is in when its row is locked: nothing weaker replaces
something stronger. So a key that is off for good does not come back by a later pause, and a leaked key never
comes back. Where a program acts, every function may also raise what ``apikeys.reach`` raises.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apikeys import emails, key_text
from apikeys.actors import Actor
from apikeys.locks import lock_key, lock_keys, lock_store, lock_stores
from apikeys.models import ApiKey, AuditEntry, Event, Refusal, Suspension
from apikeys.reach import ensure_made_by, ensure_within_reach
from apikeys.validators import clean_key_name, clean_note, validate_no_key
from stores.models import Store
from stores.resources import with_implied

Made = TypeVar("Made")


class StaleKey(Exception):
    """The key is no longer in the state that the change started from."""


class NameTaken(Exception):
    """Another key of the store has this name, or one that a person would take for it."""


class StoreSuspended(Exception):
    """The store's keys are suspended already, so it gets no new one."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"An operator suspended all API keys of this store ({reason}), and it gets no new ones until the "
            "suspension is lifted."
        )


CLEAN: dict[str, Callable[[Any], Any]] = {"name": clean_key_name, "note": clean_note, "access": with_implied}


def clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as they are kept of what an owner gives. Raises ValidationError and ValueError."""
    return {name: CLEAN[name](value) if name in CLEAN else value for name, value in fields.items()}


def create_key(
    *,
    store: Store,
    name: str,
    access: Iterable[str],
    by: Actor,
    expires_at: datetime | None = None,
    allowed_addresses: Iterable[str] = (),
    note: str = "",
    renews_days: int | None = None,
    **more: Any,
) -> tuple[ApiKey, str]:
    """Create a key, and return it with its plaintext, which exists nowhere else.

    ``access`` are scopes such as ``orders:read``; ``allowed_addresses`` are canonical addresses and
    networks, none for any. With ``renews_days`` it may renew itself, and works for so many days each time.
    ``more`` are further columns.
    Raises ValueError for a scope that does not exist, ValidationError for a name or a note that cannot be
    one, NameTaken and StoreSuspended.
    """
    columns = clean({"name": name, "note": note, "access": access}) | lifetime(renews_days, expires_at) | more
    with lock_store(store):
        _ensure_name_is_free(store, columns["name"])
        key, plaintext = insert_key(
            store=store,
            allowed_addresses=list(allowed_addresses),
            created_by=by.user,
            made_by=by.key,
            revealed_at=timezone.now() if by.key else None,
            **columns,
        )
        ensure_within_reach(by, key)
        details = {"canary": True} if key.is_canary else {"access": key.access}
        emails.send_event([record(Event.CREATED, key, by, **details)])
    return key, plaintext


def lifetime(renews_days: int | None, expires_at: datetime | None) -> dict[str, Any]:
    """Return the columns of a key's end: those of a key that renews itself follow from its length."""
    if renews_days is None:
        return {"expires_at": expires_at, "renews_days": None, "renewal_due_at": None}
    now, length = timezone.now(), timedelta(days=renews_days)
    return {"renews_days": renews_days, "expires_at": now + length, "renewal_due_at": now + length * 3 / 4}


def create_canary(*, store: Store, name: str, place: str, by: Actor) -> tuple[ApiKey, str]:
    """Create a key that is off for good, and return it with its plaintext: its owners are told of any use.

    ``place`` says where it is put. Raises ValidationError, NameTaken and StoreSuspended as ``create_key``.
    """
    columns: dict[str, Any] = {"is_canary": True, "deactivated_at": timezone.now()}
    return create_key(store=store, name=name, note=place, access=["products:read"], by=by, **columns)


def insert_key(*, store: Store, **columns: Any) -> tuple[ApiKey, str]:
    """Save a key under a prefix that no other has, without an audit entry or e-mail.

    ``columns`` are as they are kept, with a name that is free. The store is locked. Raises StoreSuspended.
    """
    if suspension := Suspension.objects.filter(store=store).first():
        raise StoreSuspended(suspension.reason)

    @sensitive_variables("plaintext")
    def save(plaintext: str) -> tuple[ApiKey, str]:
        with transaction.atomic():
            return save_key(plaintext, store=store, **columns), plaintext

    return with_free_prefix(save)


@sensitive_variables("plaintext")
def with_free_prefix(save: Callable[[str], Made]) -> Made:
    """Return what a function makes of a new key's plaintext.

    After a collision, where another key has the prefix, it is retried with another one: all that it does has
    to be in a transaction or a savepoint of its own. Raises any other IntegrityError.
    """
    while True:
        prefix, plaintext = key_text.generate()
        try:
            return save(plaintext)
        except IntegrityError:
            if not ApiKey.objects.filter(prefix=prefix).exists():
                raise


@sensitive_variables("plaintext")
def save_key(plaintext: str, **columns: Any) -> ApiKey:
    """Save a key. Raises IntegrityError where its prefix is taken."""
    return ApiKey.objects.create(
        prefix=plaintext[: key_text.PREFIX_LENGTH], digest=key_text.digest(plaintext), **columns
    )


def insert_successor(key: ApiKey, settings_of: ApiKey, **fields: Any) -> tuple[ApiKey, str]:
    """Save the key that takes a key's place, with the settings of the other one, as ``insert_key``."""
    return insert_key(
        store=key.store,
        name=settings_of.name,
        note=settings_of.note,
        access=settings_of.access,
        allowed_addresses=settings_of.allowed_addresses,
        rate_limit=settings_of.rate_limit,
        predecessor=key,
        **fields,
    )


def update_key(key: ApiKey, *, by: Actor, version: int, **changes: Any) -> None:
    """Change a key's name, note, access, ``expires_at``, allowed addresses or ``renews_days``, in one step.

    ``version`` is the one that the person was looking at: raises StaleKey when the key has changed since.
    Also raises what ``create_key`` raises for a name or a scope.
    """
    wanted = clean(changes)
    with lock_store(key.store), lock_key(key):
        if key.version != version or not key.is_changeable:
            raise StaleKey
        if "renews_days" in wanted:
            wanted |= lifetime(wanted["renews_days"], wanted.get("expires_at", key.expires_at))
        if "name" in wanted and key.superseded_at is None:
            _ensure_name_is_free(key.store, wanted["name"], besides=key)
        _apply(key, wanted, by)


def fence_key(
    key: ApiKey, *, by: Actor, version: int, access: list[str], allowed_addresses: list[str]
) -> None:
    """Limit the key to this access and these addresses, and keep what it had. Raises StaleKey."""
    with lock_key(key):
        if key.version != version or key.fence:
            raise StaleKey
        had = {"access": key.access, "allowed_addresses": key.allowed_addresses}
        fence = {"at": timezone.now().isoformat(), **had}
        _change_columns(key, {"fence": fence, "access": access, "allowed_addresses": allowed_addresses}, by)


def unfence_key(key: ApiKey, *, by: Actor, version: int) -> None:
    """Give the key back what it had before it was fenced. Raises StaleKey."""
    with lock_key(key):
        if key.version != version or not key.fence:
            raise StaleKey
        had = {name: key.fence[name] for name in ("access", "allowed_addresses")}
        emails.send_event([_change_columns(key, {"fence": None, **had}, by)])


def watch_rhythm(key: ApiKey, *, by: Actor, watched: bool) -> None:
    """Let the owners be told, or not any more, when the key falls silent."""
    with lock_key(key):
        key.quiet_since = key.quiet_since if watched else None
        key.save(update_fields=["quiet_since"])
        _apply(key, {"is_rhythm_watched": watched}, by)


def set_rate_limit(key: ApiKey, *, by: Actor, requests_per_minute: int | None) -> None:
    """Set how many requests a minute the key may make; None for as many as any key."""
    with lock_key(key):
        before, default = key.rate_limit, settings.RATE_LIMIT_PER_KEY
        is_changed = _apply(key, {"rate_limit": requests_per_minute}, by)
        if is_changed and (key.rate_limit or default) > (before or default):
            Refusal.objects.settle_fixed(key, is_limit_raised=True)


def extend_keys(keys: Iterable[ApiKey], *, by: Actor, expires_at: datetime) -> list[ApiKey]:
    """Let these keys of a store work until then. Returns those that would have ended earlier."""

    def extend(key: ApiKey) -> AuditEntry:
        is_old = not key.is_changeable or key.superseded_at is not None
        if is_old or key.expires_at is None or key.expires_at >= expires_at:
            raise StaleKey
        return _change_columns(key, {"expires_at": expires_at}, by)

    return _change_each(keys, extend)


def deactivate_key(key: ApiKey, *, by: Actor, until: datetime | None = None) -> None:
    """Refuse the key for good or until a moment in UTC. Raises StaleKey where it is off for so long."""
    with lock_store(key.store), lock_key(key):
        emails.send_event([_deactivate(key, by, until)])


def deactivate_keys(keys: Iterable[ApiKey], *, by: Actor, until: datetime | None = None) -> list[ApiKey]:
    """Do the same to several keys. Returns those that were not off for that long already."""
    return _change_each(keys, lambda key: _deactivate(key, by, until))


def reactivate_key(key: ApiKey, *, by: Actor, version: int) -> None:
    """Let a key work again. Raises StaleKey where it has changed since ``version``, or is not to."""
    with lock_store(key.store), lock_key(key):
        emails.send_event([_reactivate(key, by, version)])


def reactivate_keys(keys: Iterable[ApiKey], *, by: Actor) -> list[ApiKey]:
    """Do the same to several keys, as they are. Returns those for which it could be done."""
    found = list(keys)
    versions = {key.pk: key.version for key in found}
    return _change_each(found, lambda key: _reactivate(key, by, versions[key.pk]))


def roll_key(key: ApiKey, *, by: Actor, overlap: timedelta, keep_expiry: bool = False) -> tuple[ApiKey, str]:
    """Replace the key by a new one with the same name and settings, and return it with its plaintext.

    The old key works for ``overlap`` longer, or until its own expiry if that is sooner. The new one works for
    as long as the old one was given, from now, or with ``keep_expiry`` until the same moment. Raises StaleKey
    when the key does not work any more or was rolled already, and StoreSuspended.
    """
    with lock_store(key.store), lock_key(key):
        if not key.is_rollable:
            raise StaleKey
        ensure_made_by(by, key)
        now, expires_at = timezone.now(), key.expires_at
        successor_expires_at = expires_at if keep_expiry else expiry_of_successor(key)
        key.expires_at = min(now + overlap, expires_at) if expires_at else now + overlap
        key.superseded_at = now
        _save(key, "expires_at", "superseded_at")
        successor, plaintext = insert_successor(
            key,
            key,
            **lifetime(key.renews_days, successor_expires_at),
            created_by=by.user,
            made_by=by.key,
            revealed_at=now if by.key else None,
        )
        ensure_within_reach(by, successor)
        record(Event.CREATED, successor, by, predecessor=key.prefix, access=successor.access)
        details = {"successor": successor.prefix, "works_until": _text(key.expires_at)}
        emails.send_event([record(Event.ROLLED, key, by, **details)])
    return successor, plaintext


def end_old_key(key: ApiKey, *, by: Actor, later: timedelta | None = None) -> None:
    """End a rolled key now, or let it work for ``later`` longer. Raises StaleKey where it does not work."""
    with lock_key(key):
        if key.expires_at is None or not key.is_ending:
            raise StaleKey
        _apply(key, {"expires_at": key.expires_at + later if later else timezone.now()}, by)


def expiry_of_successor(key: ApiKey) -> datetime | None:
    """Return when a key ends that is given now as long as this one was given; None for a key without end."""
    if key.expires_at is None:
        return None
    chosen = AuditEntry.objects.for_key(key).filter(event=Event.UPDATED, details__has_key="expires_at")
    given_at = chosen.values_list("at", flat=True).first() or key.created_at
    return timezone.now() + max(key.expires_at - given_at, timedelta(days=1))


def report_leaked_keys(found: Iterable[ApiKey], *, by: Actor) -> list[ApiKey]:
    """End for good the keys that somebody else has got hold of, all at once, and tell their owners.

    With them end the keys that were made with them: whoever had a key could have made those. ``by`` is the
    operator who found them, or nobody where they were handed in. Returns those that were not known as leaked
    before; keys that were deleted at this instant are left out.
    """
    now = timezone.now()
    given_away = list(found)
    if not given_away:
        return []  # anybody can hand in keys that do not exist: that opens no transaction and locks nothing
    ids = {key.pk for key in given_away}
    with (
        lock_stores(key.store_id for key in given_away),
        lock_keys(ids | ApiKey.objects.made_with(ids)) as keys,
    ):
        leaked = [key for key in keys if key.leaked_at is None]
        for key in leaked:
            if key.deactivated_at is None or key.reactivates_at:
                key.deactivated_at, key.reactivates_at = now, None
            key.leaked_at = now
            _save(key, "deactivated_at", "reactivates_at", "leaked_at")
        prefixes = {key.pk: key.prefix for key in keys}
        emails.send_event(
            [
                record(Event.LEAKED, key, by, maker="" if key.pk in ids else prefixes[key.made_by_id or 0])
                for key in leaked
            ]
        )
    return leaked


def mark_exposed(key: ApiKey, *, by: Actor) -> None:
    """Note that the whole key came over plain HTTP, the first time only. ``by`` is whoever sent it."""
    with suppress(ApiKey.DoesNotExist), lock_key(key):
        if key.exposed_at is None:
            key.exposed_at = timezone.now()
            _save(key, "exposed_at")
            emails.send_event([record(Event.EXPOSED, key, by)])


def delete_key(key: ApiKey, *, by: Actor) -> None:
    """Delete the key. Its entries in the audit log stay."""
    with lock_store(key.store), lock_key(key):
        emails.send_event([_delete(key, by)])


def delete_keys(keys: Iterable[ApiKey], *, by: Actor) -> list[ApiKey]:
    """Delete several keys. Returns those that nobody else had deleted meanwhile."""
    return _change_each(keys, lambda key: _delete(key, by))


def suspend_store(store: Store, *, by: Actor, reason: str) -> None:
    """Refuse all keys of a store, and tell its owners why. Raises StoreSuspended and ValidationError."""
    validate_no_key(reason)
    with lock_store(store):
        if suspension := Suspension.objects.filter(store=store).first():
            raise StoreSuspended(suspension.reason)
        suspension = Suspension.objects.create(store=store, by=by.user, reason=reason)
        _set_suspended(store, suspension.at)
        emails.send_event([AuditEntry.objects.record(Event.SUSPENDED, by=by, store=store, reason=reason)])


def resume_store(store: Store, *, by: Actor) -> bool:
    """Let keys work again as before a store was suspended, and tell its owners; False where it was not."""
    with lock_store(store):
        if not Suspension.objects.filter(store=store).delete()[0]:
            return False
        _set_suspended(store, None)
        keys = ApiKey.objects.for_store(store)
        Refusal.objects.settle_inactive(keys.usable() | keys.in_state("expired"))
        emails.send_event([AuditEntry.objects.record(Event.RESUMED, by=by, store=store)])
    return True


def _ensure_name_is_free(store: Store, name: str, *, besides: ApiKey | None = None) -> None:
    """Raise NameTaken where another key has the name. The store is locked, so that it stays free."""
    others = ApiKey.objects.for_store(store).with_name(name)
    if others.exclude(pk=besides.pk if besides else 0).exists():
        raise NameTaken


def _change_each(keys: Iterable[ApiKey], change: Callable[[ApiKey], AuditEntry]) -> list[ApiKey]:
    """Change each key that can be changed, in one transaction, with one e-mail. Returns the changed ones."""
    changed: list[ApiKey] = []
    entries: list[AuditEntry] = []
    ordered = sorted(keys, key=lambda one: one.pk)
    with lock_stores(key.store_id for key in ordered):
        for key in ordered:
            with suppress(StaleKey, ApiKey.DoesNotExist), lock_key(key):
                entries.append(change(key))
                changed.append(key)
        emails.send_event(entries)
    return changed


def _deactivate(key: ApiKey, by: Actor, until: datetime | None) -> AuditEntry:
    ensure_made_by(by, key)
    now = timezone.now()
    is_off_for_longer = key.reactivates_at is None or (until is not None and until <= key.reactivates_at)
    if key.is_deactivated(now) and is_off_for_longer:
        raise StaleKey
    key.deactivated_at, key.reactivates_at = now, until
    _save(key, "deactivated_at", "reactivates_at")
    return record(Event.DEACTIVATED, key, by, until=_text(until))


def _reactivate(key: ApiKey, by: Actor, version: int) -> AuditEntry:
    if key.version != version or not key.is_reactivatable:
        raise StaleKey
    ensure_within_reach(by, key)
    key.deactivated_at = key.reactivates_at = None
    _save(key, "deactivated_at", "reactivates_at")
    return record(Event.REACTIVATED, key, by)


def _delete(key: ApiKey, by: Actor) -> AuditEntry:
    ensure_made_by(by, key)
    entry = record(Event.DELETED, key, by, access=key.access)
    ApiKey.objects.filter(pk=key.pk).delete()
    return entry


def _set_suspended(store: Store, at: datetime | None) -> None:
    """Mark all keys of a store, whose rows are locked in the order in which everybody locks them."""
    keys = ApiKey.objects.for_store(store)
    with lock_keys(keys.values_list("pk", flat=True)):
        keys.update(suspended_at=at)


def _apply(key: ApiKey, wanted: dict[str, Any], by: Actor) -> bool:
    """Change the columns that differ, and tell the owners where that lets more in; False for none."""
    changes = {column: after for column, after in wanted.items() if getattr(key, column) != after}
    if changes:
        emails.send_event([_change_columns(key, changes, by)])
    return bool(changes)


def _change_columns(key: ApiKey, changes: dict[str, Any], by: Actor) -> AuditEntry:
    """Save these columns, with one entry of what changed from what to what."""
    details = {}
    for column, after in changes.items():
        details[column] = {"from": _text(getattr(key, column)), "to": _text(after)}
        setattr(key, column, after)
    ensure_within_reach(by, key)
    _save(key, *changes, "comparable_name", "search_text")
    return record(Event.UPDATED, key, by, **details)


def _text(value: Any) -> Any:
    """Return a value as JSON keeps it: a moment in ISO 8601, all else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value


def record(event: Event, key: ApiKey, by: Actor, **details: Any) -> AuditEntry:
    """Add an entry about a key to the audit log."""
    return AuditEntry.objects.record(event, by=by, store=key.store, key=key, **details)


def _save(key: ApiKey, *columns: str) -> None:
    key.version += 1
    key.changed_at = timezone.now()
    key.save(update_fields=[*columns, "version", "changed_at"])
    Refusal.objects.settle_fixed(key)
