"""Descriptions of the operations on a resource for the OpenAPI document."""

from collections.abc import Callable
from typing import Any, TypeVar

from django_filters import Filter, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from stores.api.base import ID_PATTERN, StoreScopedViewSet
from stores.api.filters import (
    MAX_ID,
    MAX_IDS,
    EnumsFilter,
    FlagFilter,
    IdFilter,
    IdsFilter,
    NumberFilter,
    SortFilter,
    UtcDateTimeFilter,
)
from stores.api.outputs import Output

View = TypeVar("View", bound=type[StoreScopedViewSet])


def describe_operations(kind: type[Output], singular: str, plural: str) -> Callable[[View], View]:
    """Decorate a viewset with the summary and the response of each of its operations."""
    one = f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"

    def decorate(view: View) -> View:
        operations: dict[str, dict[str, Any]] = {
            "list": {
                "summary": f"List {plural}",
                "parameters": describe_filters(view.filterset_class),
                "responses": kind,
            },
            "retrieve": {"summary": f"Read {one}", "responses": kind},
            "create": {"summary": f"Add {one}", "responses": {201: kind}},
            "partial_update": {"summary": f"Change {one}", "responses": kind},
            "destroy": {"summary": f"Delete {one}", "responses": {204: None}},
        }
        there = {
            name: extend_schema(**options) for name, options in operations.items() if hasattr(view, name)
        }
        return extend_schema_view(**there)(view)

    return decorate


def describe_filters(filterset: type[FilterSet] | None) -> list[OpenApiParameter]:
    """Return the query parameters of a list."""
    filters = filterset.base_filters if filterset else {}
    return [describe_filter(name, each) for name, each in filters.items()]


def describe_filter(name: str, each: Filter) -> OpenApiParameter:
    description = each.extra.get("help_text", "")
    # Values that are separated by commas.
    options: dict[str, Any] = {"style": "form", "explode": False}
    match each:
        case SortFilter():
            schema = array_of({"type": "string", "enum": list(each.field.choices)})
            description = (
                "What to sort by, the first counting most, separated by commas. Default: newest first."
            )
        case EnumsFilter():
            schema = array_of({"$ref": f"#/components/schemas/{each.enum.__name__}"})
            description += " Several are separated by commas."
        case IdsFilter():
            schema = {**array_of({"type": "string", "pattern": f"^{ID_PATTERN}$"}), "maxItems": MAX_IDS}
        case _:
            schema, options = describe_value(each), {}
    if isinstance(each, UtcDateTimeFilter):
        description += " ISO 8601; without a time zone it is UTC."
    return OpenApiParameter(name, schema, description=description, **options)


def describe_value(each: Filter) -> dict[str, Any]:
    match each:
        case UtcDateTimeFilter():
            return {"type": "string", "format": "date-time"}
        case IdFilter():
            return {"type": "string", "pattern": f"^{ID_PATTERN}$"}
        case NumberFilter():
            return {"type": "integer", "minimum": 0, "maximum": MAX_ID}
        case FlagFilter():
            return {"type": "boolean"}
        case _:
            return {"type": "string", "maxLength": each.extra["max_length"]}


def array_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}
