"""Keys that renew themselves: a program trades its key for the next one, and a stolen key is found out.

It is refresh-token rotation with reuse detection (RFC 9700, section 4.14.2) for API keys. The old key works
on until a minute after the new one is first used, so that an answer that is lost can be asked for again, and
so that other workers of the program have time to read the new key. Whoever calls with the old one later does
not have the new one: two programs hold it. So they do where somebody calls with a new key that was given up
as lost.
"""

from datetime import datetime, timedelta
from math import ceil

from django.utils import timezone

from apikeys import emails
from apikeys.actors import Actor
from apikeys.lifecycle import StaleKey, insert_successor, lifetime, record
from apikeys.locks import lock_key, lock_keys, lock_store
from apikeys.models import ApiKey, Event
from apikeys.models.key import KeyRules

# Between two renewals at least.
MIN_INTERVAL = timedelta(hours=1)
# So long the old key works, if nobody comes with the new one.
OVERLAP = timedelta(hours=24)
# And after somebody has: time for the program's other workers.
GRACE = timedelta(minutes=1)
# So many new keys an old one gets as if the answers were lost; after that, one an hour.
MAX_ANSWERS = 10
# After so long a key that was replaced is deleted, and its reuse no longer told apart from an unknown key.
REPLACED_KEPT = timedelta(days=90)
REPLACED = "This API key has renewed itself already, and the new one is in use: use that one."


class NotRenewable(Exception):
    """The owner has not ticked that the key may renew itself."""


class RenewedTooSoon(Exception):
    """The key was renewed less than an hour ago, or its answers were lost too often."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait_seconds = ceil(wait.total_seconds())


def renew_key(key: ApiKey, *, by: Actor) -> tuple[ApiKey, str]:
    """Replace a key at its own program's wish, and return the new one with its plaintext.

    Asked again before anybody has used the new key, the answer was lost: another takes its place. Raises
    NotRenewable, RenewedTooSoon, StoreSuspended, and StaleKey for a key that has stopped working or was
    replaced for good.
    """
    with lock_store(key.store), lock_key(key):
        now = timezone.now()
        if not key.is_usable(now):
            raise StaleKey(REPLACED)
        if key.superseded_at:
            newest = _give_up(key, now)
        else:
            newest = key
            if key.is_renewed:
                _ensure_is_due(key, now)
            key.superseded_at = now
            key.expires_at = min(now + OVERLAP, key.expires_at or now + OVERLAP)
        # As many versions as entries in the audit log: an edit reads there what it missed.
        key.version += 1
        key.save(update_fields=["superseded_at", "expires_at", "version"])
        if key.renews_days is None or newest.renews_days is None:
            raise NotRenewable
        successor, plaintext = insert_successor(
            key,
            newest,
            **lifetime(newest.renews_days, None),
            # Nobody is shown it: the program has it.
            revealed_at=now,
            made_by=key,
            is_unconfirmed=True,
        )
        record(Event.CREATED, successor, by, predecessor=key.prefix, renewed=True)
        record(Event.RENEWED, key, by, successor=successor.prefix)
    return successor, plaintext


def confirm_renewal(key: KeyRules) -> ApiKey | None:
    """Note that a request has come with a new key, so that the one before it ends in a minute.

    Returns the key as it is now: it may have been given up while it was looked up, or deleted, for None.
    """
    with lock_store(key.store), lock_keys([key.pk]) as found:
        now, locked = timezone.now(), found[0] if found else None
        if locked and locked.is_unconfirmed and locked.is_usable(now):
            locked.is_unconfirmed = False
            locked.save(update_fields=["is_unconfirmed"])
            ApiKey.objects.filter(successors=locked).update(replaced_at=now + GRACE)
    return locked


def report_reuse(key: KeyRules, *, by: Actor) -> None:
    """Tell the owners, once, that somebody calls with a key that its program has replaced, if that is so."""
    if key.replaced_at is None or key.replaced_at > timezone.now() or key.reused_at:
        return
    with lock_keys([key.pk]) as found:
        for locked in found:
            if locked.reused_at is None:
                locked.reused_at = timezone.now()
                locked.version += 1
                locked.save(update_fields=["reused_at", "version"])
                emails.send_event([record(Event.REUSED, locked, by)])


def delete_replaced_keys() -> None:
    """Delete keys that were replaced long ago. What they made counts as made by the key after them."""
    old = ApiKey.objects.filter(replaced_at__lt=timezone.now() - REPLACED_KEPT)
    for key in old.select_related("store").order_by("pk"):
        with lock_store(key.store):
            successor = key.successors.order_by("pk").last()
            key.made.exclude(predecessor=key).update(made_by=successor)
            record(Event.DELETED, key, Actor(), access=key.access)
            key.delete()


def _give_up(key: ApiKey, now: datetime) -> ApiKey:
    """End the new key that nobody has used, and return it. Raises StaleKey where somebody has."""
    given = list(key.successors.filter(made_by=key).order_by("pk"))
    newest = given[-1] if given else None
    if newest is None or not newest.is_unconfirmed or newest.superseded_at or not newest.is_usable(now):
        raise StaleKey(REPLACED)
    if len(given) >= MAX_ANSWERS:
        _ensure_is_due(newest, now)
    newest.superseded_at = newest.replaced_at = now
    newest.save(update_fields=["superseded_at", "replaced_at"])
    return newest


def _ensure_is_due(key: ApiKey, now: datetime) -> None:
    """Raise RenewedTooSoon for a key that is younger than MIN_INTERVAL."""
    if (wait := key.created_at + MIN_INTERVAL - now) > timedelta(0):
        raise RenewedTooSoon(wait)
