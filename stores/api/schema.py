"""What the OpenAPI document says of the operations on a resource."""

from collections.abc import Callable
from typing import Any, TypeVar

from django_filters import Filter, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from stores.api.base import ID_PATTERN, StoreScopedViewSet
from stores.api.filters import EnumFilter, IdFilter, SearchFilter, SortFilter, UtcDateTimeFilter
from stores.api.shapes import Shape

View = TypeVar("View", bound=type[StoreScopedViewSet])


def describe_operations(shape: type[Shape], singular: str, plural: str) -> Callable[[View], View]:
    """Decorate a viewset with the summary and the response of each of its operations."""
    one = f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"

    def decorate(view: View) -> View:
        operations: dict[str, dict[str, Any]] = {
            "list": {
                "summary": f"List {plural}",
                "parameters": describe_filters(view.filterset_class),
                "responses": shape(many=True),
            },
            "retrieve": {"summary": f"Read {one}", "responses": shape},
            "create": {
                "summary": f"Add {one}",
                "responses": {201: shape},
            },
            "partial_update": {
                "summary": f"Change {one}",
                "responses": shape,
            },
            "destroy": {
                "summary": f"Delete {one}",
                "responses": {204: None},
            },
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
    options: dict[str, Any] = {}
    schema: dict[str, Any] = {"type": "string"}
    match each:
        case SortFilter():
            schema = {"type": "array", "items": {"type": "string", "enum": list(each.field.choices)}}
            description = (
                "What to sort by, the first counting most, separated by commas. Default: newest first."
            )
            options = {"style": "form", "explode": False}
        case EnumFilter():
            schema = {"$ref": f"#/components/schemas/{each.component_name}"}
        case UtcDateTimeFilter():
            schema["format"] = "date-time"
            description += " ISO 8601; without a time zone it is UTC."
        case IdFilter():
            schema["pattern"] = f"^{ID_PATTERN}$"
        case SearchFilter():
            schema["maxLength"] = each.extra["max_length"]
    return OpenApiParameter(name, schema, description=description, **options)
