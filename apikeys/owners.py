"""The owners of a store, and with it of its keys. Each change is in the audit log, and they are told."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from apikeys import emails
from apikeys.actors import Actor
from apikeys.locks import lock_store
from apikeys.models import AuditEntry, Event
from stores.models import Store


def set_owners(store: Store, owners: Iterable[User], *, by: Actor) -> None:
    """Give the store these owners and no others, in one transaction with the audit entry and the e-mails."""
    with lock_store(store):
        before, after = set(store.owners.all()), set(owners)
        added, removed = after - before, before - after
        if added or removed:
            store.owners.set(after)
            entry = AuditEntry.objects.record(
                Event.OWNERS_CHANGED, by=by, store=store, added=_names(added), removed=_names(removed)
            )
            emails.send_event([entry], former_owners=removed)


def remove_owner(user: User, *, by: Actor) -> None:
    """Take all stores from a person, whose account is about to be deleted."""
    with transaction.atomic():
        for store in Store.objects.filter(owners=user).order_by("pk"):
            set_owners(store, store.owners.exclude(pk=user.pk), by=by)


def _names(users: Iterable[User]) -> list[str]:
    return sorted(user.email or user.get_username() for user in users)
