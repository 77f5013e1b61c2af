"""How counted requests become rows: a batch in one transaction, and every batch once.

Every writer takes its locks in the same order: its own row among the writers, stores, keys, rows of usage,
each sorted. So no two of them can deadlock.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from django.db import connection, models, transaction
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from apikeys.models import (
    ApiKey,
    ApiKeyUsage,
    HourlyUsage,
    LastUse,
    LoggedRequest,
    Outcome,
    Refusal,
    RefusalUsage,
    StoreUsage,
    UsageWriter,
)
from apikeys.models.refusals import MAX_ADDRESSES
from apikeys.usage import networks
from apikeys.usage.batch import Batch, Cause, Count, Counter, KeyRequest, Refused
from stores.models import Store

# Far below what one statement may bind: 32,766 values on SQLite and 65,535 on PostgreSQL.
ROWS_PER_STATEMENT = 500

ADD_REQUESTS = "requests = kept.requests + excluded.requests"
LAST_AT = "last_at = CASE WHEN excluded.last_at > kept.last_at THEN excluded.last_at ELSE kept.last_at END"
ADD_COUNT = f"{ADD_REQUESTS}, {LAST_AT}"
# A request refused after its cause was fixed opens the refusal again; one that is left stays left.
IS_OPENED_AGAIN = "kept.settled_as = 'fixed' AND excluded.last_at > kept.settled_at"
ADD_REFUSED = f"""{ADD_REQUESTS}, {LAST_AT},
    client = CASE WHEN excluded.last_at > kept.last_at THEN excluded.client ELSE kept.client END,
    first_at = CASE WHEN excluded.first_at < kept.first_at THEN excluded.first_at ELSE kept.first_at END,
    settled_at = CASE WHEN {IS_OPENED_AGAIN} THEN NULL ELSE kept.settled_at END,
    settled_as = CASE WHEN {IS_OPENED_AGAIN} THEN '' ELSE kept.settled_as END
"""

LOG_FIELDS = (
    *("at", "store", "key", "prefix", "method", "path", "route", "resource", "access", "status", "reason"),
    *("milliseconds", "address", "client", "request_id"),
)

FIRST = itemgetter(0)

Counts = Mapping[Counter, Count]


def write(batch: Batch) -> None:
    """Add a batch's counts to the rows of usage, and note newest requests and networks, unless it is there.

    A connection that breaks while it commits leaves open whether it did, so a batch that failed may be
    handed in again, as often as it takes. Keys deleted since are left out; their store keeps its counts.
    Raises django.db.Error.
    """
    with transaction.atomic():
        if not _claim_batch(batch):
            return
        stores = _lock_rows(Store, {counter.store_id for counter in batch.counts})
        keys = _lock_rows(ApiKey, {counter.key_id for counter in batch.counts})
        networks.record_networks({at: use for at, use in batch.networks.items() if use.key_id in keys})
        of_keys = {c: count for c, count in batch.counts.items() if c.key_id in keys}
        of_stores = {c: count for c, count in batch.counts.items() if c.store_id in stores}
        _write_key_usage(of_keys)
        _write_refusals(of_keys)
        _write_causes(batch.refusals)
        _write_store_usage(of_stores)
        _write_hourly_usage(of_stores)
        _write_last_uses(use for use in batch.newest.values() if use.key_id in keys)
        _write_log(request for request in batch.log if request.store_id in stores)


def _claim_batch(batch: Batch) -> bool:
    """Store the batch's number as its writer's last; False where it was stored before.

    Its first attempt may still be ending on the server: this waits for it.
    """
    claimed = _upsert(
        UsageWriter,
        ("id", "batch", "at"),
        [(batch.writer, batch.number, timezone.now())],
        "(id) DO UPDATE SET batch = excluded.batch, at = excluded.at WHERE excluded.batch > kept.batch",
    )
    return claimed == 1


def _write_key_usage(counts: Counts) -> None:
    _upsert(
        ApiKeyUsage,
        ("key", "date", "resource", "access", "outcome", "requests", "last_at"),
        _totals(counts, lambda c: (c.key_id, c.date, c.resource, c.access, c.outcome)),
        f"(key_id, date, resource, access, outcome) DO UPDATE SET {ADD_COUNT}",
    )


def _write_refusals(counts: Counts) -> None:
    refused = {c: count for c, count in counts.items() if c.outcome == Outcome.REFUSED}
    _upsert(
        RefusalUsage,
        ("key", "date", "resource", "access", "reason", "requests", "last_at"),
        _totals(refused, lambda c: (c.key_id, c.date, c.resource, c.access, c.reason)),
        f"(key_id, date, resource, access, reason) DO UPDATE SET {ADD_COUNT}",
    )


def _write_causes(refusals: Mapping[Cause, Refused]) -> None:
    """Add refused requests to the rows of their causes."""
    _upsert(
        Refusal,
        (
            *("key", "store", "reason", "scope", "address", "client"),
            *("requests", "first_at", "last_at", "settled_as"),
        ),
        [
            (
                *(cause.key_id, refused.newest.store_id, cause.reason, cause.scope, cause.address),
                *(refused.newest.client, refused.requests, refused.first_at, refused.newest.at, ""),
            )
            for cause, refused in sorted(_with_few_addresses(refusals).items(), key=FIRST)
        ],
        f"(key_id, reason, scope, address) DO UPDATE SET {ADD_REFUSED}",
    )


def _with_few_addresses(refusals: Mapping[Cause, Refused]) -> Mapping[Cause, Refused]:
    """Add up what would give a key rows of more than MAX_ADDRESSES addresses, as its further addresses.

    Processes that write at the same instant do not see each other's rows, and may go beyond that once.
    """
    keys = {cause.key_id for cause in refusals if cause.address}
    if not keys:
        return refusals
    known: dict[int, set[str]] = {key_id: set() for key_id in keys}
    for key_id, address in (
        Refusal.objects.filter(key__in=keys).exclude(address="").values_list("key_id", "address")
    ):
        known[key_id].add(address)
    few: dict[Cause, Refused] = {}
    for cause, refused in sorted(refusals.items(), key=lambda item: item[1].first_at):
        if cause.address:
            addresses = known[cause.key_id]
            if len(addresses | {cause.address}) > MAX_ADDRESSES:
                cause = cause._replace(address="")
            else:
                addresses.add(cause.address)
        if cause in few:
            few[cause].add(refused)
        else:
            few[cause] = replace(refused)
    return few


def _write_hourly_usage(counts: Counts) -> None:
    _upsert(
        HourlyUsage,
        ("key", "hour", "outcome", "store", "requests"),
        [row[:-1] for row in _totals(counts, lambda c: (c.key_id, c.hour, c.outcome, c.store_id))],
        f"(key_id, hour, outcome) DO UPDATE SET {ADD_REQUESTS}",
    )


def _write_store_usage(counts: Counts) -> None:
    _upsert(
        StoreUsage,
        ("store", "date", "outcome", "requests"),
        [row[:-1] for row in _totals(counts, lambda c: (c.store_id, c.date, c.outcome))],
        f"(store_id, date, outcome) DO UPDATE SET {ADD_REQUESTS}",
    )


def _totals(counts: Counts, group: Callable[[Counter], tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Add counts up by a group of the counters' fields: sorted rows of the group, requests and last_at."""
    totals: dict[tuple[Any, ...], Count] = {}
    for counter, count in counts.items():
        of_group = group(counter)
        if total := totals.get(of_group):
            total.add(count.requests, count.last_at)
        else:
            totals[of_group] = replace(count)
    return [
        (*of_group, total.requests, total.last_at)
        for of_group, total in sorted(totals.items(), key=itemgetter(0))
    ]


def _write_last_uses(uses: Iterable[KeyRequest]) -> None:
    _upsert(
        LastUse,
        ("key", "at", "method", "resource", "status_code", "address", "client"),
        [
            (use.key_id, use.at, use.method, use.resource, use.status_code, use.address, use.client)
            for use in sorted(uses, key=lambda use: use.key_id)
        ],
        """(key_id) DO UPDATE SET
            at = excluded.at, method = excluded.method, resource = excluded.resource,
            status_code = excluded.status_code, address = excluded.address, client = excluded.client
            WHERE excluded.at > kept.at
        """,
    )


def _write_log(requests: Iterable[KeyRequest]) -> None:
    rows = [
        (
            *(request.at, request.store_id, request.key_id, request.prefix, request.method, request.path),
            *(request.route, request.resource, request.access, request.status_code, request.reason),
            *(request.milliseconds, request.address, request.client, request.request_id),
        )
        for request in requests
    ]
    if connection.vendor == "postgresql":
        _copy(LoggedRequest, LOG_FIELDS, rows)
    else:
        _upsert(LoggedRequest, LOG_FIELDS, rows, "DO NOTHING")


def _lock_rows(model: type[models.Model], ids: Collection[int]) -> set[int]:
    """Those of the ids that exist, held against deletion until the transaction ends.

    PostgreSQL's weakest row lock is enough and lets other processes count too; the ORM cannot ask for it.
    """
    strength = "FOR KEY SHARE" if connection.features.has_select_for_update else ""
    found: set[int] = set()
    with connection.cursor() as cursor:
        for some in _batched(sorted(ids)):
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(
                f"SELECT id FROM {model._meta.db_table} WHERE id IN ({marks}) ORDER BY id {strength}",  # noqa: S608
                some,
            )
            found.update(row[0] for row in cursor.fetchall())
    return found


def _upsert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], on_conflict: str
) -> int:
    """Insert rows, or do what ``on_conflict`` says where ``kept`` holds the row that is there already.

    Returns how many were inserted or changed. The ORM's own upsert can replace a value but not add to it.
    """
    fields = {field.name: field for field in model._meta.concrete_fields}
    written = [fields[name] for name in names]
    columns = ", ".join(str(field.column) for field in written)
    marks = f"({', '.join(['%s'] * len(written))})"
    changed = 0
    with connection.cursor() as cursor:
        for some in _batched(rows):
            values = ", ".join([marks] * len(some))
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} AS kept ({columns}) VALUES {values} "  # noqa: S608
                f"ON CONFLICT {on_conflict}",
                [
                    # Numbers and text, most of them, every database takes as they are.
                    value if type(value) in {int, str} else field.get_db_prep_save(value, connection)
                    for row in some
                    for field, value in zip(written, row, strict=True)
                ],
            )
            changed += cursor.rowcount
    return changed


def _copy(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows by PostgreSQL's COPY, which takes a tenth of the time that an INSERT does."""
    columns = ", ".join(str(model._meta.get_field(name).column) for name in names)  # type: ignore[union-attr]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _batched(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + ROWS_PER_STATEMENT] for start in range(0, len(items), ROWS_PER_STATEMENT))


@receiver(pre_delete, sender=Store)
def _lock_before_deletion(instance: Store, **kwargs: Any) -> None:
    """Let deletion of a store take its locks in the order above: Django begins with the rows of usage."""
    Store.objects.select_for_update().filter(pk=instance.pk).first()
