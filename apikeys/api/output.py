"""The JSON objects about keys: responses are made of these classes, and the OpenAPI document too."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from apikeys.api.key_lookup import FoundKey
from apikeys.api.rate_limits import Allowance
from apikeys.models import ApiKey as StoredKey
from apikeys.models import LoggedRequest
from apikeys.models.state import BY_NAME
from apikeys.usage import reports
from apikeys.usage.periods import Period
from stores.api.outputs import Output, Time, always, in_seconds, text, time

Count = Annotated[int, Meta(ge=0)]


class Person(Output, tag_field="type", tag="person"):
    name: Annotated[str | None, text("Their e-mail address; null once the account is gone.")]


class Program(Output, tag_field="type", tag="api_key"):
    prefix: Annotated[str | None, text("The key of the program; null once it is deleted.")]


class KeyFacts(Output, kw_only=True):
    object: Annotated[Literal["api_key"], always("api_key")]
    prefix: Annotated[str, Meta(pattern="^[0-9a-f]{7}$", description="The part of the key before the dot.")]
    name: Annotated[str, text("Its name, unique among the store's keys.")]
    access: Annotated[list[str], text("Its scopes. Write implies read.")]
    created_at: Annotated[Time, time("When it was made.")]
    expires_at: Annotated[Time | None, time("Until when it works; null for ever.")]
    allowed_addresses: Annotated[
        list[str],
        text("The addresses and networks it works from, such as `203.0.113.0/24`; empty for any."),
    ]


class ApiKey(KeyFacts, kw_only=True):
    note: Annotated[str, text("What its owner noted about it.")]
    status: Annotated[
        str, Meta(description="What it is in a word.", extra_json_schema={"enum": list(BY_NAME)})
    ]
    created_by: Annotated[Person | Program, text("Who made it.")]
    last_used_at: Annotated[Time | None, time("Its newest request that was let in; null for none.")]
    last_tried_at: Annotated[Time | None, time("Its newest request, refused or not; null for none.")]
    requests_30d: Annotated[Count, text("Its requests of the last 30 days.")]
    refused_30d: Annotated[Count, text("How many of them were refused.")]
    successor: Annotated[str | None, text("The prefix of the key that took its place.")]
    predecessor: Annotated[str | None, text("The prefix of the key whose place it took.")]


class NewApiKey(ApiKey, kw_only=True):
    key: Annotated[str, text("The whole key. It is never shown again.")]


class KeyStore(Output):
    id: Annotated[str, text("The store's id: nine digits, in a string.")]
    name: Annotated[str, text("The store's name.")]


class Limits(Output):
    requests_per_minute: Annotated[
        int, Meta(ge=1, description="How many requests the key may make in a minute of the clock.")
    ]
    remaining: Annotated[Count, text("How many of them are left, after this one.")]
    resets_in_seconds: Annotated[int, Meta(ge=1, description="In how many seconds the next minute begins.")]


class UsageOfResource(Output):
    succeeded: Annotated[Count, text("Requests that were served.")]
    refused: Annotated[Count, text("Requests that were turned away: 401, 403, 429.")]
    failed: Annotated[Count, text("Requests that went wrong in another way.")]


class OwnKey(KeyFacts, kw_only=True):
    store: Annotated[KeyStore, text("The only store whose objects it reaches.")]
    limits: Annotated[Limits | None, text("What is left of its limit; null while nothing is counted.")]
    usage: Annotated[
        dict[str, UsageOfResource],
        text(
            "Requests of the last 30 days (UTC), today included, by resource; `other` stands for everything "
            "that is no resource."
        ),
    ]
    refusals: Annotated[
        dict[str, Annotated[int, Meta(ge=1)]],
        text(
            "Refused requests of the last 30 days (UTC), today included, by the error's `code`, such as "
            "`rate_limited`."
        ),
    ]


class OwnRequest(Output):
    object: Annotated[Literal["request"], always("request")]
    id: Annotated[str, text("The id in the header `X-Request-Id` of its answer.")]
    at: Annotated[Time, time("When it was answered.")]
    method: Annotated[str, text("Its method, such as `GET`.")]
    path: Annotated[str, text("Its address, without the query string.")]
    status: Annotated[int, Meta(ge=100, le=599, description="The status of the answer.")]
    code: Annotated[str | None, text("The error's `code`; null where there was no error.")]
    milliseconds: Annotated[Count, text("How long it took to answer.")]


class Received(Output):
    received: Annotated[int, Meta(ge=1, description="How many keys were in the body.")]


def describe_keys(keys: list[StoredKey]) -> list[ApiKey]:
    """Build the objects of keys, with three queries however many there are."""
    periods = reports.of_keys(keys)
    replaced = StoredKey.objects.filter(predecessor__in=keys).order_by("pk")
    successors = dict(replaced.values_list("predecessor", "prefix"))
    return [ApiKey(**_members(key, periods[key.pk], successors.get(key.pk))) for key in keys]


def describe_new_key(key: StoredKey, plaintext: str) -> NewApiKey:
    """Build the answer that shows a key, this once."""
    return NewApiKey(**_members(key, reports.of_keys([key])[key.pk], None), key=plaintext)


def describe_own_key(key: FoundKey, allowance: Allowance | None) -> OwnKey:
    """Build what a key is told about itself; ``allowance`` is what is left of this minute's requests."""
    by_resource, by_reason = reports.of_key(key.pk)
    return OwnKey(
        **_facts(key),
        store=KeyStore(str(key.store_id), key.store_name),
        limits=allowance and Limits(allowance.limit, allowance.remaining, allowance.resets_in),
        usage={name: UsageOfResource(**counts) for name, counts in by_resource.items()},
        refusals=by_reason,
    )


def describe_own_request(logged: LoggedRequest) -> OwnRequest:
    return OwnRequest(
        object="request",
        id=logged.request_id.hex,
        at=in_seconds(logged.at),
        method=logged.method,
        path=logged.path,
        status=logged.status,
        code=logged.reason,
        milliseconds=logged.milliseconds,
    )


def _facts(key: StoredKey | FoundKey) -> dict[str, Any]:
    return {
        "object": "api_key",
        "prefix": key.prefix,
        "name": key.name,
        "access": key.access,
        "created_at": in_seconds(key.created_at),
        "expires_at": key.expires_at and in_seconds(key.expires_at),
        "allowed_addresses": key.allowed_addresses,
    }


def _members(key: StoredKey, period: Period, successor: str | None) -> dict[str, Any]:
    is_by_person = key.created_by is not None or key.made_by is None
    return {
        **_facts(key),
        "note": key.note,
        "status": key.status,
        "created_by": Person(key.created_by.email if key.created_by else None)
        if is_by_person
        else Program(key.made_by.prefix if key.made_by else None),
        "last_used_at": key.last_used_at and in_seconds(key.last_used_at),
        "last_tried_at": key.last_tried_at and in_seconds(key.last_tried_at),
        "requests_30d": period.total,
        "refused_30d": period.refused,
        "successor": successor,
        "predecessor": key.predecessor.prefix if key.predecessor else None,
    }
