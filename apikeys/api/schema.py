"""What keys tell about themselves, told to the API's schema. A test holds real answers to it."""

from typing import Any

from rest_framework import serializers

from stores.resources import SCOPES

Shape = serializers.Serializer[Any]


def moment(help_text: str, **options: Any) -> serializers.DateTimeField:
    example = "ISO 8601 in UTC: `2026-11-23T12:00:00Z`, with a fraction of the second where there is one."
    return serializers.DateTimeField(help_text=f"{help_text} {example}", **options)


class KeyStore(Shape):
    id = serializers.CharField(help_text="The store's id: nine digits, in a string.")
    name = serializers.CharField(help_text="What the store is called.")


class Limits(Shape):
    requests_per_minute = serializers.IntegerField(
        min_value=1, help_text="How many requests the key may make in a minute of the clock."
    )
    remaining = serializers.IntegerField(min_value=0, help_text="How many of them are left, after this one.")
    resets_in_seconds = serializers.IntegerField(
        min_value=1, help_text="In how many seconds the next minute begins."
    )


class UsageOfResource(Shape):
    succeeded = serializers.IntegerField(min_value=0, help_text="Requests that were served.")
    refused = serializers.IntegerField(
        min_value=0, help_text="Requests that were turned away: 401, 403, 429."
    )
    failed = serializers.IntegerField(min_value=0, help_text="Requests that went wrong in another way.")


class ApiKey(Shape):
    object = serializers.ChoiceField(["api_key"], help_text="What this is: always `api_key`.")
    name = serializers.CharField(help_text="What its owner called it.")
    prefix = serializers.RegexField("^[0-9a-f]{7}$", help_text="The part of the key before the dot.")
    store = KeyStore(help_text="The only store whose objects it reaches.")
    access = serializers.ListField(
        child=serializers.ChoiceField(SCOPES), help_text="Its scopes. Write implies read."
    )
    created_at = moment("When it was made.")
    expires_at = moment("Until when it works; null for ever.", allow_null=True)
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(),
        help_text="The addresses and networks it may be used from, such as `203.0.113.0/24`; empty for any.",
    )
    limits = Limits(allow_null=True, help_text="What is left of its limit; null while nothing is counted.")
    usage = serializers.DictField(
        child=UsageOfResource(),
        help_text="Requests of the last 30 days (UTC), today included, by resource; `other` stands for "
        "everything that is no resource.",
    )
    refusals = serializers.DictField(
        child=serializers.IntegerField(min_value=1),
        help_text="Refused requests of the last 30 days (UTC), today included, by the error's `code`, such "
        "as `rate_limited`.",
    )


class Received(Shape):
    received = serializers.IntegerField(min_value=1, help_text="How many keys were in the body.")
