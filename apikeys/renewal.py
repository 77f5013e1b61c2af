"""Keys that renew themselves: a program trades its key for the next one, and a stolen key is found out.

It is refresh-token rotation with reuse detection (RFC 9700, section 4.14.2) for API keys. The old key works
on until a minute after the new one is first used, so that an answer that is lost can be asked for again, and
so that other workers of the program have time to read the new key. Whoever calls with the old one later does
not have the new one: two programs hold it.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone

from apikeys import emails, key_text
from apikeys.actors import Actor
from apikeys.lifecycle import StaleKey, insert_key, lifetime
from apikeys.locks import lock_key, lock_store
from apikeys.models import ApiKey, AuditEntry, Event

# Between two renewals at least.
MIN_INTERVAL = timedelta(hours=1)
# So long the old key works, if nobody comes with the new one.
OVERLAP = timedelta(hours=24)
# And after somebody has: time for the program's other workers.
GRACE = timedelta(minutes=1)
# After so long a key that was replaced is deleted, and its reuse no longer told apart from an unknown key.
REPLACED_KEPT = timedelta(days=90)


class NotRenewable(Exception):
    """The owner has not ticked that the key may renew itself."""


class RenewedTooSoon(Exception):
    """The key was renewed less than an hour ago."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait_seconds = max(1, round(wait.total_seconds()))


def renew_key(key: ApiKey, *, by: Actor) -> tuple[ApiKey, str]:
    """Replace a key at its own program's wish, and return the new one with its plaintext.

    Asked again before anybody has used the new key, the answer was lost: the new key gets another text in
    place of the one that nobody has. Raises NotRenewable, RenewedTooSoon, StoreSuspended, and StaleKey for a
    key that has stopped working or was replaced for good.
    """
    with lock_store(key.store), lock_key(key):
        now = timezone.now()
        if not key.is_usable(now):
            raise StaleKey
        if key.renews_days is None:
            raise NotRenewable
        if key.superseded_at:
            successor, plaintext = _redraw(key)
        elif key.is_renewed and (wait := key.created_at + MIN_INTERVAL - now) > timedelta(0):
            raise RenewedTooSoon(wait)
        else:
            successor, plaintext = _replace(key, now)
            _record(Event.CREATED, successor, by, predecessor=key.prefix, access=successor.access)
        _record(Event.RENEWED, key, by, successor=successor.prefix)
    return successor, plaintext


def confirm_renewal(key: ApiKey) -> None:
    """Note that a request has come with a new key, so that the one before it ends in a minute."""
    with suppress(ApiKey.DoesNotExist), lock_store(key.store), lock_key(key):
        if not key.is_unconfirmed:
            return
        key.is_unconfirmed = False
        key.save(update_fields=["is_unconfirmed"])
        ApiKey.objects.filter(successors=key).update(replaced_at=timezone.now() + GRACE)


def report_reuse(key: ApiKey, *, by: Actor) -> None:
    """Note and tell the owners, once, that somebody calls with a key that its program has replaced."""
    with suppress(ApiKey.DoesNotExist), lock_key(key):
        if key.reused_at is None:
            key.reused_at = timezone.now()
            key.save(update_fields=["reused_at"])
            emails.send_event([_record(Event.REUSED, key, by)])


def delete_replaced_keys() -> None:
    """Delete keys that were replaced long ago. What they made counts as made by the key after them."""
    old = ApiKey.objects.filter(replaced_at__lt=timezone.now() - REPLACED_KEPT)
    for key in old.select_related("store").order_by("pk"):
        with lock_store(key.store):
            successor = key.successors.order_by("pk").last()
            key.made.exclude(predecessor=key).update(made_by=successor)
            _record(Event.DELETED, key, Actor(), access=key.access)
            key.delete()


def _replace(key: ApiKey, now: datetime) -> tuple[ApiKey, str]:
    key.superseded_at = now
    key.expires_at = min(now + OVERLAP, key.expires_at or now + OVERLAP)
    key.version += 1
    key.save(update_fields=["superseded_at", "expires_at", "version"])
    return insert_key(
        store=key.store,
        name=key.name,
        note=key.note,
        access=key.access,
        **lifetime(key.renews_days, None),
        allowed_addresses=key.allowed_addresses,
        rate_limit=key.rate_limit,
        # Nobody is shown it: the program has it.
        revealed_at=now,
        made_by=key,
        predecessor=key,
        is_unconfirmed=True,
    )


def _redraw(key: ApiKey) -> tuple[ApiKey, str]:
    """Give the key's unused successor another text. Raises StaleKey where it was used, or is not its own."""
    successor = key.successors.filter(made_by=key, is_unconfirmed=True).first()
    if successor is None:
        raise StaleKey
    prefix, plaintext = key_text.generate()
    while ApiKey.objects.filter(prefix=prefix).exists():
        prefix, plaintext = key_text.generate()
    successor.prefix, successor.digest = prefix, key_text.digest(plaintext)
    for column, value in lifetime(key.renews_days, None).items():
        setattr(successor, column, value)
    successor.save(update_fields=["prefix", "digest", "expires_at", "renewal_due_at"])
    return successor, plaintext


def _record(event: Event, key: ApiKey, by: Actor, **details: object) -> AuditEntry:
    return AuditEntry.objects.record(event, by=by, store=key.store, key=key, **details)
