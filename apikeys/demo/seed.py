"""Fill demo stores with keys and what they did: alike every day, and as many as a measurement needs.

Their requests go the way of real ones, through the writer of usage, so every figure on the page agrees.
"""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from apikeys import key_text
from apikeys.actors import Actor
from apikeys.insight.rhythm import look_for_silence
from apikeys.lifecycle import lifetime
from apikeys.models import ApiKey, AuditEntry, Email, Event
from apikeys.oidc import Identity
from apikeys.trusts import TokenRefused, create_trust, exchange_token, record_refusals
from apikeys.usage import writer
from apikeys.usage.batch import Batch, KeyRequest
from stores.models import Store
from stores.resources import with_implied

# More keys than these are there to be counted: they have no history, and a request a day for each scope.
MAX_IN_DETAIL = 100
KEYS_AT_ONCE = 2_000
USUAL_CLIENT = "python-requests/2.32.5"


def load(name: str) -> Any:
    """Return what a JSON file of this folder describes."""
    return json.loads((Path(__file__).parent / name).read_text("utf-8"))


def seed_keys(store: Store, *, count: int | None = None, days: int) -> None:
    """Give a store without keys ``count`` of them, or all that are described, used for ``days`` days."""
    if ApiKey.objects.for_store(store).exists():
        return
    now = timezone.now()
    rng = random.Random(store.pk)  # noqa: S311  # the same every time is the point
    described: list[dict[str, Any]] = load("keys.json")
    in_full = count is None
    count = len(described) if count is None else count
    specimens = [
        describe_copy(described[n % len(described)], n // len(described), days) for n in range(count)
    ]
    keys = ApiKey.objects.bulk_create((build_key(store, one, now) for one in specimens), batch_size=5_000)
    if count <= MAX_IN_DETAIL:
        for key, specimen in zip(keys, specimens, strict=True):
            record_history(key, specimen, now)
    for start in range(0, count, KEYS_AT_ONCE):
        some = slice(start, start + KEYS_AT_ONCE)
        write_usage(
            keys[some], specimens[some], days=days, now=now, rng=rng, in_detail=count <= MAX_IN_DETAIL
        )
    if in_full:
        look_for_silence()
        seed_trust(store)
        # It is no news to whoever starts the demo, and would follow on the greeting.
        Email.objects.filter(recipient__in=store.owners.all(), created_at__gte=now).delete()


def describe_copy(specimen: dict[str, Any], copy: int, days: int) -> dict[str, Any]:
    """Return a key as it is described, or a copy of it, which is as old as the usage and never a canary."""
    if not copy:
        return specimen
    changed = {"name": f"{specimen['name']} {copy + 1}", "age": max(specimen["age"], days)}
    return specimen | changed | {"is_canary": False}


def build_key(store: Store, specimen: dict[str, Any], now: datetime) -> ApiKey:
    """Return a key whose secret nobody ever knew: demo data must not be a way in."""
    prefix, plaintext = key_text.generate()
    created_at = now - timedelta(days=specimen["age"], minutes=len(specimen["name"]))
    expires_at = now + timedelta(days=specimen["expires_in"]) if "expires_in" in specimen else None
    is_canary = specimen.get("is_canary", False)
    off_at = now - timedelta(days=specimen["off_since"]) if "off_since" in specimen else None
    history = specimen.get("history", ())
    return ApiKey(
        store=store,
        name=specimen["name"],
        note=specimen.get("note", ""),
        prefix=prefix,
        digest=key_text.digest(plaintext),
        access=with_implied(specimen["access"]),
        allowed_addresses=specimen.get("allowed_addresses", []),
        created_at=created_at,
        created_by=store.owners.first(),
        changed_at=now - timedelta(days=history[-1]["age"]) if history else None,
        revealed_at=now,
        **lifetime(specimen.get("renews_days"), expires_at),
        is_canary=is_canary,
        deactivated_at=created_at if is_canary else off_at,
        leaked_at=off_at if specimen.get("is_leaked") else None,
    )


def record_history(key: ApiKey, specimen: dict[str, Any], now: datetime) -> None:
    """Add the audit log entries that a key like this would have."""
    changes = specimen.get("history", [])
    earlier = [change["details"]["access"]["from"] for change in changes if "access" in change["details"]]
    granted = {"canary": True} if key.is_canary else {"access": with_implied([*earlier, key.access][0])}
    for change in ({"event": Event.CREATED, "details": granted}, *changes):
        entry = AuditEntry.objects.record(
            Event(change["event"]),
            # Whoever found a leaked key is not known.
            by=Actor() if change["event"] == Event.LEAKED else Actor(key.created_by),
            store=key.store,
            key=key,
            **change["details"],
        )
        at = key.created_at if entry.event == Event.CREATED else now - timedelta(days=change["age"])
        AuditEntry.objects.filter(pk=entry.pk).update(at=at)


def seed_trust(store: Store) -> None:
    """Let the store trust a workload, and show the trust tokens: it takes them, or says why not."""
    described = load("trust.json")
    trust = create_trust(store=store, by=Actor(store.owners.first()), **described["trust"])
    for number, token in enumerate(described["tokens"]):
        claims = token["claims"] | {"jti": f"{trust.pk}-{number}"}
        identity, by = Identity(trust.issuer, claims), Actor(address=token["address"])
        try:
            exchange_token(identity, store.pk, by=by, admit=lambda _: None)
        except TokenRefused as refusal:
            record_refusals(refusal.reasons, identity, by)


def write_usage(
    keys: Sequence[ApiKey],
    specimens: Sequence[dict[str, Any]],
    *,
    days: int,
    now: datetime,
    rng: random.Random,
    in_detail: bool,
) -> None:
    """Write the requests of keys, day by day up to today, and log those that REQUEST_LOG_DAYS would keep."""
    batch = Batch(UUID(int=rng.getrandbits(128)), 1)
    for ago in reversed(range(days)):
        day = (now - timedelta(days=ago)).date()
        requests = [
            request
            for key, specimen in zip(keys, specimens, strict=True)
            if ago <= specimen["age"]
            for request in generate_requests(key, specimen, day, now=now, rng=rng, in_detail=in_detail)
        ]
        for request in sorted(requests, key=lambda request: request.at):
            batch.add(request)
            if in_detail and ago < settings.REQUEST_LOG_DAYS:
                batch.add_to_log(request)
        writer.write(batch)
        batch = batch.next_batch()


def generate_requests(
    key: ApiKey, specimen: dict[str, Any], day: date, *, now: datetime, rng: random.Random, in_detail: bool
) -> Iterator[KeyRequest]:
    """Yield a key's requests of a day: fewer on weekends, and of today those that have come already."""
    midnight = datetime.combine(day, time.min, UTC)
    length = min(now - midnight, timedelta(days=1))
    pace = length / timedelta(days=1) * (0.45 if day.weekday() >= 5 else 1)
    stopped_at = min(filter(None, (key.expires_at, key.deactivated_at)), default=now)
    silent_since = now - timedelta(hours=specimen.get("silent_hours", 0))
    fails_since = now - timedelta(hours=specimen.get("fails_hours", 0))
    refused = specimen.get("refused_per_day", {})
    for scope, mean in (specimen.get("per_day", {}) | refused).items():
        number = max(1, round(rng.gauss(mean, mean / 6) * pace)) if in_detail else 1
        for _ in range(number):
            at = midnight + length * rng.random()
            if not key.created_at <= at <= silent_since:
                continue
            if scope in refused:
                yield build_request(key, specimen, at, scope, "resource_not_allowed", rng)
            elif at <= stopped_at:
                # One in a few hundred asks for something that is gone.
                is_failed = at > fails_since or rng.random() < 0.004
                yield build_request(key, specimen, at, scope, "not_found" if is_failed else None, rng)
            # A key that has stopped working is still tried now and then.
            elif rng.random() < 0.25:
                reason = "api_key_inactive" if key.deactivated_at else "api_key_expired"
                yield build_request(key, specimen, at, scope, reason, rng)


def build_request(
    key: ApiKey, specimen: dict[str, Any], at: datetime, scope: str, reason: str | None, rng: random.Random
) -> KeyRequest:
    resource, access = scope.split(":")
    is_about_one = access == "write" or reason == "not_found"
    path, route = (f"/v1/stores/{store_id}/{resource}/" for store_id in (key.store_id, "{store_id}"))
    return KeyRequest(
        key_id=key.pk,
        store_id=key.store_id,
        prefix=key.prefix,
        at=at,
        method="PATCH" if access == "write" else "GET",
        path=f"{path}{rng.randrange(10_000, 99_999)}/" if is_about_one else path,
        route=f"{route}{{pk}}/" if is_about_one else route,
        resource=resource,
        # The access of a key that does not work is never looked at.
        access="" if reason in {"api_key_inactive", "api_key_expired"} else access,
        status_code={None: 200, "not_found": 404}.get(reason, 401),
        reason=reason,
        milliseconds=rng.randrange(3, 40),
        address=rng.choice(specimen["addresses"]),
        client=specimen.get("client", USUAL_CLIENT),
        request_id=UUID(int=rng.getrandbits(128)),
    )
