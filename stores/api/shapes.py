"""What the shop's objects look like, told to the API's schema: every field, its type, its unit.

Answers are written by hand and know nothing of this; a test holds them to it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django_filters import ChoiceFilter, Filter, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.views import APIView

from stores.api import filters

View = TypeVar("View", bound=type[APIView])
Shape = serializers.Serializer[Any]


def constant(name: str) -> serializers.ChoiceField:
    return serializers.ChoiceField([name], help_text=f"What this is: always `{name}`.")


def id_of(what: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=f"The id of the {what}: digits, in a string.", **options)


def text(help_text: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, **options)


def count(help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text, min_value=0, **options)


def amount(help_text: str, **options: Any) -> serializers.IntegerField:
    return count(f"{help_text} In the smallest unit of the store's currency, such as cents.", **options)


def written(name: str, **options: Any) -> serializers.CharField:
    return text(f"`{name}` as people write it, such as `$19.99`.", **options)


def flag(help_text: str) -> serializers.BooleanField:
    return serializers.BooleanField(help_text=help_text)


def moment(help_text: str, **options: Any) -> serializers.DateTimeField:
    example = "ISO 8601 in UTC, to the second: `2026-11-23T12:00:00Z`."
    return serializers.DateTimeField(help_text=f"{help_text} {example}", **options)


class CurrencyShape(Shape):
    code = text("ISO 4217 code, such as `USD`.")
    name = text("Its English name, such as `US Dollar`.")
    zero_decimal = flag("Whether it has no smaller unit, so that an amount of 500 yen is `500`.")


class AddressShape(Shape):
    address = text("Street and number; may be empty.")
    city = text("May be empty.")
    postcode = text("May be empty.")
    state = text("State, province or region; may be empty.")
    country = text("ISO 3166-1 alpha-2 code, such as `US`; may be empty.")


class BuyerShape(Shape):
    id = id_of("customer")
    name = text("What the customer is called.")
    email = serializers.EmailField(help_text="E-mail address.")
    phone = text("Phone number as the customer wrote it; may be empty.")


def operations(shape: type[Shape], one: str, many: str, **descriptions: str) -> Callable[[View], View]:
    """Decorates a view whose answers have a shape: what each of its operations is called and gives.

    ``descriptions`` say, by the name of an operation, what its summary leaves open.
    """
    described: dict[str, dict[str, Any]] = {
        "list": {"summary": f"List {many}", "responses": shape(many=True)},
        "retrieve": {"summary": f"Read {one}", "responses": shape},
        "create": {"summary": f"Add {one}", "responses": {201: shape}},
        "partial_update": {"summary": f"Change {one}", "responses": shape},
        "destroy": {"summary": f"Delete {one}", "responses": {204: None}},
    }

    def decorate(view: View) -> View:
        described["list"]["parameters"] = query_parameters(getattr(view, "filterset_class", None))
        there = {
            name: extend_schema(**options, description=descriptions.get(name))
            for name, options in described.items()
            if hasattr(view, name)
        }
        return extend_schema_view(**there)(view)

    return decorate


def query_parameters(filterset: type[FilterSet] | None) -> list[OpenApiParameter]:
    return (
        [query_parameter(name, given) for name, given in filterset.base_filters.items()] if filterset else []
    )


def query_parameter(name: str, given: Filter) -> OpenApiParameter:
    """One of a list's filters, as its form field takes it."""
    description = given.extra.get("help_text", "")
    options: dict[str, Any] = {}
    schema: dict[str, Any] = {"type": "string"}
    match given:
        case filters.SortFilter():
            words = list(given.field.choices)
            schema = {"type": "array", "items": {"type": "string", "enum": words}}
            description = (
                "What to sort by, the weightiest first, with commas between: newest first without it."
            )
            options = {"style": "form", "explode": False}
        case ChoiceFilter():
            schema["enum"] = [value for value, _ in given.extra["choices"]]
        case filters.MomentFilter():
            schema["format"] = "date-time"
            description += " ISO 8601; without a time zone it is UTC."
        case filters.IdFilter():
            schema["pattern"] = "^[1-9][0-9]{0,17}$"
        case filters.SearchFilter():
            schema["maxLength"] = given.extra["max_length"]
    return OpenApiParameter(name, schema, description=description, **options)
