"""The rule that nothing can grow: a program gives at most what its own key has, to keys that it made.

People may give everything. The settings page and the API change keys by the same functions, which ask here.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from apikeys import client_ip
from apikeys.actors import Actor
from apikeys.models import ApiKey
from stores.resources import MANAGING_SCOPES

MAX_LIFETIME = timedelta(days=365)


class BeyondOwnAccess(Exception):
    """A program asked for more than its own key may do.

    ``what`` is the field that was too much, or ``key`` for a key that it did not make; ``missing`` are the
    scopes that its own key does not have or may not give.
    """

    def __init__(self, what: str, sentence: str, missing: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.what = what
        self.missing = missing


class ProgramStopped(Exception):
    """The key of the program that asks has stopped working at this very moment."""


def ensure_made_by(by: Actor, key: ApiKey) -> None:
    """Raise BeyondOwnAccess where a program would change a key that neither it made nor one that it made.

    What its key's predecessors made counts as its own. The store is locked.
    """
    if by.key is None:
        return
    by.key.refresh_from_db(from_queryset=ApiKey.objects.select_for_update(no_key=True))
    if not by.key.is_usable(timezone.now()):
        raise ProgramStopped
    if key.pk not in ApiKey.objects.made_with(ApiKey.objects.line_of(by.key.pk)):
        raise BeyondOwnAccess("key", "A key can change only keys that it made.")


def ensure_within_reach(by: Actor, key: ApiKey) -> None:
    """Raise BeyondOwnAccess where ``key``, as it is about to be saved, could do more than the program's own.

    No program gives access to keys. The store is locked.
    """
    ensure_made_by(by, key)
    own, now = by.key, timezone.now()
    if own is None:
        return
    if missing := [scope for scope in key.access if scope in MANAGING_SCOPES or scope not in own.access]:
        raise BeyondOwnAccess("access", "A key can give only access that it has itself.", missing)
    latest = min(now + MAX_LIFETIME, own.expires_at or now + MAX_LIFETIME)
    if key.expires_at is None or key.expires_at > latest:
        raise BeyondOwnAccess(
            "expires_at", "A key that a program makes ends within a year, and not after the program's own."
        )
    if not client_ip.are_within(key.allowed_addresses, own.allowed_addresses):
        raise BeyondOwnAccess("allowed_addresses", "A key can allow only addresses that it is allowed from.")
