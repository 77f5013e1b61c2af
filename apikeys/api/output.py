"""The JSON objects about keys: responses are made of these classes, and the OpenAPI document too."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from apikeys.api.rate_limits import Allowance
from apikeys.models import ApiKey, LoggedRequest
from apikeys.usage import reports

TIME = "ISO 8601 in UTC, to the second: `2026-11-23T12:00:00Z`."
Time = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]


class KeyStore(Struct):
    id: Annotated[str, Meta(description="The store's id: nine digits, in a string.")]
    name: Annotated[str, Meta(description="The store's name.")]


class Limits(Struct):
    requests_per_minute: Annotated[
        int, Meta(ge=1, description="How many requests the key may make in a minute of the clock.")
    ]
    remaining: Annotated[Count, Meta(description="How many of them are left, after this one.")]
    resets_in_seconds: Annotated[int, Meta(ge=1, description="In how many seconds the next minute begins.")]


class UsageOfResource(Struct):
    succeeded: Annotated[Count, Meta(description="Requests that were served.")]
    refused: Annotated[Count, Meta(description="Requests that were turned away: 401, 403, 429.")]
    failed: Annotated[Count, Meta(description="Requests that went wrong in another way.")]


class OwnKey(Struct):
    object: Annotated[Literal["api_key"], Meta(description="Always `api_key`.")]
    name: Annotated[str, Meta(description="The name that its owner gave it.")]
    prefix: Annotated[str, Meta(pattern="^[0-9a-f]{7}$", description="The part of the key before the dot.")]
    store: Annotated[KeyStore, Meta(description="The only store whose objects it reaches.")]
    access: Annotated[list[str], Meta(description="Its scopes. Write implies read.")]
    created_at: Annotated[Time, Meta(description=f"When it was made. {TIME}")]
    expires_at: Annotated[Time | None, Meta(description=f"Until when it works; null for ever. {TIME}")]
    allowed_addresses: Annotated[
        list[str],
        Meta(
            description="The addresses and networks it may be used from, such as `203.0.113.0/24`; "
            "empty for any."
        ),
    ]
    limits: Annotated[
        Limits | None, Meta(description="What is left of its limit; null while nothing is counted.")
    ]
    usage: Annotated[
        dict[str, UsageOfResource],
        Meta(
            description="Requests of the last 30 days (UTC), today included, by resource; `other` stands for "
            "everything that is no resource."
        ),
    ]
    refusals: Annotated[
        dict[str, Annotated[int, Meta(ge=1)]],
        Meta(
            description="Refused requests of the last 30 days (UTC), today included, by the error's `code`, "
            "such as `rate_limited`."
        ),
    ]


class OwnRequest(Struct):
    object: Annotated[Literal["request"], Meta(description="Always `request`.")]
    id: Annotated[str, Meta(description="The id in the header `X-Request-Id` of its answer.")]
    at: Annotated[Time, Meta(description=f"When it was answered. {TIME}")]
    method: Annotated[str, Meta(description="Its method, such as `GET`.")]
    path: Annotated[str, Meta(description="Its address, without the query string.")]
    status: Annotated[int, Meta(ge=100, le=599, description="The status of the answer.")]
    code: Annotated[str | None, Meta(description="The error's `code`; null where there was no error.")]
    milliseconds: Annotated[Count, Meta(description="How long it took to answer.")]


class Received(Struct):
    received: Annotated[int, Meta(ge=1, description="How many keys were in the body.")]


def describe_own_key(key: ApiKey, allowance: Allowance | None) -> OwnKey:
    """Build what a key is told about itself; ``allowance`` is what is left of this minute's requests."""
    return OwnKey(
        object="api_key",
        name=key.name,
        prefix=key.prefix,
        store=KeyStore(id=str(key.store.pk), name=key.store.name),
        access=key.access,
        created_at=to_second(key.created_at),
        expires_at=to_second(key.expires_at) if key.expires_at else None,
        allowed_addresses=key.allowed_addresses,
        limits=describe_limits(allowance) if allowance else None,
        usage={name: UsageOfResource(**counts) for name, counts in reports.by_resource(key).items()},
        refusals=reports.refusals_by_reason(key),
    )


def describe_own_request(logged: LoggedRequest) -> OwnRequest:
    return OwnRequest(
        object="request",
        id=logged.request_id.hex,
        at=to_second(logged.at),
        method=logged.method,
        path=logged.path,
        status=logged.status,
        code=logged.reason,
        milliseconds=logged.milliseconds,
    )


def describe_limits(allowance: Allowance) -> Limits:
    return Limits(
        requests_per_minute=allowance.limit,
        remaining=allowance.remaining,
        resets_in_seconds=allowance.resets_in,
    )


def to_second(time: datetime) -> datetime:
    """Return the time as the API tells it: in UTC, without a fraction of the second."""
    return time.astimezone(UTC).replace(microsecond=0)
