"""The rows that a change holds until its transaction ends, so that no other change gets lost."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from apikeys.models import ApiKey
from stores.models import Store


@contextmanager
def lock_key(key: ApiKey, *, to_delete: bool = False) -> Iterator[None]:
    """Open a transaction that holds this key's row, its fields fresh, so that no change gets lost.

    Raises ApiKey.DoesNotExist when the key has been deleted meanwhile.
    """
    with transaction.atomic():
        # Rows that refer to the key, such as usage, can be written meanwhile, unless it is about to be
        # deleted with them: whoever writes them and whoever deletes them would wait for each other.
        key.refresh_from_db(from_queryset=ApiKey.objects.select_for_update(no_key=not to_delete))
        yield


@contextmanager
def lock_store(store: Store) -> Iterator[None]:
    """Open a transaction in which nobody else creates a key of the store, suspends or resumes it."""
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).get(pk=store.pk)
        yield
