"""The rows that a change holds until its transaction ends, so that no other change gets lost.

Whoever holds the rows of several keys holds those of their stores first, by id: two changes then wait for
each other one way only.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, connections, router, transaction

from apikeys.models import ApiKey
from stores.models import Store


@contextmanager
def lock_key(key: ApiKey) -> Iterator[None]:
    """Open a transaction that holds this key's row, its fields fresh. Raises ApiKey.DoesNotExist."""
    with transaction.atomic():
        key.refresh_from_db(from_queryset=ApiKey.objects.select_for_update(no_key=True))
        yield


@contextmanager
def lock_keys(ids: Iterable[int]) -> Iterator[list[ApiKey]]:
    """Open a transaction that holds the rows of these keys, and yield those that there still are."""
    with transaction.atomic():
        locked = ApiKey.objects.select_related("store").select_for_update(of=("self",), no_key=True)
        yield list(locked.filter(pk__in=list(ids)).order_by("pk"))


@contextmanager
def lock_store(store: Store) -> Iterator[None]:
    """Open a transaction in which nobody else changes keys of the store, suspends or resumes it.

    It is found by its id. Raises Store.DoesNotExist when it has been deleted meanwhile.
    """
    # Written out: the ORM takes three times as long. A transaction holds all of SQLite.
    lock = "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    sql = f"SELECT id FROM stores_store WHERE id = %s {lock}"  # noqa: S608  # one of two words
    with transaction.atomic():
        with connections[router.db_for_write(Store)].cursor() as cursor:
            cursor.execute(sql, [store.pk])
            if not cursor.fetchone():
                raise Store.DoesNotExist
        yield


@contextmanager
def lock_stores(ids: Iterable[int]) -> Iterator[None]:
    """Do the same for several stores."""
    with transaction.atomic():
        locked = Store.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
        list(locked.values_list("pk"))
        yield
