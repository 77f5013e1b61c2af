"""Write counted requests as rows: a batch in one transaction, and every batch once.

Every writer writes to the tables in the same order, its own row among the writers first, and to the rows of
each table sorted. So no two of them can deadlock, and as no row refers to another, nobody else waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.utils import timezone

from apikeys.models import (
    HourlyUsage,
    LastUse,
    LoggedRequest,
    Outcome,
    Refusal,
    StoreUsage,
    Usage,
    UsageWriter,
)
from apikeys.models.refusals import MAX_ADDRESSES
from apikeys.usage.alarms import queue_alarms
from apikeys.usage.batch import Batch, Cause, Count, Counter, KeyRequest, Refused
from apikeys.usage.networks import record_networks


def _keep_newer(*columns: str, at: str) -> str:
    """Return the assignments that take these columns from the newer one of two rows."""
    newer = f"excluded.{at} > kept.{at}"
    return ", ".join(
        f"{name} = CASE WHEN {newer} THEN excluded.{name} ELSE kept.{name} END" for name in columns
    )


# How a row that is there takes up what is counted again.
ADD = {
    "requests": "requests = kept.requests + excluded.requests",
    "last_at": _keep_newer("last_at", at="last_at"),
}
# A request refused after its cause was fixed opens the refusal again; one that is left stays left.
IS_OPENED_AGAIN = "kept.settled_as = 'fixed' AND excluded.last_at > kept.settled_at"
ADD_REFUSED = f"""{ADD["requests"]}, {_keep_newer("last_at", "client", at="last_at")},
    first_at = CASE WHEN excluded.first_at < kept.first_at THEN excluded.first_at ELSE kept.first_at END,
    settled_at = CASE WHEN {IS_OPENED_AGAIN} THEN NULL ELSE kept.settled_at END,
    settled_as = CASE WHEN {IS_OPENED_AGAIN} THEN '' ELSE kept.settled_as END
"""

NEWEST = ("at", "method", "resource", "status_code", "address", "client")

# The fields of a KeyRequest that are logged, and their columns.
LOG = [name for name in KeyRequest._fields if name != "is_alarm"]
LOG_COLUMNS = [
    {"store_id": "store", "key_id": "key", "status_code": "status"}.get(name, name) for name in LOG
]

# The columns of a Cause.
CAUSE = ("key", "reason", "scope", "address")

Counts = Mapping[Counter, Count]


def write(batch: Batch) -> None:
    """Add a batch's counts to the rows of usage, and note newest requests and networks, unless it is there.

    A connection that breaks while it commits leaves open whether it did, so a batch that failed may be
    handed in again, as often as it takes. Raises django.db.Error.
    """
    with transaction.atomic():
        if not _claim_batch(batch):
            return
        record_networks(batch.networks)
        queue_alarms(batch.alarms)
        _write_counts(
            Usage,
            batch.counts,
            ("key", "day", "resource", "access", "outcome", "reason", "store"),
            added=("requests", "last_at"),
        )
        _write_refusals(batch.refusals)
        _write_counts(StoreUsage, batch.counts, ("store", "day", "outcome"))
        _write_counts(HourlyUsage, batch.counts, ("key", "hour", "outcome"), more=("store",))
        _write_last_uses(batch.newest, batch.counts)
        _write_log(batch.log)


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


def _write_counts(
    model: type[models.Model],
    counts: Counts,
    unique: Sequence[str],
    *,
    more: Sequence[str] = (),
    added: Sequence[str] = ("requests",),
) -> None:
    """Add counts to the rows of a table: ``unique`` columns tell those apart, ``more`` follow from these."""
    group_of = attrgetter(*unique, *more)
    totals: dict[tuple[Any, ...], Count] = {}
    for counter, count in counts.items():
        group = group_of(counter)
        if total := totals.get(group):
            total.add(count.requests, count.last_at)
        else:
            totals[group] = replace(count)
    _upsert(
        model,
        (*unique, *more, *added),
        [
            (*group, *(getattr(total, name) for name in added))
            for group, total in sorted(totals.items(), key=itemgetter(0))
        ],
        f"({', '.join(str(field.column) for field in _fields(model, unique))}) DO UPDATE SET "
        f"{', '.join(ADD[name] for name in added)}",
    )


def _write_refusals(refusals: Mapping[Cause, Refused]) -> None:
    """Add refused requests to the rows of their causes."""
    rows = [
        (*cause, of.newest.store_id, of.newest.client, of.requests, of.first_at, of.newest.at, "")
        for cause, of in sorted(_with_few_addresses(refusals).items(), key=itemgetter(0))
    ]
    _upsert(
        Refusal,
        (*CAUSE, "store", "client", "requests", "first_at", "last_at", "settled_as"),
        rows,
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
    rows = Refusal.objects.filter(key__in=keys).exclude(address="")
    for key_id, address in rows.values_list("key_id", "address"):
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


def _write_last_uses(newest: Mapping[int, KeyRequest], counts: Counts) -> None:
    """Note each key's newest request, and when the newest was that was let in."""
    used: dict[int, datetime] = {}
    for counter, count in counts.items():
        if counter.outcome != Outcome.REFUSED:
            used[counter.key] = max(used.get(counter.key, count.last_at), count.last_at)
    newest_of = attrgetter(*NEWEST)
    _upsert(
        LastUse,
        ("key", "used_at", *NEWEST),
        [(key_id, used.get(key_id), *newest_of(use)) for key_id, use in sorted(newest.items())],
        f"""(key_id) DO UPDATE SET {_keep_newer(*NEWEST, at="at")}, used_at = CASE
            WHEN kept.used_at IS NULL OR excluded.used_at > kept.used_at THEN excluded.used_at
            ELSE kept.used_at END
        """,
    )


def _write_log(requests: Iterable[KeyRequest]) -> None:
    rows = list(map(attrgetter(*LOG), requests))
    if connection.vendor == "postgresql":
        columns = ", ".join(str(field.column) for field in _fields(LoggedRequest, LOG_COLUMNS))
        # It takes a tenth of the time that an INSERT does.
        query = f"COPY {LoggedRequest._meta.db_table} ({columns}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            for row in rows:
                copy.write_row(row)
    else:
        _upsert(LoggedRequest, LOG_COLUMNS, rows, "DO NOTHING")


def _upsert(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], on_conflict: str
) -> int:
    """Insert rows, or do what ``on_conflict`` says where ``kept`` holds the row that is there already.

    Returns how many were inserted or changed. The ORM's own upsert can replace a value but not add to it.
    """
    if not rows:
        return 0
    fields = _fields(model, names)
    columns = [str(field.column) for field in fields]
    into = f"INSERT INTO {model._meta.db_table} AS kept ({', '.join(columns)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One value, however many rows: a statement of many values is slow to make and to read.
            objects = [dict(zip(columns, row, strict=True)) for row in rows]
            values = msgspec.json.encode(objects, enc_hook=str).decode()
            types = ", ".join(f"{field.column} {field.db_type(connection)}" for field in fields)
            source = f"SELECT * FROM json_to_recordset(%s) AS counted ({types})"  # noqa: S608
            cursor.execute(f"{into} {source} ON CONFLICT {on_conflict}", [values])
        else:
            marks = ", ".join(["%s"] * len(fields))
            prepared = [
                _prepare(field, values) for field, values in zip(fields, zip(*rows, strict=True), strict=True)
            ]
            cursor.executemany(
                f"{into} VALUES ({marks}) ON CONFLICT {on_conflict}", list(zip(*prepared, strict=True))
            )
        return int(cursor.rowcount)


def _prepare(field: "models.Field[Any, Any]", values: Sequence[Any]) -> list[Any]:
    """Return a column's values as the database takes them, each different one made once."""
    database = connections[DEFAULT_DB_ALIAS]  # not its proxy, which is slow, for ten thousand of them
    prepared = {value: field.get_db_prep_save(value, database) for value in set(values)}
    return [prepared[value] for value in values]


def _fields(model: type[models.Model], names: Sequence[str]) -> "list[models.Field[Any, Any]]":
    fields = {field.name: field for field in model._meta.concrete_fields}
    return [fields[name] for name in names]
