"""Demo keys and what they did: believable, alike every day, and as many as a measurement needs."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice

from django.contrib.auth.models import User
from django.utils import timezone

from apikeys import key_text
from apikeys.actors import Actor
from apikeys.demo_requests import seed_requests
from apikeys.models import ApiKey, ApiKeyUsage, AuditEntry, Event, LastUse, StoreUsage
from apikeys.models.outcomes import Outcome
from stores.models import Store
from stores.resources import SCOPES, with_implied

ROWS_AT_ONCE = 5_000
# So many keys have a history and a request log; more are there to be counted.
MAX_IN_DETAIL = 100


@dataclass(frozen=True)
class Specimen:
    """A kind of key: what it reaches, how old it is (days), and about how often a day it asks for what."""

    name: str
    access: tuple[str, ...]
    age: int
    per_day: dict[str, int] = field(default_factory=dict)
    refused_per_day: dict[str, int] = field(default_factory=dict)
    expires_in: int | None = None
    deactivated_ago: int | None = None
    is_leaked: bool = False
    client: str = "python-requests/2.32.5"


SPECIMENS = (
    Specimen(
        "Storefront",
        ("products:read", "categories:read"),
        age=310,
        per_day={"products:read": 1900, "categories:read": 420},
        client="node-fetch/3.3.2",
    ),
    Specimen(
        "Warehouse sync",
        ("orders:write", "products:write"),
        age=240,
        per_day={"orders:read": 610, "orders:write": 85, "products:read": 130, "products:write": 40},
    ),
    Specimen(
        "Accounting",
        ("orders:read", "customers:read", "coupons:read"),
        age=190,
        per_day={"orders:read": 96, "customers:read": 24},
        client="Ledgerline/4.1",
    ),
    Specimen(
        "Newsletter",
        ("customers:read",),
        age=75,
        per_day={"customers:read": 60},
        refused_per_day={"orders:read": 7},
        client="Postcard-Sender/2.0",
    ),
    Specimen(
        "Sales dashboard",
        ("orders:read", "products:read"),
        age=85,
        per_day={"orders:read": 48, "products:read": 20},
        expires_in=5,
        client="Metabridge/1.9",
    ),
    Specimen(
        "Old shop import",
        SCOPES,
        age=300,
        per_day={"products:write": 12, "customers:write": 3},
        deactivated_ago=9,
        client="curl/8.11.0",
    ),
    Specimen(
        "Summer campaign",
        ("coupons:write",),
        age=120,
        per_day={"coupons:write": 9, "coupons:read": 15},
        expires_in=-12,
    ),
    Specimen(
        "Contractor's script",
        ("products:read", "orders:read"),
        age=110,
        per_day={"products:read": 25, "orders:read": 8},
        deactivated_ago=20,
        is_leaked=True,
    ),
    Specimen("Price experiments", ("products:read",), age=2),
)


def give_password(store: Store, password: str) -> None:
    """Let the store's owners sign in with this password, where they have none yet."""
    for owner in store.owners.all():
        if password and not owner.has_usable_password():
            owner.set_password(password)
            owner.save(update_fields=["password"])


def seed_keys(store: Store, *, count: int, days: int) -> None:
    """Give a store without keys ``count`` of them, each with up to ``days`` days of usage."""
    if ApiKey.objects.for_store(store).exists():
        return
    rng = random.Random(store.pk)  # noqa: S311  # the same every time is the point
    now = timezone.now()
    owner = store.owners.first()
    chosen = enumerate(islice(cycle(SPECIMENS), count))
    specimens = [numbered(specimen, number // len(SPECIMENS), days) for number, specimen in chosen]
    made = ApiKey.objects.bulk_create(
        (key_like(specimen, store, owner, now, rng) for specimen in specimens), batch_size=ROWS_AT_ONCE
    )
    if owner and count <= MAX_IN_DETAIL:
        for key in made:
            record_history(key, Actor(owner))
    seed_usage(store, list(zip(made, specimens, strict=True)), days=days, now=now, rng=rng)
    if count <= MAX_IN_DETAIL:
        clients = {key.pk: specimen.client for key, specimen in zip(made, specimens, strict=True)}
        seed_requests(store, clients, now=now, rng=rng)


def record_history(key: ApiKey, owner: Actor) -> None:
    """Add the audit log entries that a key like this would have."""
    entry = AuditEntry.objects.record(Event.CREATED, by=owner, store=key.store, key=key, access=key.access)
    AuditEntry.objects.filter(pk=entry.pk).update(at=key.created_at)
    if key.deactivated_at:
        if key.is_leaked:
            entry = AuditEntry.objects.record(Event.LEAKED, by=Actor(), store=key.store, key=key)
        else:
            entry = AuditEntry.objects.record(
                Event.DEACTIVATED, by=owner, store=key.store, key=key, until=None
            )
        AuditEntry.objects.filter(pk=entry.pk).update(at=key.deactivated_at)


def numbered(specimen: Specimen, copy: int, days: int) -> Specimen:
    """A specimen, or one of its copies: those are as old as the usage that is asked for."""
    if not copy:
        return specimen
    return replace(specimen, name=f"{specimen.name} {copy + 1}", age=max(specimen.age, days))


def key_like(
    specimen: Specimen, store: Store, owner: User | None, now: datetime, rng: random.Random
) -> ApiKey:
    """A key whose secret nobody ever knew: demo data must not be a way in."""
    prefix, plaintext = key_text.generate()
    ago = specimen.deactivated_ago
    deactivated_at = None if ago is None else now - timedelta(days=ago)
    return ApiKey(
        store=store,
        name=specimen.name,
        prefix=prefix,
        digest=key_text.digest(plaintext),
        access=with_implied(specimen.access),
        created_at=now - timedelta(days=specimen.age, minutes=rng.randrange(1440)),
        created_by=owner,
        revealed_at=now,
        expires_at=None if specimen.expires_in is None else now + timedelta(days=specimen.expires_in),
        deactivated_at=deactivated_at,
        leaked_at=deactivated_at if specimen.is_leaked else None,
    )


def seed_usage(
    store: Store,
    made: list[tuple[ApiKey, Specimen]],
    *,
    days: int,
    now: datetime,
    rng: random.Random,
) -> None:
    """Usage of each key by day, what the store's keys add up to, and each key's newest request."""
    totals: Counter[tuple[date, str]] = Counter()
    rows: list[ApiKeyUsage] = []
    for key, specimen in made:
        newest: ApiKeyUsage | None = None
        for row in usage_rows(key, specimen, days=days, now=now, rng=rng):
            totals[row.date, row.outcome] += row.requests
            rows.append(row)
            newest = row if newest is None or row.last_at > newest.last_at else newest
            if len(rows) == ROWS_AT_ONCE:
                ApiKeyUsage.objects.bulk_create(rows)
                rows.clear()
        if newest:
            last_use(newest, specimen, rng).save(force_insert=True)
    ApiKeyUsage.objects.bulk_create(rows)
    StoreUsage.objects.bulk_create(
        StoreUsage(store=store, date=day, outcome=outcome, requests=requests)
        for (day, outcome), requests in sorted(totals.items())
    )


def usage_rows(
    key: ApiKey, specimen: Specimen, *, days: int, now: datetime, rng: random.Random
) -> Iterator[ApiKeyUsage]:
    """Rows from the oldest day to today."""
    stopped = min(key.expires_at or now, key.deactivated_at or now)
    for ago in reversed(range(min(days, specimen.age + 1))):
        day = (now - timedelta(days=ago)).date()
        evening = min(now, datetime.combine(day, time(23, 40), UTC)) - timedelta(minutes=rng.randrange(1, 40))
        last_at = max(evening, datetime.combine(day, time.min, UTC))
        counts = requests_of_day(specimen, day, now=now, works=last_at <= stopped, rng=rng)
        for (resource, access, outcome), requests in counts.items():
            yield ApiKeyUsage(
                key=key,
                date=day,
                resource=resource,
                access=access,
                outcome=outcome,
                requests=requests,
                last_at=last_at,
            )


def requests_of_day(
    specimen: Specimen, day: date, *, now: datetime, works: bool, rng: random.Random
) -> Counter[tuple[str, str, str]]:
    """Requests by resource, access and outcome. A key that stopped working is still tried for a while."""
    counts: Counter[tuple[str, str, str]] = Counter()
    busy = part_of(day, now) * (0.45 if day.weekday() >= 5 else 1.0)
    for scope, mean in (specimen.per_day | specimen.refused_per_day).items():
        resource, access = scope.split(":")
        requests = max(1, round(rng.gauss(mean, mean / 6) * busy))
        if not works:
            counts[resource, "", Outcome.REFUSED] += requests // 4 + 1
        elif scope in specimen.refused_per_day:
            counts[resource, access, Outcome.REFUSED] += requests
        else:
            counts[resource, access, Outcome.SUCCEEDED] += requests
            if mean > 20 and rng.random() < 0.3:
                counts[resource, access, Outcome.FAILED] += rng.randint(1, max(1, mean // 40))
    return counts


def part_of(day: date, now: datetime) -> float:
    """How much of a day has passed: today's requests are still coming in."""
    return (now.hour * 60 + now.minute + 1) / 1440 if day == now.date() else 1.0


def last_use(row: ApiKeyUsage, specimen: Specimen, rng: random.Random) -> LastUse:
    statuses = {Outcome.SUCCEEDED: 200, Outcome.REFUSED: 401, Outcome.FAILED: 400}
    return LastUse(
        key=row.key,
        at=row.last_at,
        method="PATCH" if row.access == "write" else "GET",
        resource=row.resource,
        status_code=statuses[Outcome(row.outcome)],
        address=f"203.0.113.{rng.randrange(1, 255)}",
        client=specimen.client,
    )
