"""Requests of demo keys one by one, by hour and by reason, made up from their usage by day."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from apikeys.models import ApiKey, ApiKeyUsage, HourlyUsage, LoggedRequest, Outcome, RefusalUsage
from stores.models import Store

LOGGED_DAYS = 3
HOURLY_DAYS = 2
# Of each row of usage; the log of the demo is a sample.
MAX_LOGGED = 60


def seed_requests(store: Store, clients: dict[int, str], *, now: datetime, rng: random.Random) -> None:
    """Fill the request log of a store whose usage is there. ``clients`` are User-Agents by the key's id."""
    first = now.date() - timedelta(days=LOGGED_DAYS - 1)
    usage = list(ApiKeyUsage.objects.filter(key__store=store).select_related("key").order_by("date", "pk"))
    RefusalUsage.objects.bulk_create(
        RefusalUsage(
            key=row.key,
            date=row.date,
            resource=row.resource,
            access=row.access,
            reason=reason_of(row),
            requests=row.requests,
            last_at=row.last_at,
        )
        for row in usage
        if row.outcome == Outcome.REFUSED
    )
    recent = [row for row in usage if row.date >= first]
    hours: Counter[tuple[int, datetime, str]] = Counter()
    logged = []
    for row in recent:
        moments = sorted(moments_of(row, rng))
        for moment in moments:
            hours[row.key_id, moment.replace(minute=0, second=0, microsecond=0), row.outcome] += 1
        logged += [as_logged(row, moment, clients, rng) for moment in moments[-MAX_LOGGED:]]
    LoggedRequest.objects.bulk_create(sorted(logged, key=lambda request: request.at), batch_size=500)
    HourlyUsage.objects.bulk_create(
        HourlyUsage(store=store, key_id=key_id, hour=hour, outcome=outcome, requests=requests)
        for (key_id, hour, outcome), requests in sorted(hours.items())
        if hour >= now - timedelta(days=HOURLY_DAYS)
    )


def moments_of(row: ApiKeyUsage, rng: random.Random) -> Iterator[datetime]:
    """Yield when the requests of a day were, up to the last of them."""
    midnight = datetime.combine(row.date, time.min, UTC)
    seconds = (row.last_at - midnight).total_seconds()
    yield row.last_at
    for _ in range(row.requests - 1):
        yield midnight + timedelta(seconds=rng.random() * seconds)


def reason_of(row: ApiKeyUsage) -> str:
    """Return the code of the error that refused or failed requests got."""
    if row.outcome == Outcome.FAILED:
        return "not_found"
    if row.access:
        return "resource_not_allowed"
    return "api_key_expired" if row.key.is_expired(row.last_at) else "api_key_inactive"


def as_logged(row: ApiKeyUsage, at: datetime, clients: dict[int, str], rng: random.Random) -> LoggedRequest:
    key: ApiKey = row.key
    is_write = row.access == "write"
    one = rng.randrange(10_000, 99_999) if is_write or row.outcome == Outcome.FAILED else None
    base = f"/v1/stores/{key.store_id}/{row.resource}/"
    route = f"/v1/stores/{{store_id}}/{row.resource}/"
    return LoggedRequest(
        at=at,
        store_id=key.store_id,
        key=key,
        prefix=key.prefix,
        method="PATCH" if is_write else "GET",
        path=f"{base}{one}/" if one else base,
        route=f"{route}{{pk}}/" if one else route,
        resource=row.resource,
        access=row.access,
        status={Outcome.SUCCEEDED: 200, Outcome.REFUSED: 401, Outcome.FAILED: 404}[Outcome(row.outcome)],
        reason=None if row.outcome == Outcome.SUCCEEDED else reason_of(row),
        milliseconds=rng.randrange(3, 40),
        address=f"203.0.113.{key.pk % 200 + rng.randrange(3)}",
        client=clients[key.pk],
        request_id=UUID(int=rng.getrandbits(128)),
    )
