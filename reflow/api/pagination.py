"""Lists, a page at a time, in the envelope that Reflow's clients expect.

By number, ``page`` and ``perpage``, with totals; or by ``cursor``, for whoever walks through all of it: its
cost does not grow with depth, and rows that are added meanwhile neither repeat nor hide others.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from reflow.api import openapi
from stores.models.store import OfStoreQuerySet

DEFAULT_SIZE = 20
LARGEST_SIZE = 100


class ListPagination(BasePagination):
    """By cursor where the request has one, be it empty; by page number otherwise."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.pages = CursorPages(request) if "cursor" in request.query_params else NumberedPages(request)
        return self.pages.cut(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "links": self.pages.links(), "meta": self.pages.meta()})

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return openapi.page_parameters(default_size=DEFAULT_SIZE, largest_size=LARGEST_SIZE)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return openapi.envelope(schema)


class Pages:
    """What both ways have in common: the request and the size of a page."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.size = whole_number(request, "perpage", default=DEFAULT_SIZE, most=LARGEST_SIZE)

    def link(self, parameter: str, value: object) -> str:
        """The address of another page of the same list."""
        return replace_query_param(self.request.build_absolute_uri(), parameter, value)


class NumberedPages(Pages):
    def cut(self, queryset: OfStoreQuerySet[Any]) -> list[Any]:
        self.total = queryset.count()
        self.last = max(1, -(-self.total // self.size))
        self.number = whole_number(self.request, "page", default=1, most=self.last)
        self.start = (self.number - 1) * self.size
        self.rows = queryset.page(self.start, self.size)
        return self.rows

    def links(self) -> dict[str, str | None]:
        return {
            "first": self.link("page", 1),
            "last": self.link("page", self.last),
            "prev": self.link("page", self.number - 1) if self.number > 1 else None,
            "next": self.link("page", self.number + 1) if self.number < self.last else None,
        }

    def meta(self) -> dict[str, int | None]:
        return {
            "current_page": self.number,
            "from": self.start + 1 if self.rows else None,
            "to": self.start + len(self.rows) if self.rows else None,
            "per_page": self.size,
            "last_page": self.last,
            "total": self.total,
        }


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: the values that a row beside it is sorted by, and which way to read on."""

    values: list[Any]
    backwards: bool

    @classmethod
    def beside(cls, row: Model, keys: list["SortKey"], *, backwards: bool) -> Self:
        return cls([key.field.value_to_string(row) for key in keys], backwards)

    def __str__(self) -> str:
        return urlsafe_b64encode(json.dumps([self.backwards, *self.values]).encode()).decode()

    @classmethod
    def parse(cls, text: str, keys: list["SortKey"]) -> Self:
        """The cursor in a request; raises ValidationError unless it was made for this order."""
        try:
            backwards, *values = json.loads(urlsafe_b64decode(text.encode()))
            values = [key.value_of(value) for key, value in zip(keys, values, strict=True)]
        except (ValueError, TypeError, OverflowError, RecursionError, FieldError) as error:
            message = "Use the cursor of a link as it is, with the same order, or an empty one to begin."
            raise ValidationError({"cursor": [message]}) from error
        return cls(values, backwards is True)


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that rows are sorted by, and whether from its largest value down."""

    field: "Field[Any, Any]"
    descending: bool

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.field.attname}"

    @property
    def reversed(self) -> "SortKey":
        return SortKey(self.field, not self.descending)

    def value_of(self, text: Any) -> Any:
        """The column's value in a cursor; raises ValueError or ValidationError where no row could have it."""
        if not isinstance(text, str) or "\0" in text:
            raise ValueError(text)
        value = self.field.to_python(text.encode().decode())
        self.field.run_validators(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else value

    def beyond(self, value: object, *, inclusive: bool = False) -> Q:
        """Rows that come after this value in this order."""
        lookup = ("lt" if self.descending else "gt") + ("e" if inclusive else "")
        return Q(**{f"{self.field.attname}__{lookup}": value})


class CursorPages(Pages):
    def cut(self, queryset: QuerySet[Any]) -> list[Any]:
        keys = sort_keys(queryset)
        text = self.request.query_params["cursor"]
        self.keys, self.cursor = keys, Cursor.parse(text, keys) if text else None
        backwards = self.cursor is not None and self.cursor.backwards
        if backwards:
            keys = [key.reversed for key in keys]
        if self.cursor:
            queryset = queryset.filter(rows_beyond(self.cursor.values, keys))
        rows = list(queryset.order_by(*map(str, keys))[: self.size + 1])
        self.has_more = len(rows) > self.size
        self.rows = rows[: self.size][::-1] if backwards else rows[: self.size]
        return self.rows

    def links(self) -> dict[str, str | None]:
        backwards = self.cursor is not None and self.cursor.backwards
        has_next = self.rows and (self.has_more or backwards)
        has_previous = self.rows and (self.has_more if backwards else self.cursor)
        return {
            "first": self.link("cursor", ""),
            "last": None,
            "prev": self.link_beside(self.rows[0], backwards=True) if has_previous else None,
            "next": self.link_beside(self.rows[-1], backwards=False) if has_next else None,
        }

    def link_beside(self, row: Model, *, backwards: bool) -> str:
        return self.link("cursor", Cursor.beside(row, self.keys, backwards=backwards))

    def meta(self) -> dict[str, int]:
        return {"per_page": self.size}


def sort_keys(queryset: QuerySet[Any]) -> list[SortKey]:
    """What a QuerySet is sorted by; it ends with the id, so that no two rows are alike."""
    names = map(str, queryset.query.order_by or queryset.model._meta.ordering)
    options = queryset.model._meta
    return [SortKey(options.get_field(name.lstrip("-")), name.startswith("-")) for name in names]


def rows_beyond(values: list[Any], keys: list[SortKey]) -> Q:
    """Rows that come after these values, key by key. The first condition is the one an index can use."""
    beyond, same = Q(), Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= same & key.beyond(value)
        same &= Q(**{key.field.attname: value})
    return keys[0].beyond(values[0], inclusive=True) & beyond


def whole_number(request: Request, name: str, *, default: int, most: int) -> int:
    """A query parameter from 1 to ``most``; raises ValidationError that names it and says so."""
    text = request.query_params.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most:
        return int(text)
    raise ValidationError({name: [f"Must be a whole number from 1 to {most}."]})
