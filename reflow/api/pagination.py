"""Lists, a page at a time, in the envelope that Reflow's clients expect.

By number, ``page`` and ``perpage``, with totals; or by ``cursor``, for reading a whole list: its cost does
not grow with depth, and rows that are added meanwhile neither repeat nor hide others.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Field, Model, Q, QuerySet
from msgspec import UNSET, Meta, Struct, UnsetType, field
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reflow.api import openapi
from stores.api.parameters import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, is_blank, read_number

MAX_PAGE = 10**9
# Pages on either side of this one that ``meta.links`` has.
NEIGHBOURS = 3


def url(description: str) -> Meta:
    return Meta(description=description, extra_json_schema={"format": "uri"})


def number(description: str, minimum: int = 1) -> Meta:
    return Meta(description=description, extra_json_schema={"minimum": minimum})


class PageLinks(Struct):
    """Addresses of other pages, with all query parameters kept."""

    first: Annotated[str, url("The first page.")]
    last: Annotated[str | None, url("The last page; null with `cursor`.")]
    prev: Annotated[str | None, url("The previous page; null on the first.")]
    next: Annotated[str | None, url("The next page; null on the last.")]


class PagerLink(Struct):
    """A page of the list."""

    url: Annotated[str | None, url("The address of the page; null where there is none.")]
    label: Annotated[str, Meta(description="`Previous`, a number or `Next`.")]
    active: Annotated[bool, Meta(description="Whether it is this page.")]


class PageMeta(Struct, kw_only=True):
    """The position of this page in the list; by cursor, only the size of a page."""

    per_page: Annotated[int, number("The maximum number of objects on a page.")]
    path: Annotated[str | UnsetType, url("The address of the list. Absent with `cursor`.")] = UNSET
    links: Annotated[
        list[PagerLink] | UnsetType,
        Meta(description="The pages around this one, for a pager. Absent with `cursor`."),
    ] = UNSET
    current_page: Annotated[int | UnsetType, number("The number of this page. Absent with `cursor`.")] = UNSET
    start: Annotated[
        int | UnsetType | None,
        number("The position of the page's first object; null on an empty page. Absent with `cursor`."),
    ] = field(name="from", default=UNSET)
    end: Annotated[
        int | UnsetType | None,
        number("The position of the page's last object; null on an empty page. Absent with `cursor`."),
    ] = field(name="to", default=UNSET)
    last_page: Annotated[int | UnsetType, number("The number of the last page. Absent with `cursor`.")] = (
        UNSET
    )
    total: Annotated[
        int | UnsetType, number("The number of objects in the whole list. Absent with `cursor`.", 0)
    ] = UNSET


class ListPagination(BasePagination):
    """By cursor where the request has one, be it empty; by page number otherwise.

    Works on any QuerySet of instances or dicts. A view may have a ``count()`` that is cheaper than that of
    the QuerySet, and a ``get_ordering()`` for cursors where the order is not the model's own.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        cursor = request.query_params.get("cursor", "undefined")
        self.pages: NumberedPages | CursorPages
        if cursor != "undefined" and not is_blank(request.query_params.get("page", "")):
            raise ValidationError({"page": ["Send either page or cursor."]})
        if cursor == "undefined":
            self.pages = NumberedPages(request, total=getattr(view, "count", queryset.count)())
        else:
            get_ordering = getattr(view, "get_ordering", None)
            ordering = get_ordering() if get_ordering else queryset.model._meta.ordering
            self.pages = CursorPages(request, cursor, ListOrder(queryset.model, ordering))
        return self.pages.read(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        links = self.pages.links()
        addresses = {name: getattr(links, name) for name in PageLinks.__struct_fields__}
        headers = {"Link": ", ".join(f'<{url}>; rel="{name}"' for name, url in addresses.items() if url)}
        body = {"data": data, "links": links, "meta": self.pages.meta()}
        return Response(body, headers=headers)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        described = {
            # Without a default: generated clients send it, and beside a cursor no page is taken.
            "page": openapi.describe(
                "Which page, from 1, the default. Past `meta.last_page` pages are empty. Not together with "
                "`cursor`.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
            ),
            "perpage": openapi.describe(
                "How many objects on a page.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
            ),
            "cursor": openapi.describe(
                "Another way to page, as fast at the end of a list as at its start, and steady while objects "
                "are added: empty to begin, then follow `links.next`.",
                allowEmptyValue=True,
            ),
        }
        return [{"name": name, "in": "query", **each} for name, each in described.items()]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        links = {"$ref": "#/components/schemas/PageLinks", "description": PageLinks.__doc__}
        meta = {"$ref": "#/components/schemas/PageMeta", "description": PageMeta.__doc__}
        properties = {
            "data": {**schema, "description": "The objects on this page."},
            "links": links,
            "meta": meta,
        }
        return {
            "type": "object",
            "description": "One page of a list.",
            "properties": properties,
            "required": list(properties),
        }


class Pages:
    """The base of both ways: the address of the list and the size of a page."""

    def __init__(self, request: Request) -> None:
        self.address = urlsplit(request.build_absolute_uri())
        self.query = parse_qsl(self.address.query, keep_blank_values=True)
        self.size = read_number(
            request.query_params, "perpage", default=DEFAULT_PAGE_SIZE, maximum=MAX_PAGE_SIZE
        )

    def link(self, parameter: str, value: object) -> str:
        """Return the address of another page of the same list."""
        others = [pair for pair in self.query if pair[0] != parameter]
        query = urlencode(sorted([*others, (parameter, str(value))], key=lambda pair: pair[0]))
        return self.address._replace(query=query).geturl()


class NumberedPages(Pages):
    def __init__(self, request: Request, *, total: int) -> None:
        super().__init__(request)
        self.total = total
        self.last = max(1, -(-total // self.size))
        self.number = read_number(request.query_params, "page", default=1, maximum=MAX_PAGE)
        self.start = (self.number - 1) * self.size

    def read(self, rows: QuerySet[Any, Any]) -> list[Any]:
        self.rows = list(rows[self.start : self.start + self.size]) if self.start < self.total else []
        return self.rows

    def links(self) -> PageLinks:
        previous = min(self.number - 1, self.last)
        return PageLinks(
            first=self.link("page", 1),
            last=self.link("page", self.last),
            prev=self.link("page", previous) if previous else None,
            next=self.link("page", self.number + 1) if self.number < self.last else None,
        )

    def meta(self) -> PageMeta:
        return PageMeta(
            per_page=self.size,
            path=self.address._replace(query="").geturl(),
            links=self.pager_links(),
            current_page=self.number,
            start=self.start + 1 if self.rows else None,
            end=self.start + len(self.rows) if self.rows else None,
            last_page=self.last,
            total=self.total,
        )

    def pager_links(self) -> list[PagerLink]:
        """Return what a pager shows: the previous page, this one and its neighbours, the next page."""
        links = self.links()
        first, last = max(1, self.number - NEIGHBOURS), min(self.last, self.number + NEIGHBOURS)
        return [
            PagerLink(links.prev, "Previous", active=False),
            *(
                PagerLink(self.link("page", page), str(page), active=page == self.number)
                for page in range(first, last + 1)
            ),
            PagerLink(links.next, "Next", active=False),
        ]


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that rows are sorted by, and whether from its largest value down."""

    field: "Field[Any, Any]"
    descending: bool

    @property
    def name(self) -> str:
        return self.field.attname

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.name}"

    @property
    def reversed(self) -> "SortKey":
        return SortKey(self.field, not self.descending)

    def parse(self, text: Any) -> Any:
        """Return the column's value in a cursor. Raises ValueError and Django's ValidationError."""
        if not isinstance(text, str) or "\0" in text:
            raise ValueError(text)
        value = self.field.to_python(text.encode().decode())
        self.field.run_validators(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else value

    def beyond(self, value: object, *, inclusive: bool = False) -> Q:
        """Return the condition for rows that come after this value in this order."""
        lookup = ("lt" if self.descending else "gt") + ("e" if inclusive else "")
        return Q(**{f"{self.name}__{lookup}": value})


class ListOrder:
    """The order of a model's rows, from columns such as ``-created_at``; as text it identifies the list."""

    def __init__(self, model: type[Model], columns: Sequence[str]) -> None:
        fields = {field.name: field for field in model._meta.fields}
        self.name = model._meta.model_name
        self.keys = [SortKey(fields[column.lstrip("-")], column.startswith("-")) for column in columns]

    def __str__(self) -> str:
        return " ".join(map(str, [self.name, *self.keys]))

    def parse(self, made_for: Any, texts: list[Any]) -> list[Any]:
        """Return the values in a cursor. Raises ValueError and Django's ValidationError."""
        if made_for != str(self):
            raise ValueError(made_for)
        return [key.parse(text) for key, text in zip(self.keys, texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows of a list: what a row beside it is sorted by, and which way to read on."""

    order: str
    values: list[Any]
    backwards: bool

    @classmethod
    def beside(cls, row: Any, order: ListOrder, *, backwards: bool) -> Self:
        """Return the place beside a row, which is a dict or a model instance."""
        values = [row[key.name] if isinstance(row, dict) else getattr(row, key.name) for key in order.keys]
        texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
        return cls(str(order), texts, backwards)

    def __str__(self) -> str:
        return urlsafe_b64encode(json.dumps([self.order, self.backwards, *self.values]).encode()).decode()

    @classmethod
    def parse(cls, text: str, order: ListOrder) -> Self:
        """Return the cursor in a request. Raises ValidationError unless it is of this list and order."""
        try:
            made_for, backwards, *values = json.loads(urlsafe_b64decode(text.encode()))
            values = order.parse(made_for, values)
        except (ValueError, TypeError, OverflowError, RecursionError, FieldError) as error:
            message = (
                "Use the cursor of a link as it is, for the same list and order, or an empty one to begin."
            )
            raise ValidationError({"cursor": [message]}) from error
        return cls(str(order), values, backwards is True)


class CursorPages(Pages):
    def __init__(self, request: Request, text: str, order: ListOrder) -> None:
        super().__init__(request)
        self.order = order
        self.cursor = Cursor.parse(text, order) if text else None
        self.backwards = self.cursor is not None and self.cursor.backwards

    def read(self, rows: QuerySet[Any, Any]) -> list[Any]:
        keys = [key.reversed for key in self.order.keys] if self.backwards else self.order.keys
        if self.cursor:
            rows = rows.filter(rows_beyond(self.cursor.values, keys))
        found = list(rows.order_by(*map(str, keys))[: self.size + 1])
        self.has_more = len(found) > self.size
        self.rows = found[: self.size][::-1] if self.backwards else found[: self.size]
        return self.rows

    def links(self) -> PageLinks:
        has_next = self.rows and (self.has_more or self.backwards)
        has_previous = self.rows and (self.has_more if self.backwards else self.cursor)
        return PageLinks(
            first=self.link("cursor", ""),
            last=None,
            prev=self.link_beside(self.rows[0], backwards=True) if has_previous else None,
            next=self.link_beside(self.rows[-1], backwards=False) if has_next else None,
        )

    def link_beside(self, row: Any, *, backwards: bool) -> str:
        return self.link("cursor", Cursor.beside(row, self.order, backwards=backwards))

    def meta(self) -> PageMeta:
        return PageMeta(per_page=self.size)


def rows_beyond(values: list[Any], keys: list[SortKey]) -> Q:
    """Return the condition for rows after these values, key by key. An index can use its first part."""
    beyond, same = Q(), Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= same & key.beyond(value)
        same &= Q(**{key.name: value})
    return keys[0].beyond(values[0], inclusive=True) & beyond
