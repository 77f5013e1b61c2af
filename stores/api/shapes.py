"""Fields and objects that the documented shapes of several resources share.

A shape tells the OpenAPI document what responses look like. Responses are built by hand without it, and a
test compares the two.
"""

from typing import Any

from rest_framework import serializers

Shape = serializers.Serializer[Any]


def constant_field(name: str) -> serializers.ChoiceField:
    return serializers.ChoiceField([name], help_text=f"What this is: always `{name}`.")


def id_field(what: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=f"The id of the {what}: digits, in a string.", **options)


def text_field(help_text: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, **options)


def count_field(help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text, min_value=0, **options)


def amount_field(help_text: str, **options: Any) -> serializers.IntegerField:
    return count_field(f"{help_text} In the smallest unit of the store's currency, such as cents.", **options)


def formatted_field(name: str, **options: Any) -> serializers.CharField:
    return text_field(f"`{name}` as people write it, such as `$19.99`.", **options)


def boolean_field(help_text: str) -> serializers.BooleanField:
    return serializers.BooleanField(help_text=help_text)


def time_field(help_text: str, **options: Any) -> serializers.DateTimeField:
    example = "ISO 8601 in UTC, to the second: `2026-11-23T12:00:00Z`."
    return serializers.DateTimeField(help_text=f"{help_text} {example}", **options)


class CurrencyShape(Shape):
    code = text_field("ISO 4217 code, such as `USD`.")
    name = text_field("Its English name, such as `US Dollar`.")
    zero_decimal = boolean_field("Whether it has no smaller unit, so that an amount of 500 yen is `500`.")


class AddressShape(Shape):
    address = text_field("Street and number; may be empty.")
    city = text_field("May be empty.")
    postcode = text_field("May be empty.")
    state = text_field("State, province or region; may be empty.")
    country = text_field("ISO 3166-1 alpha-2 code, such as `US`; may be empty.")


class BuyerShape(Shape):
    id = id_field("customer")
    name = text_field("What the customer is called.")
    email = serializers.EmailField(help_text="E-mail address.")
    phone = text_field("Phone number as the customer wrote it; may be empty.")
